"""Offline payments, credit and reversal: each payment keeps how much of it is allocated, each allocation its cause."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import OuterRef, Subquery, Sum


def count_allocations(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    payments = apps.get_model("billing", "Payment").objects
    allocations = apps.get_model("billing", "Allocation").objects
    sums = allocations.filter(payment=OuterRef("pk")).values("payment").annotate(sum=Sum("amount_minor"))
    payments.filter(allocations__isnull=False).update(allocated_minor=Subquery(sums.values("sum")))
    allocations.filter(payment__quote__isnull=False).update(cause="deposit")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_modes_expiry_listing"),
        ("billing", "0004_list_indexes"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="allocation",
            name="allocation_not_zero",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_status_known",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_captured_when_succeeded",
        ),
        migrations.RemoveConstraint(
            model_name="paymentrequest",
            name="payment_request_cancel_has_reason",
        ),
        migrations.AddField(
            model_name="allocation",
            name="cause",
            field=models.CharField(
                choices=[
                    ("payment", "Payment"),
                    ("deposit", "Deposit of the quote"),
                    ("credit", "From credit"),
                    ("reversed", "Payment reversed"),
                    ("edited", "The invoice was lowered"),
                    ("released", "Moved to credit"),
                ],
                default="payment",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="form_key",
            field=models.CharField(max_length=40, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="allocated_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="form_key",
            field=models.CharField(max_length=40, null=True, unique=True),
        ),
        migrations.RunPython(count_allocations, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="payment",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Waiting for the customer"),
                    ("authorized", "Authorized"),
                    ("capturing", "Being captured"),
                    ("processing", "Processing"),
                    ("releasing", "Being released"),
                    ("closing", "Being closed"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("canceled", "Canceled"),
                    ("reversed", "Reversed"),
                ],
                default="pending",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="paymentrequest",
            name="cancel_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("by_member", "Canceled by a member"),
                    ("invoice_paid", "The invoice was paid"),
                    ("invoice_voided", "The invoice was voided"),
                    ("invoice_changed", "The invoice changed"),
                    ("invoice_written_off", "The invoice was written off"),
                    ("offline_payment", "An offline payment was recorded"),
                    ("replaced", "Replaced by another request"),
                ],
                default="",
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(
                    ("captured_minor__gt", models.F("allocated_minor")), ("status", "succeeded")
                ),
                fields=["organization"],
                name="payment_with_credit",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount_minor__gt", 0), ("cause__in", ("payment", "deposit", "credit"))),
                    models.Q(("amount_minor__lt", 0), ("cause__in", ("reversed", "edited", "released"))),
                    _connector="OR",
                ),
                name="allocation_sign_fits_cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                condition=models.Q(("form_key__isnull", False)),
                fields=("form_key",),
                name="event_once_per_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "pending",
                            "authorized",
                            "capturing",
                            "processing",
                            "releasing",
                            "closing",
                            "succeeded",
                            "failed",
                            "canceled",
                            "reversed",
                        ],
                    )
                ),
                name="payment_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("captured_minor__isnull", False),
                        ("settled_at__isnull", False),
                        ("status__in", ("succeeded", "reversed")),
                    ),
                    models.Q(
                        models.Q(("status__in", ("succeeded", "reversed")), _negated=True),
                        ("captured_minor__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="payment_captured_when_succeeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("allocated_minor", 0),
                    models.Q(
                        ("allocated_minor__gt", 0),
                        ("allocated_minor__lte", models.F("captured_minor")),
                        ("status", "succeeded"),
                    ),
                    _connector="OR",
                ),
                name="payment_allocated_within_captured",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "reversed"), _negated=True),
                    ("gateway_account__isnull", True),
                    _connector="OR",
                ),
                name="payment_reversed_only_offline",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "cancel_reason__in",
                            [
                                "by_member",
                                "invoice_paid",
                                "invoice_voided",
                                "invoice_changed",
                                "invoice_written_off",
                                "offline_payment",
                                "replaced",
                            ],
                        ),
                        ("status", "canceled"),
                    ),
                    models.Q(models.Q(("status", "canceled"), _negated=True), ("cancel_reason", "")),
                    _connector="OR",
                ),
                name="payment_request_cancel_has_reason",
            ),
        ),
    ]
