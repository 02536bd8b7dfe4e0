"""An organization's modes of payment, the usual end of its requests, and how far a gateway's list was read."""

from django.db import migrations, models

import partway.accounts.models
import partway.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_cache"),
    ]

    operations = [
        migrations.AddField(
            model_name="gatewayaccount",
            name="list_at",
            field=models.DateTimeField(default=partway.lib.clock.now),
        ),
        migrations.AddField(
            model_name="gatewayaccount",
            name="listed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="payment_modes",
            field=models.JSONField(default=partway.accounts.models.usual_modes),
        ),
        migrations.AddField(
            model_name="organization",
            name="request_expires_days",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
    ]
