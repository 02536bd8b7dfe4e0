"""A one-time key belongs to its organization, so that no other can learn by it what somebody did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_modes_expiry_listing"),
        ("billing", "0007_flags_come_back"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="event_once_per_form",
        ),
        migrations.AlterField(
            model_name="payment",
            name="form_key",
            field=models.CharField(max_length=40, null=True),
        ),
        migrations.AlterField(
            model_name="paymentrequest",
            name="form_key",
            field=models.CharField(max_length=40, null=True),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                condition=models.Q(("form_key__isnull", False)),
                fields=("organization", "form_key"),
                name="event_once_per_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("organization", "form_key"), name="payment_once_per_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentrequest",
            constraint=models.UniqueConstraint(
                fields=("organization", "form_key"), name="payment_request_once_per_form"
            ),
        ),
    ]
