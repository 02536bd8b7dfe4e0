"""Creates the tables of this app."""

import functools

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import partway.accounts.fields
import partway.accounts.models
import partway.lib.clock
import partway.lib.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, "usr"),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(max_length=120)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, "org"),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=120)),
                (
                    "email",
                    models.EmailField(
                        help_text="Mails to customers come from this address.",
                        max_length=254,
                        verbose_name="sender address",
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("address", models.TextField(blank=True, max_length=400)),
                (
                    "currency",
                    models.CharField(
                        default="USD", max_length=3, validators=[partway.accounts.models.validate_currency]
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC", max_length=64, validators=[partway.accounts.models.validate_time_zone]
                    ),
                ),
                (
                    "locale",
                    models.CharField(
                        default="en_US",
                        max_length=20,
                        validators=[partway.accounts.models.validate_locale],
                        verbose_name="language and region",
                    ),
                ),
                ("payments_enabled", models.BooleanField(default=False)),
                ("payments_allowed", models.BooleanField(blank=True, null=True)),
                ("invoice_prefix", models.CharField(blank=True, default="INV-", max_length=12)),
                ("next_invoice_number", models.PositiveIntegerField(default=1)),
                ("tax_number", models.CharField(blank=True, max_length=40)),
                (
                    "color",
                    models.CharField(
                        default="#1f5c3d", max_length=7, validators=[partway.accounts.models.validate_color]
                    ),
                ),
                ("payment_instructions", models.TextField(blank=True, max_length=600)),
                ("default_tax_percent", partway.accounts.fields.ExactDecimalField(default=0)),
                (
                    "default_due_days",
                    models.PositiveSmallIntegerField(
                        default=14, validators=[django.core.validators.MaxValueValidator(365)]
                    ),
                ),
                ("payment_modes", models.JSONField(default=partway.accounts.models.default_payment_modes)),
                ("request_expires_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("return_urls", models.JSONField(blank=True, default=list)),
                ("has_webhooks", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Logo",
            fields=[
                ("id", models.CharField(editable=False, max_length=40, primary_key=True, serialize=False)),
                ("content", models.BinaryField()),
                ("media_type", models.CharField(default="image/png", max_length=40)),
                ("created_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="logos",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="organization",
            name="logo",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.logo",
            ),
        ),
        migrations.CreateModel(
            name="UserSession",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="user_session",
                        serialize=False,
                        to="sessions.session",
                    ),
                ),
                ("ip_address", models.GenericIPAddressField()),
                ("browser", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="user_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, "mem"),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("collector", "Collector"), ("reader", "Reader")],
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user"), name="one_membership_per_user"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "collector", "reader"])),
                        name="member_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, "ivt"),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("collector", "Collector"), ("reader", "Reader")],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("accepted", "Accepted"), ("withdrawn", "Withdrawn")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")),
                        fields=("organization", "email"),
                        name="one_open_invitation_per_address",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "collector", "reader"])),
                        name="invitation_role_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "accepted", "withdrawn"])),
                        name="invitation_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GatewayAccount",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, "gwa"),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("gateway", models.CharField(max_length=20)),
                ("sealed_credentials", models.TextField()),
                ("is_of_platform", models.BooleanField(default=False)),
                ("is_current", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("account_ref", models.CharField(blank=True, max_length=200)),
                ("account_name", models.CharField(blank=True, max_length=200)),
                ("findings", models.JSONField(default=list)),
                ("checked_at", models.DateTimeField(null=True)),
                ("methods", models.JSONField(default=list)),
                ("reconciled_until", models.DateTimeField(null=True)),
                ("reconcile_at", models.DateTimeField(default=partway.lib.clock.now)),
                ("payouts_read_until", models.DateTimeField(null=True)),
                ("payouts_due_at", models.DateTimeField(default=partway.lib.clock.now)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="gateway_accounts",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_current", True)),
                        fields=("organization",),
                        name="one_current_gateway_account",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_of_platform", True)),
                        fields=("gateway", "account_ref"),
                        name="one_organization_per_platform_account",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["reconcile_at", "id"], name="gateway_account_to_list"),
                    models.Index(fields=["payouts_due_at", "id"], name="gateway_account_payouts_due"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["action", "subject", "created_at"], name="attempt_of_subject"),
                    models.Index(fields=["expires_at"], name="attempt_expired"),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptForm",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, "kpt"),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("path", models.CharField(max_length=500)),
                ("sealed_fields", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_forms",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="kept_form_age")],
            },
        ),
        migrations.CreateModel(
            name="UsedCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("time_step", models.BigIntegerField()),
                ("used_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="used_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["used_at"], name="used_code_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "time_step"), name="code_used_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("key",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "scope",
                    models.CharField(
                        choices=[("read", "Read"), ("collect", "Collect"), ("admin", "Admin")], max_length=8
                    ),
                ),
                ("digest", models.CharField(max_length=40, unique=True)),
                ("last_letters", models.CharField(max_length=4)),
                ("networks", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["read", "collect", "admin"])),
                        name="key_scope_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotentCall",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("idc",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key_digest", models.CharField(max_length=40)),
                ("fingerprint", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("sealed_answer", models.TextField(blank=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="idempotent_calls",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="idempotent_call_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "key_digest"), name="one_call_per_idempotency_key"
                    )
                ],
            },
        ),
    ]
