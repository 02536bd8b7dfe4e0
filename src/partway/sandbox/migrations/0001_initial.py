"""Creates the tables of this app."""

import functools

import django.db.models.deletion
from django.db import migrations, models

import partway.lib.clock
import partway.lib.ids
import partway.sandbox.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("acct",)),
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("callback_url", models.URLField(max_length=500)),
                (
                    "api_key",
                    models.CharField(default=partway.sandbox.models.api_key, max_length=60, unique=True),
                ),
                (
                    "signing_secret",
                    models.CharField(default=partway.sandbox.models.signing_secret, max_length=60),
                ),
                ("charges_enabled", models.BooleanField(default=True)),
                ("has_faults", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Checkout",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("co",)),
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="sandbox.account"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("authorized", "Authorized"),
                            ("processing", "Processing"),
                            ("captured", "Captured"),
                            ("closed", "Closed"),
                            ("failed", "Failed"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("description", models.CharField(blank=True, max_length=500)),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("return_url", models.URLField(max_length=1000)),
                ("callback_url", models.URLField(max_length=500)),
                ("methods", models.JSONField()),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("changed_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("method", models.CharField(blank=True, max_length=20)),
                ("code", models.CharField(blank=True, max_length=40)),
                ("message", models.CharField(blank=True, max_length=200)),
                ("confirmation", models.CharField(blank=True, max_length=40)),
                ("declines", models.PositiveSmallIntegerField(default=0)),
                ("lapses", models.BooleanField(default=False)),
                ("refunds", models.CharField(blank=True, max_length=10)),
                ("disputes", models.CharField(blank=True, max_length=10)),
                ("disputed_at", models.DateTimeField(null=True)),
                ("settles_at", models.DateTimeField(null=True)),
                ("settle_outcome", models.CharField(blank=True, max_length=10)),
                ("settle_message", models.CharField(blank=True, max_length=200)),
                ("authorized_minor", models.PositiveBigIntegerField(null=True)),
                ("captured_minor", models.PositiveBigIntegerField(null=True)),
                ("captured_currency", models.CharField(blank=True, max_length=3)),
                ("fee_minor", models.BigIntegerField(null=True)),
                ("refunded_minor", models.PositiveBigIntegerField(default=0)),
                ("captures", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "changed_at", "id"], name="checkout_changed"),
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["expires_at"],
                        name="checkout_expiring",
                    ),
                    models.Index(
                        condition=models.Q(("status", "processing")),
                        fields=["settles_at"],
                        name="checkout_settling",
                    ),
                    models.Index(
                        condition=models.Q(("disputed_at__isnull", False)),
                        fields=["disputed_at"],
                        name="checkout_disputed",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("captures__lte", 1)), name="captured_at_most_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refunded_minor", 0),
                            ("refunded_minor__lte", models.F("captured_minor")),
                            _connector="OR",
                        ),
                        name="refunded_at_most_captured",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("re",)),
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "checkout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sent_back",
                        to="sandbox.checkout",
                    ),
                ),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("status", models.CharField(default="succeeded", max_length=10)),
                ("created_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("settles_at", models.DateTimeField(null=True)),
                ("settle_outcome", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "ordering": ("created_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("settles_at__isnull", False)),
                        fields=["settles_at"],
                        name="refund_settling",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("dp",)),
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "checkout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="disputed",
                        to="sandbox.checkout",
                    ),
                ),
                ("status", models.CharField(default="open", max_length=10)),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("reason", models.CharField(max_length=40)),
                ("evidence_due_at", models.DateTimeField(null=True)),
                ("fee_minor", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("settles_at", models.DateTimeField(null=True)),
                ("settle_outcome", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "ordering": ("created_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("settles_at__isnull", False)),
                        fields=["settles_at"],
                        name="dispute_settling",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("pout",)),
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="sandbox.account"),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("status", models.CharField(default="pending", max_length=10)),
                ("arrives_on", models.DateField()),
                ("created_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("changed_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("settles_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "changed_at", "id"], name="payout_changed"),
                    models.Index(
                        condition=models.Q(("settles_at__isnull", False)),
                        fields=["settles_at"],
                        name="payout_settling",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BalanceEntry",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("be",)),
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="sandbox.account"),
                ),
                (
                    "checkout",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to="sandbox.checkout"
                    ),
                ),
                ("kind", models.CharField(max_length=10)),
                ("source", models.CharField(blank=True, max_length=40)),
                ("amount_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                (
                    "payout",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to="sandbox.payout"
                    ),
                ),
                ("created_at", models.DateTimeField(default=partway.lib.clock.now)),
            ],
            options={
                "ordering": ("created_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("payout__isnull", True)),
                        fields=["account", "currency"],
                        name="entry_waiting",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Callback",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("evt",)),
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "checkout",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to="sandbox.checkout"
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to="sandbox.payout"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("due_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("deliveries", models.PositiveSmallIntegerField(default=1)),
                ("held_for_reordering", models.BooleanField(default=False)),
                ("reported_checkout_id", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="callback_due"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("checkout__isnull", False), ("payout__isnull", True)),
                            models.Q(("checkout__isnull", True), ("payout__isnull", False)),
                            _connector="OR",
                        ),
                        name="callback_about_one",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotentResponse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="sandbox.account"),
                ),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("body", models.JSONField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "key"), name="one_answer_per_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Fault",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="sandbox.account"),
                ),
                ("kind", models.CharField(max_length=40)),
                ("act", models.CharField(blank=True, max_length=10)),
                ("left", models.PositiveSmallIntegerField(default=1)),
                ("delay", models.FloatField(default=3)),
                ("delta", models.BigIntegerField(default=-1)),
                ("currency", models.CharField(default="CAD", max_length=3)),
            ],
        ),
    ]
