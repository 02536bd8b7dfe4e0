"""Mails of sign-in belong to a person, and to no organization."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_people"),
        ("billing", "0002_quotes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="mail",
            name="event",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mails",
                to="billing.event",
            ),
        ),
        migrations.AlterField(
            model_name="mail",
            name="organization",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mails",
                to="accounts.organization",
            ),
        ),
    ]
