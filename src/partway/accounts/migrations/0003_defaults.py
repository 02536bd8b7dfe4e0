"""What new invoices of an organization start with."""

import django.core.validators
from django.db import migrations, models

import partway.accounts.fields


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_profile")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="default_tax_percent",
            field=partway.accounts.fields.ExactDecimalField(default=0),
        ),
        migrations.AddField(
            model_name="organization",
            name="default_due_days",
            field=models.PositiveSmallIntegerField(
                default=14, validators=[django.core.validators.MaxValueValidator(365)]
            ),
        ),
    ]
