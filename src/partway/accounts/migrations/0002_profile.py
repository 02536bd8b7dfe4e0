"""What an organization shows of itself on documents: logo, color, tax number, how to pay otherwise."""

import django.db.models.deletion
from django.db import migrations, models

import partway.accounts.models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="tax_number",
            field=models.CharField(blank=True, max_length=40, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="organization",
            name="color",
            field=models.CharField(
                default="#1f5c3d", max_length=7, validators=[partway.accounts.models.check_color]
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="payment_instructions",
            field=models.TextField(blank=True, max_length=600, default=""),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="Logo",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content", models.BinaryField()),
                ("media_type", models.CharField(default="image/png", max_length=40)),
                ("updated_at", models.DateTimeField()),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="logo",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
    ]
