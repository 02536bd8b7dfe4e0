"""A flag that was dealt with may be raised again when something new happens."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_modes_expiry_listing"),
        ("billing", "0006_flag_resolutions"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="flag",
            name="flag_raised_once",
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(
                condition=models.Q(("resolved_at__isnull", True)),
                fields=("kind", "subject"),
                name="flag_raised_once",
            ),
        ),
    ]
