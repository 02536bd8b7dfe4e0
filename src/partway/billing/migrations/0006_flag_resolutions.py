"""What was done about a flag, and by whom."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_offline_credit_reversal"),
    ]

    operations = [
        migrations.AddField(
            model_name="flag",
            name="resolution",
            field=models.CharField(blank=True, default="", max_length=300),
        ),
        migrations.AddField(
            model_name="flag",
            name="resolved_by",
            field=models.CharField(blank=True, default="", max_length=160),
        ),
    ]
