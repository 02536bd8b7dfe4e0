"""Creates the tables of this app."""

import functools

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models

import partway.accounts.fields
import partway.billing.models.due_notifications
import partway.billing.models.search_index
import partway.billing.models.text_keys
import partway.lib.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        partway.billing.models.search_index.CreateSearchExtensions(),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("external_reference", models.CharField(max_length=100, null=True)),
                ("metadata", models.JSONField(default=dict)),
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("cus",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="accounts.organization",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("email", models.EmailField(max_length=254)),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("address", models.TextField(blank=True, max_length=400)),
                ("created_at", models.DateTimeField()),
                ("sort_key", partway.billing.models.text_keys.SortKeyField("name")),
                ("search_key", partway.billing.models.text_keys.SearchKeyField("name", "email")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="customer_newest"),
                    models.Index(fields=["organization", "sort_key", "id"], name="customer_by_name"),
                    models.Index(fields=["organization", "search_key", "id"], name="customer_by_search_key"),
                    partway.billing.models.search_index.SearchIndex(
                        fields=["organization", "search_key"], name="customer_search"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name__isnull", True), ("sort_key", b"\xff")),
                            models.Q(
                                ("name__isnull", False),
                                django.db.models.lookups.Exact(
                                    django.db.models.functions.text.Substr(
                                        "sort_key",
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.functions.text.Length("sort_key"),
                                                "-",
                                                django.db.models.functions.text.Length(
                                                    partway.billing.models.text_keys.Utf8("name")
                                                ),
                                            ),
                                            "+",
                                            models.Value(1),
                                        ),
                                    ),
                                    partway.billing.models.text_keys.Utf8("name"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="customer_name_has_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_reference__isnull", False)),
                        fields=("organization", "external_reference"),
                        name="customer_external_reference_unique",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Party",
            fields=[
                ("id", models.CharField(editable=False, max_length=40, primary_key=True, serialize=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parties",
                        to="accounts.organization",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("address", models.TextField(blank=True, max_length=400)),
                ("email", models.EmailField(max_length=254)),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("tax_number", models.CharField(blank=True, max_length=40)),
                ("payment_instructions", models.TextField(blank=True, max_length=600)),
                ("color", models.CharField(blank=True, max_length=7)),
                (
                    "logo",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.logo",
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("locale", models.CharField(blank=True, max_length=20)),
                ("time_zone", models.CharField(blank=True, max_length=64)),
                ("search_key", partway.billing.models.text_keys.SearchKeyField("name", "email")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "search_key", "id"], name="party_by_search_key"),
                    partway.billing.models.search_index.SearchIndex(
                        fields=["organization", "search_key"], name="party_search"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QuoteTerms",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="quote_terms",
                        serialize=False,
                        to="accounts.organization",
                    ),
                ),
                ("prefix", models.CharField(blank=True, default="QUO-", max_length=12)),
                ("next_number", models.PositiveIntegerField(default=1)),
                (
                    "deposit_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No deposit"),
                            ("percent", "Percent of the total"),
                            ("amount", "Amount"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("deposit_percent", partway.accounts.fields.ExactDecimalField(default=0)),
                ("deposit_amount_minor", models.BigIntegerField(default=0)),
                ("deposit_threshold_minor", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Quote",
            fields=[
                ("external_reference", models.CharField(max_length=100, null=True)),
                ("metadata", models.JSONField(default=dict)),
                (
                    "issued_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.party",
                    ),
                ),
                (
                    "issued_to",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.party",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="accounts.organization",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="billing.customer",
                    ),
                ),
                ("customer_key", models.BinaryField()),
                ("number", models.CharField(blank=True, max_length=40, null=True)),
                ("number_key", partway.billing.models.text_keys.SortKeyField("number")),
                ("search_key", partway.billing.models.text_keys.SearchKeyField("number")),
                ("currency", models.CharField(max_length=3)),
                ("notes", models.TextField(blank=True, max_length=2000)),
                (
                    "discount_kind",
                    models.CharField(
                        blank=True,
                        choices=[("", "No discount"), ("percent", "Percent"), ("amount", "Amount")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("discount_percent", partway.accounts.fields.ExactDecimalField(default=0)),
                ("discount_amount_minor", models.BigIntegerField(default=0)),
                ("subtotal_minor", models.BigIntegerField(default=0)),
                ("discount_minor", models.BigIntegerField(default=0)),
                ("tax_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(null=True)),
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("quo",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sent", "Sent"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("expired", "Expired"),
                            ("withdrawn", "Withdrawn"),
                            ("invoiced", "Invoiced"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("valid_until", models.DateField()),
                (
                    "deposit_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No deposit"),
                            ("percent", "Percent of the total"),
                            ("amount", "Amount"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("deposit_percent", partway.accounts.fields.ExactDecimalField(default=0)),
                ("deposit_amount_minor", models.BigIntegerField(default=0)),
                ("deposit_minor", models.BigIntegerField(default=0)),
                ("accepted_by", models.CharField(blank=True, default="", max_length=120)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("accepted_ip", models.GenericIPAddressField(null=True)),
                ("accepted_on", models.DateField(null=True)),
                ("acceptance_recorded_by", models.CharField(blank=True, default="", max_length=160)),
                ("acceptance_note", models.CharField(blank=True, default="", max_length=400)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="quote_newest"),
                    models.Index(fields=["organization", "number_key", "id"], name="quote_by_number"),
                    models.Index(
                        fields=["organization", "status", "-created_at", "-id"], name="quote_by_status"
                    ),
                    models.Index(
                        fields=["organization", "status", "number_key", "id"], name="quote_of_status_number"
                    ),
                    models.Index(
                        fields=["organization", "status", "valid_until", "id"], name="quote_of_status_until"
                    ),
                    models.Index(
                        fields=["organization", "status", "customer_key", "-id"],
                        name="quote_of_status_customer",
                    ),
                    models.Index(
                        fields=["organization", "status", "currency", "total_minor", "id"],
                        name="quote_of_status_total",
                    ),
                    models.Index(
                        condition=models.Q(("issued_to__isnull", False)),
                        fields=["issued_to"],
                        name="quote_by_party",
                    ),
                    partway.billing.models.search_index.SearchIndex(
                        fields=["organization", "search_key"], name="quote_search"
                    ),
                    models.Index(
                        condition=models.Q(("status", "sent")), fields=["valid_until"], name="quote_to_expire"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "number"), name="quote_number_unique"),
                    models.UniqueConstraint(
                        condition=models.Q(("external_reference__isnull", False)),
                        fields=("organization", "external_reference"),
                        name="quote_external_reference_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["draft", "sent", "accepted", "declined", "expired", "withdrawn", "invoiced"],
                            )
                        ),
                        name="quote_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_minor",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("subtotal_minor"), "-", models.F("discount_minor")
                                    ),
                                    "+",
                                    models.F("tax_minor"),
                                ),
                            )
                        ),
                        name="quote_total_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number__isnull", True), ("number_key", b"\xff")),
                            models.Q(
                                ("number__isnull", False),
                                django.db.models.lookups.Exact(
                                    django.db.models.functions.text.Substr(
                                        "number_key",
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.functions.text.Length("number_key"),
                                                "-",
                                                django.db.models.functions.text.Length(
                                                    partway.billing.models.text_keys.Utf8("number")
                                                ),
                                            ),
                                            "+",
                                            models.Value(1),
                                        ),
                                    ),
                                    partway.billing.models.text_keys.Utf8("number"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="quote_number_has_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("sent_at__isnull", False),
                                ("issued_by__isnull", False),
                                ("issued_to__isnull", False),
                            ),
                            models.Q(
                                models.Q(("sent_at__isnull", False), _negated=True),
                                ("issued_by__isnull", True),
                                ("issued_to__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="quote_parties_when_issued",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deposit_minor__gte", 0), ("deposit_minor__lte", models.F("total_minor"))
                        ),
                        name="quote_deposit_within_total",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number__isnull", True), ("status", "draft")),
                            models.Q(models.Q(("status", "draft"), _negated=True), ("number__isnull", False)),
                            _connector="OR",
                        ),
                        name="quote_numbered_when_sent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("accepted_at__isnull", False),
                                ("status__in", ["accepted", "invoiced", "withdrawn"]),
                                models.Q(("accepted_by", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("status__in", ["accepted", "invoiced"]), _negated=True),
                                ("accepted_at__isnull", True),
                                ("accepted_by", ""),
                            ),
                            _connector="OR",
                        ),
                        name="quote_accepted_by_set",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("acceptance_note", ""),
                                ("acceptance_recorded_by", ""),
                                ("accepted_on__isnull", True),
                            ),
                            models.Q(
                                ("accepted_at__isnull", False),
                                ("accepted_ip__isnull", True),
                                ("accepted_on__isnull", False),
                                models.Q(("acceptance_recorded_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="quote_acceptance_recorded_by_set",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QuoteLine",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("lin",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("description", models.CharField(max_length=300)),
                ("quantity", partway.accounts.fields.ExactDecimalField()),
                ("unit_amount_minor", models.BigIntegerField()),
                ("tax_percent", partway.accounts.fields.ExactDecimalField(default=0)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "quote",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="billing.quote"
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("quote", "position"), name="quote_line_position_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gte", 0),
                            ("quantity__gt", 0),
                            ("tax_percent__gte", 0),
                            ("unit_amount_minor__gte", 0),
                        ),
                        name="quote_line_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("external_reference", models.CharField(max_length=100, null=True)),
                ("metadata", models.JSONField(default=dict)),
                (
                    "issued_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.party",
                    ),
                ),
                (
                    "issued_to",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.party",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="accounts.organization",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="billing.customer",
                    ),
                ),
                ("customer_key", models.BinaryField()),
                ("number", models.CharField(blank=True, max_length=40, null=True)),
                ("number_key", partway.billing.models.text_keys.SortKeyField("number")),
                ("search_key", partway.billing.models.text_keys.SearchKeyField("number")),
                ("currency", models.CharField(max_length=3)),
                ("notes", models.TextField(blank=True, max_length=2000)),
                (
                    "discount_kind",
                    models.CharField(
                        blank=True,
                        choices=[("", "No discount"), ("percent", "Percent"), ("amount", "Amount")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("discount_percent", partway.accounts.fields.ExactDecimalField(default=0)),
                ("discount_amount_minor", models.BigIntegerField(default=0)),
                ("subtotal_minor", models.BigIntegerField(default=0)),
                ("discount_minor", models.BigIntegerField(default=0)),
                ("tax_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(null=True)),
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("inv",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sent", "Sent"),
                            ("paid", "Paid"),
                            ("void", "Void"),
                            ("written_off", "Written off"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                (
                    "quote",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="billing.quote",
                    ),
                ),
                ("due_on", models.DateField()),
                ("due_days", models.PositiveSmallIntegerField(null=True)),
                ("amount_paid_minor", models.BigIntegerField(default=0)),
                ("adjusted_minor", models.BigIntegerField(default=0)),
                ("paid_at", models.DateTimeField(null=True)),
                (
                    "receivable_minor",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                status="sent",
                                then=django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("total_minor"), "-", models.F("amount_paid_minor")
                                    ),
                                    "-",
                                    models.F("adjusted_minor"),
                                ),
                            ),
                            default=0,
                        ),
                        output_field=models.BigIntegerField(),
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="invoice_newest"),
                    models.Index(
                        fields=["organization", "status", "-created_at", "-id"], name="invoice_by_status"
                    ),
                    models.Index(fields=["customer", "-created_at", "-id"], name="invoice_by_customer"),
                    models.Index(fields=["organization", "due_on", "id"], name="invoice_by_due_on"),
                    models.Index(fields=["organization", "sent_at", "id"], name="invoice_by_sent_at"),
                    models.Index(fields=["organization", "number_key", "id"], name="invoice_by_number"),
                    models.Index(
                        fields=["organization", "status", "due_on", "id"], name="invoice_of_status_due_on"
                    ),
                    models.Index(
                        fields=["organization", "status", "number_key", "id"], name="invoice_of_status_number"
                    ),
                    models.Index(
                        fields=["organization", "status", "customer_key", "-id"],
                        name="invoice_of_status_customer",
                    ),
                    models.Index(
                        fields=["organization", "status", "currency", "receivable_minor", "id"],
                        name="invoice_of_status_receivable",
                    ),
                    models.Index(
                        fields=["organization", "status", "currency", "total_minor", "id"],
                        name="invoice_of_status_total",
                    ),
                    models.Index(
                        condition=models.Q(("amount_paid_minor__gt", 0), ("status", "sent")),
                        fields=[
                            "organization",
                            "status",
                            "-created_at",
                            "-id",
                            "currency",
                            "total_minor",
                            "amount_paid_minor",
                            "adjusted_minor",
                            "customer",
                        ],
                        name="invoice_partially_paid",
                    ),
                    models.Index(
                        condition=models.Q(("issued_to__isnull", False)),
                        fields=["issued_to"],
                        name="invoice_by_party",
                    ),
                    partway.billing.models.search_index.SearchIndex(
                        fields=["organization", "search_key"], name="invoice_search"
                    ),
                    models.Index(
                        fields=[
                            "organization",
                            "status",
                            "due_on",
                            "sent_at",
                            "currency",
                            "total_minor",
                            "amount_paid_minor",
                            "adjusted_minor",
                            "customer",
                        ],
                        name="invoice_figures",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "number"), name="invoice_number_unique"),
                    models.UniqueConstraint(
                        condition=models.Q(("external_reference__isnull", False)),
                        fields=("organization", "external_reference"),
                        name="invoice_external_reference_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["draft", "sent", "paid", "void", "written_off"])),
                        name="invoice_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("adjusted_minor__gte", 0),
                            ("amount_paid_minor__gte", 0),
                            (
                                "amount_paid_minor__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("total_minor"), "-", models.F("adjusted_minor")
                                ),
                            ),
                        ),
                        name="invoice_amount_due_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_minor",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("subtotal_minor"), "-", models.F("discount_minor")
                                    ),
                                    "+",
                                    models.F("tax_minor"),
                                ),
                            )
                        ),
                        name="invoice_total_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number__isnull", True), ("number_key", b"\xff")),
                            models.Q(
                                ("number__isnull", False),
                                django.db.models.lookups.Exact(
                                    django.db.models.functions.text.Substr(
                                        "number_key",
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.functions.text.Length("number_key"),
                                                "-",
                                                django.db.models.functions.text.Length(
                                                    partway.billing.models.text_keys.Utf8("number")
                                                ),
                                            ),
                                            "+",
                                            models.Value(1),
                                        ),
                                    ),
                                    partway.billing.models.text_keys.Utf8("number"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_number_has_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("sent_at__isnull", False),
                                ("issued_by__isnull", False),
                                ("issued_to__isnull", False),
                            ),
                            models.Q(
                                models.Q(("sent_at__isnull", False), _negated=True),
                                ("issued_by__isnull", True),
                                ("issued_to__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_parties_when_issued",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "void"), _negated=True),
                        fields=("quote",),
                        name="invoice_of_quote_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_days__isnull", True), ("sent_at__isnull", True), _connector="OR"
                        ),
                        name="invoice_due_days_of_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number__isnull", True), ("status", "draft")),
                            ("status", "void"),
                            models.Q(
                                models.Q(("status__in", ["draft", "void"]), _negated=True),
                                ("number__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_numbered_when_sent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("lin",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("description", models.CharField(max_length=300)),
                ("quantity", partway.accounts.fields.ExactDecimalField()),
                ("unit_amount_minor", models.BigIntegerField()),
                ("tax_percent", partway.accounts.fields.ExactDecimalField(default=0)),
                ("amount_minor", models.BigIntegerField()),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="billing.invoice",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "position"), name="invoice_line_position_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gte", 0),
                            ("quantity__gt", 0),
                            ("tax_percent__gte", 0),
                            ("unit_amount_minor__gte", 0),
                        ),
                        name="invoice_line_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentRequest",
            fields=[
                ("external_reference", models.CharField(max_length=100, null=True)),
                ("metadata", models.JSONField(default=dict)),
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("preq",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_requests",
                        to="accounts.organization",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment_requests",
                        to="billing.invoice",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("paid", "Paid"),
                            ("canceled", "Canceled"),
                            ("expired", "Expired"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "cancel_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("by_member", "By a member"),
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
                ("amount_requested_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("note", models.TextField(blank=True, max_length=1000)),
                ("to", models.JSONField(default=list)),
                ("cc", models.JSONField(blank=True, default=list)),
                ("bcc", models.JSONField(blank=True, default=list)),
                ("requested_by", models.CharField(max_length=40)),
                ("reply_to", models.EmailField(blank=True, max_length=254)),
                ("return_url", models.CharField(blank=True, default="", max_length=1000)),
                ("idempotency_key", models.CharField(max_length=40, null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization", "-created_at", "-id"], name="payment_request_newest"
                    ),
                    models.Index(fields=["organization", "requested_by"], name="payment_request_by_member"),
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["organization", "-created_at", "-id"],
                        name="payment_request_open_newest",
                    ),
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["organization", "invoice", "currency", "amount_requested_minor"],
                        name="payment_request_open",
                    ),
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["expires_at"],
                        name="payment_request_to_expire",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_reference__isnull", False)),
                        fields=("organization", "external_reference"),
                        name="payment_request_external_reference_unique",
                    ),
                    models.UniqueConstraint(
                        fields=("organization", "idempotency_key"),
                        name="payment_request_once_per_idempotency_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")),
                        fields=("invoice",),
                        name="one_open_payment_request_per_invoice",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_requested_minor__gt", 0)),
                        name="payment_request_amount_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "paid", "canceled", "expired"])),
                        name="payment_request_status_known",
                    ),
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("status", "open")),
                            models.Q(
                                models.Q(("status", "open"), _negated=True), ("ended_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="payment_request_end_has_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("fee_minor", models.BigIntegerField(null=True)),
                ("fee_currency", models.CharField(blank=True, default="", max_length=3)),
                (
                    "issued_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.party",
                    ),
                ),
                (
                    "issued_to",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.party",
                    ),
                ),
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("pay",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="accounts.organization",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="billing.invoice",
                    ),
                ),
                (
                    "quote",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="billing.quote",
                    ),
                ),
                (
                    "payment_request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="billing.paymentrequest",
                    ),
                ),
                (
                    "gateway_account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="accounts.gatewayaccount",
                    ),
                ),
                (
                    "status",
                    models.CharField(
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
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("accepted", models.BooleanField(null=True)),
                ("captured_minor", models.BigIntegerField(null=True)),
                ("captured_currency", models.CharField(blank=True, default="", max_length=3)),
                ("allocated_minor", models.BigIntegerField(default=0)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                ("frozen_minor", models.BigIntegerField(default=0)),
                ("lost_minor", models.BigIntegerField(default=0)),
                ("deposit_given_back", models.BooleanField(default=False)),
                ("checkout_ref", models.CharField(blank=True, default="", max_length=200)),
                ("sealed_checkout_url", models.TextField(blank=True, default="")),
                ("method", models.CharField(blank=True, default="", max_length=40)),
                ("failure_code", models.CharField(blank=True, default="", max_length=60)),
                ("failure_message", models.CharField(blank=True, default="", max_length=300)),
                ("reference", models.CharField(blank=True, default="", max_length=120)),
                ("note", models.CharField(blank=True, default="", max_length=400)),
                ("paid_on", models.DateField(null=True)),
                ("search_key", partway.billing.models.text_keys.SearchKeyField("reference", "note")),
                ("idempotency_key", models.CharField(max_length=40, null=True)),
                ("payer_ip", models.GenericIPAddressField(null=True)),
                ("created_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                ("settles_by", models.DateTimeField(null=True)),
                ("authorized_until", models.DateTimeField(null=True)),
                ("next_refresh_at", models.DateTimeField()),
                ("refresh_count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("status", "pending"),
                            ("status", "authorized"),
                            ("status", "capturing"),
                            ("status", "processing"),
                            ("status", "releasing"),
                            ("status", "closing"),
                            _connector="OR",
                        ),
                        fields=["next_refresh_at", "id"],
                        name="payment_to_check",
                    ),
                    partway.billing.models.search_index.SearchIndex(
                        fields=["organization", "search_key"], name="payment_search"
                    ),
                    models.Index(fields=["organization", "checkout_ref"], name="payment_by_checkout_ref"),
                    models.Index(fields=["payer_ip", "created_at"], name="payment_by_address"),
                    models.Index(fields=["organization", "-created_at", "-id"], name="payment_newest"),
                    models.Index(
                        condition=models.Q(("paid_on__isnull", False)),
                        fields=["organization", "-paid_on", "-created_at", "-id"],
                        name="payment_by_paid_on",
                    ),
                    models.Index(
                        models.F("organization"),
                        models.OrderBy(
                            django.db.models.functions.comparison.Coalesce("settled_at", "created_at"),
                            descending=True,
                        ),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("paid_on__isnull", True)),
                        name="payment_by_moment",
                    ),
                    models.Index(
                        fields=[
                            "organization",
                            "status",
                            "currency",
                            "captured_currency",
                            "captured_minor",
                            "paid_on",
                            "fee_minor",
                            "fee_currency",
                        ],
                        name="payment_figures",
                    ),
                    models.Index(fields=["organization", "method"], name="payment_by_method"),
                    models.Index(
                        fields=["organization", "captured_currency", "captured_minor"],
                        name="payment_by_captured",
                    ),
                    models.Index(
                        condition=models.Q(("captured_minor__isnull", True)),
                        fields=["organization", "currency", "amount_minor"],
                        name="payment_by_amount",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("refunded_minor__gt", 0),
                            ("frozen_minor__gt", 0),
                            ("lost_minor__gt", 0),
                            _connector="OR",
                        ),
                        fields=["organization"],
                        name="payment_gone",
                    ),
                    models.Index(
                        condition=models.Q(("gateway_account__isnull", True), ("paid_on__isnull", True)),
                        fields=["organization"],
                        name="payment_without_gateway_day",
                    ),
                    models.Index(
                        condition=models.Q(
                            (
                                "captured_minor__gt",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("allocated_minor"), "+", models.F("refunded_minor")
                                        ),
                                        "+",
                                        models.F("frozen_minor"),
                                    ),
                                    "+",
                                    models.F("lost_minor"),
                                ),
                            ),
                            ("status", "succeeded"),
                        ),
                        fields=["organization"],
                        name="payment_with_credit",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "idempotency_key"), name="payment_once_per_idempotency_key"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ("pending", "authorized", "capturing", "releasing", "closing")),
                            models.Q(("accepted", True), ("status", "processing")),
                            _connector="OR",
                        ),
                        fields=("invoice",),
                        name="one_unsettled_payment_per_invoice",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ("pending", "authorized", "capturing", "releasing", "closing")),
                            models.Q(("accepted", True), ("status", "processing")),
                            _connector="OR",
                        ),
                        fields=("quote",),
                        name="one_unsettled_payment_per_quote",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("accepted", True), ("deposit_given_back", False), ("status", "succeeded")
                        ),
                        fields=("quote",),
                        name="one_deposit_per_quote",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deposit_given_back", False),
                            models.Q(("accepted", True), ("quote__isnull", False)),
                            _connector="OR",
                        ),
                        name="payment_given_back_was_deposit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("invoice__isnull", False), ("quote__isnull", True)),
                            models.Q(
                                ("invoice__isnull", True),
                                ("payment_request__isnull", True),
                                ("quote__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="payment_of_one_document",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("checkout_ref", ""), _negated=True),
                        fields=("gateway_account", "checkout_ref"),
                        name="one_payment_per_checkout",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="payment_amount_positive"
                    ),
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "processing"), _negated=True),
                            ("accepted__isnull", False),
                            _connector="OR",
                        ),
                        name="payment_processing_is_decided",
                    ),
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ("succeeded", "reversed")),
                                ("issued_by__isnull", False),
                                ("issued_to__isnull", False),
                            ),
                            models.Q(
                                models.Q(("status__in", ("succeeded", "reversed")), _negated=True),
                                ("issued_by__isnull", True),
                                ("issued_to__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="payment_parties_when_issued",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("allocated_minor", 0), ("lost_minor", 0), ("refunded_minor", 0)),
                            models.Q(
                                ("allocated_minor__gte", 0),
                                (
                                    "captured_minor__gte",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("allocated_minor"), "+", models.F("refunded_minor")
                                        ),
                                        "+",
                                        models.F("lost_minor"),
                                    ),
                                ),
                                ("lost_minor__gte", 0),
                                ("refunded_minor__gte", 0),
                                ("status", "succeeded"),
                            ),
                            _connector="OR",
                        ),
                        name="payment_allocated_within_captured",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("frozen_minor", 0),
                            models.Q(
                                (
                                    "captured_minor__gte",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("frozen_minor"), "+", models.F("refunded_minor")
                                        ),
                                        "+",
                                        models.F("lost_minor"),
                                    ),
                                ),
                                ("frozen_minor__gte", 0),
                                ("status", "succeeded"),
                            ),
                            _connector="OR",
                        ),
                        name="payment_frozen_within_captured",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "reversed"), _negated=True),
                            ("gateway_account__isnull", True),
                            _connector="OR",
                        ),
                        name="payment_reversed_only_offline",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("fee_currency", ""), ("fee_minor__isnull", True)),
                            models.Q(
                                ("fee_minor__isnull", False),
                                models.Q(("fee_currency", ""), _negated=True),
                                ("gateway_account__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="payment_fee_of_gateway",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("dis",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="accounts.organization",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="billing.payment",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("lost_minor", models.BigIntegerField(default=0)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("fraudulent", "The customer says that they did not pay this"),
                            ("unrecognized", "The customer does not recognize the payment"),
                            ("duplicate", "The customer says that they paid twice"),
                            ("not_received", "The customer says that they received nothing"),
                            ("not_as_described", "The customer is not satisfied with what they received"),
                            ("canceled", "The customer says that they had canceled"),
                            ("credit_not_processed", "The customer says that they were promised a refund"),
                            ("debit_returned", "The bank returned the debit"),
                            ("unknown", "The gateway names no reason"),
                        ],
                        max_length=24,
                    ),
                ),
                ("evidence_due_at", models.DateTimeField(null=True)),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("fee_currency", models.CharField(blank=True, default="", max_length=3)),
                ("gateway_ref", models.CharField(max_length=200)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("remind_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("remind_at__isnull", False)),
                        fields=["remind_at", "id"],
                        name="dispute_to_remind",
                    ),
                    models.Index(fields=["organization", "status"], name="dispute_by_status"),
                    models.Index(
                        fields=["organization", "currency", "amount_minor"], name="dispute_by_amount"
                    ),
                    models.Index(fields=["organization", "gateway_ref"], name="dispute_by_gateway_ref"),
                    models.Index(
                        models.F("organization"),
                        models.OrderBy(
                            django.db.models.functions.comparison.Coalesce("closed_at", "opened_at"),
                            descending=True,
                        ),
                        models.OrderBy(models.F("id"), descending=True),
                        name="dispute_by_moment",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="dispute_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("status", "open")),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("remind_at__isnull", True),
                                ("status__in", ("won", "lost")),
                            ),
                            _connector="OR",
                        ),
                        name="dispute_closed_when_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lost_minor", 0),
                            models.Q(
                                ("lost_minor__gt", 0),
                                ("lost_minor__lte", models.F("amount_minor")),
                                ("status__in", ("open", "lost")),
                            ),
                            _connector="OR",
                        ),
                        name="dispute_lost_within_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "fraudulent",
                                    "unrecognized",
                                    "duplicate",
                                    "not_received",
                                    "not_as_described",
                                    "canceled",
                                    "credit_not_processed",
                                    "debit_returned",
                                    "unknown",
                                ],
                            )
                        ),
                        name="dispute_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("fee_currency", ""), ("fee_minor", 0)),
                            models.Q(("fee_minor__gt", 0), models.Q(("fee_currency", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="dispute_fee_has_currency",
                    ),
                    models.UniqueConstraint(
                        fields=("payment", "gateway_ref"), name="dispute_once_per_gateway_ref"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("fee_minor", models.BigIntegerField(null=True)),
                ("fee_currency", models.CharField(blank=True, default="", max_length=3)),
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("ref",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="accounts.organization",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="billing.payment",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("reversed", "Reversed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("offline", "Offline"),
                            ("gateway", "Through the gateway"),
                            ("dashboard", "In the gateway's dashboard"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("lost_minor", models.BigIntegerField(default=0)),
                ("method", models.CharField(blank=True, default="", max_length=40)),
                ("refunded_on", models.DateField()),
                ("reference", models.CharField(blank=True, default="", max_length=120)),
                ("note", models.CharField(blank=True, default="", max_length=400)),
                ("search_key", partway.billing.models.text_keys.SearchKeyField("reference", "note")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("canceled", "The order was canceled"),
                            ("complaint", "The customer is not satisfied"),
                            ("duplicate", "Paid twice"),
                            ("overpaid", "Paid too much"),
                            ("other", "Another reason"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("reduces_invoice", models.BooleanField(default=False)),
                ("is_automatic", models.BooleanField(default=False)),
                ("gateway_ref", models.CharField(blank=True, default="", max_length=200)),
                ("failure_code", models.CharField(blank=True, default="", max_length=60)),
                ("failure_message", models.CharField(blank=True, default="", max_length=300)),
                ("idempotency_key", models.CharField(max_length=40, null=True)),
                ("created_at", models.DateTimeField()),
                ("next_refresh_at", models.DateTimeField(null=True)),
                ("refresh_count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "status"], name="refund_by_status"),
                    models.Index(
                        fields=["organization", "currency", "amount_minor"], name="refund_by_amount"
                    ),
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["next_refresh_at", "id"],
                        name="refund_to_refresh",
                    ),
                    models.Index(
                        fields=["organization", "-refunded_on", "-created_at", "-id"], name="refund_newest"
                    ),
                    partway.billing.models.search_index.SearchIndex(
                        fields=["organization", "search_key"], name="refund_search"
                    ),
                    models.Index(fields=["organization", "gateway_ref"], name="refund_by_gateway_ref"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "idempotency_key", "payment"),
                        name="refund_once_per_idempotency_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="refund_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mode", "offline"), models.Q(("method", ""), _negated=True)),
                            models.Q(("method", ""), ("mode__in", ("gateway", "dashboard"))),
                            _connector="OR",
                        ),
                        name="refund_mode_fits_method",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("gateway_ref", ""),
                                ("mode", "offline"),
                                ("status__in", ("succeeded", "reversed")),
                            ),
                            models.Q(("mode", "gateway"), ("status__in", ("pending", "succeeded", "failed"))),
                            models.Q(
                                ("mode", "dashboard"),
                                ("status__in", ("pending", "succeeded", "failed")),
                                models.Q(("gateway_ref", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="refund_status_fits_mode",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lost_minor", 0),
                            models.Q(
                                ("lost_minor__gt", 0),
                                ("lost_minor__lte", models.F("amount_minor")),
                                ("mode", "dashboard"),
                            ),
                            _connector="OR",
                        ),
                        name="refund_lost_only_in_dashboard",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_automatic", True)),
                        fields=("payment",),
                        name="one_automatic_refund_per_payment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_automatic", False),
                            models.Q(("mode", "gateway"), ("reduces_invoice", False)),
                            _connector="OR",
                        ),
                        name="refund_automatic_through_gateway",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "pending"), _negated=True),
                            ("next_refresh_at__isnull", False),
                            _connector="OR",
                        ),
                        name="refund_pending_is_refreshed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("fee_currency", ""), ("fee_minor__isnull", True)),
                            models.Q(
                                ("fee_minor__isnull", False),
                                models.Q(("fee_currency", ""), _negated=True),
                                ("mode__in", ("gateway", "dashboard")),
                            ),
                            _connector="OR",
                        ),
                        name="refund_fee_of_gateway",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("gateway_ref", ""), _negated=True),
                        fields=("payment", "gateway_ref"),
                        name="refund_once_per_gateway_ref",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("adj",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="accounts.organization",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="billing.invoice",
                    ),
                ),
                (
                    "taken_from",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken_back",
                        to="billing.adjustment",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="billing.refund",
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="billing.dispute",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("settled", "Settled"),
                            ("by_member", "Taken back by a member"),
                            ("payment_reversed", "A payment of the invoice was reversed"),
                            ("invoice_changed", "The invoice was lowered"),
                            ("invoice_voided", "The invoice was voided"),
                            ("refund_failed", "The refund failed that had reduced the invoice"),
                            ("dispute_won", "The lost dispute was won after all"),
                        ],
                        default="settled",
                        max_length=20,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("fee", "Bank fee"),
                            ("rounding", "Rounding"),
                            ("goodwill", "Goodwill"),
                            ("dispute", "Dispute lost"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("note", models.CharField(blank=True, default="", max_length=300)),
                ("search_key", partway.billing.models.text_keys.SearchKeyField("note")),
                ("actor_id", models.CharField(blank=True, max_length=40)),
                ("actor_label", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("dispute__isnull", False)),
                        fields=["dispute"],
                        name="adjustment_by_dispute",
                    ),
                    models.Index(
                        fields=["organization", "currency", "amount_minor"], name="adjustment_by_amount"
                    ),
                    models.Index(
                        condition=models.Q(("amount_minor__lt", 0)),
                        fields=["organization"],
                        name="adjustment_taken_back",
                    ),
                    models.Index(fields=["organization", "-created_at", "-id"], name="adjustment_newest"),
                    partway.billing.models.search_index.SearchIndex(
                        fields=["organization", "search_key"], name="adjustment_search"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount_minor__gt", 0), ("cause", "settled"), ("taken_from__isnull", True)
                            ),
                            models.Q(
                                ("amount_minor__lt", 0),
                                (
                                    "cause__in",
                                    [
                                        "by_member",
                                        "payment_reversed",
                                        "invoice_changed",
                                        "invoice_voided",
                                        "refund_failed",
                                        "dispute_won",
                                    ],
                                ),
                                ("taken_from__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="adjustment_sign_fits_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason__in", ["fee", "rounding", "goodwill", "dispute"])),
                        name="adjustment_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause", "settled"), ("dispute__isnull", False), ("reason", "dispute")),
                            models.Q(
                                models.Q(("cause", "settled"), ("reason", "dispute"), _negated=True),
                                ("dispute__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="adjustment_of_dispute",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("all",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="accounts.organization",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.payment",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.invoice",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.refund",
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.dispute",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("payment", "Payment"),
                            ("deposit", "Deposit of the quote"),
                            ("credit", "From credit"),
                            ("reversed", "Payment reversed"),
                            ("edited", "The invoice was lowered"),
                            ("released", "Moved to credit"),
                            ("refunded", "Given back"),
                            ("restored", "The refund failed"),
                            ("disputed", "Dispute lost"),
                            ("reinstated", "Lost dispute won after all"),
                        ],
                        default="payment",
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("refund__isnull", False)),
                        fields=["refund"],
                        name="allocation_by_refund",
                    ),
                    models.Index(
                        condition=models.Q(("dispute__isnull", False)),
                        fields=["dispute"],
                        name="allocation_by_dispute",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount_minor__gt", 0),
                                ("cause__in", ("payment", "deposit", "credit", "restored", "reinstated")),
                            ),
                            models.Q(
                                ("amount_minor__lt", 0),
                                ("cause__in", ("reversed", "edited", "released", "refunded", "disputed")),
                            ),
                            _connector="OR",
                        ),
                        name="allocation_sign_fits_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause__in", ("refunded", "restored")), ("refund__isnull", False)),
                            models.Q(
                                models.Q(("cause__in", ("refunded", "restored")), _negated=True),
                                ("refund__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="allocation_of_refund",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause__in", ("disputed", "reinstated")), ("dispute__isnull", False)),
                            models.Q(
                                models.Q(("cause__in", ("disputed", "reinstated")), _negated=True),
                                ("dispute__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="allocation_of_dispute",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("alt",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="accounts.organization",
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("params", models.JSONField(default=dict)),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="billing.invoice",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="billing.payment",
                    ),
                ),
                ("subject", models.CharField(max_length=200)),
                ("due_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                ("resolved_by", models.CharField(blank=True, default="", max_length=160)),
                ("resolution", models.CharField(blank=True, default="", max_length=300)),
                ("auto_resolution", models.CharField(blank=True, default="", max_length=40)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=["organization", "due_at", "-created_at", "-id"],
                        name="alert_by_due_at",
                    ),
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=["organization", "-created_at", "-id"],
                        name="alert_unresolved",
                    ),
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", False)),
                        fields=["organization", "-resolved_at", "-id"],
                        name="alert_resolved",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=("kind", "subject"),
                        name="alert_raised_once",
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
                        default=functools.partial(partway.lib.ids.new_id, *("cb",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "gateway_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="callbacks",
                        to="accounts.gatewayaccount",
                    ),
                ),
                ("event_id", models.CharField(max_length=200)),
                ("event_type", models.CharField(max_length=60)),
                ("checkout_ref", models.CharField(max_length=200)),
                ("payout_ref", models.CharField(blank=True, default="", max_length=200)),
                ("object_ref", models.CharField(blank=True, default="", max_length=200)),
                ("body", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("processed", "Processed"),
                            ("unmatched", "Unmatched"),
                            ("ignored", "Ignored"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("next_attempt_at", models.DateTimeField()),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                ("processed_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["next_attempt_at", "id"],
                        name="callback_pending",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway_account", "event_id"), name="callback_stored_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "processed", "unmatched", "ignored"])),
                        name="callback_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("po",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="accounts.organization",
                    ),
                ),
                (
                    "gateway_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="accounts.gatewayaccount",
                    ),
                ),
                ("gateway_ref", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "On its way"), ("paid", "Paid out"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("arrives_on", models.DateField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-arrives_on", "-id"], name="payout_newest")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway_account", "gateway_ref"), name="payout_once_per_gateway_ref"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "paid", "failed"])),
                        name="payout_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutItem",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("poi",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="billing.payout"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("gateway_ref", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payment", "Payment"),
                            ("refund", "Refund"),
                            ("dispute", "Dispute"),
                            ("fee", "Fee"),
                            ("other", "Other"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField()),
                ("net_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("checkout_ref", models.CharField(blank=True, default="", max_length=200)),
                ("source_ref", models.CharField(blank=True, default="", max_length=200)),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_items",
                        to="billing.payment",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_items",
                        to="billing.refund",
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_items",
                        to="billing.dispute",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("payout", "position"), name="payout_item_position_unique"
                    ),
                    models.UniqueConstraint(
                        fields=("payout", "gateway_ref"), name="payout_item_once_per_ref"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["payment", "refund", "dispute", "fee", "other"])),
                        name="payout_item_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("dispute__isnull", True), ("refund__isnull", True)),
                            models.Q(
                                ("dispute__isnull", True), ("kind", "refund"), ("payment__isnull", False)
                            ),
                            models.Q(
                                ("kind", "dispute"), ("payment__isnull", False), ("refund__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="payout_item_of_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("evt",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="accounts.organization",
                    ),
                ),
                ("type", models.CharField(max_length=60)),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.CharField(blank=True, max_length=40)),
                ("actor_label", models.CharField(max_length=160)),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="billing.customer",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="events",
                        to="billing.invoice",
                    ),
                ),
                (
                    "quote",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="events",
                        to="billing.quote",
                    ),
                ),
                (
                    "payment_request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="billing.paymentrequest",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="billing.payment",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="billing.payout",
                    ),
                ),
                ("data", models.JSONField(default=dict)),
                ("idempotency_key", models.CharField(max_length=40, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["invoice", "created_at", "id"], name="event_timeline"),
                    models.Index(fields=["quote", "created_at", "id"], name="event_quote_timeline"),
                    models.Index(fields=["organization", "-created_at", "-id"], name="event_newest"),
                    models.Index(fields=["organization", "type", "-created_at", "-id"], name="event_of_type"),
                    models.Index(
                        fields=["organization", "actor_kind", "actor_id", "-created_at", "-id"],
                        name="event_by_actor",
                    ),
                    models.Index(
                        condition=models.Q(("payout__isnull", False)),
                        fields=["payout"],
                        name="event_of_payout",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("idempotency_key__isnull", False)),
                        fields=("organization", "idempotency_key"),
                        name="event_once_per_idempotency_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GatewayCall",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("gwc",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gateway_calls",
                        to="billing.payment",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gateway_calls",
                        to="billing.refund",
                    ),
                ),
                (
                    "operation",
                    models.CharField(
                        choices=[
                            ("start", "Start a checkout"),
                            ("capture", "Capture"),
                            ("close", "Close"),
                            ("refund", "Refund"),
                        ],
                        max_length=12,
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField()),
                ("sealed_body", models.TextField(blank=True, default="")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("in_progress", "In progress"),
                            ("succeeded", "Succeeded"),
                            ("refused", "Refused"),
                            ("unknown", "Unknown"),
                        ],
                        default="in_progress",
                        max_length=12,
                    ),
                ),
                ("message", models.CharField(blank=True, default="", max_length=300)),
                ("started_at", models.DateTimeField()),
                ("repeated_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("refund__isnull", True)),
                        fields=("payment", "operation", "attempt"),
                        name="gateway_call_attempt_unique",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("refund__isnull", False)),
                        fields=("refund", "attempt"),
                        name="gateway_call_refund_attempt_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("operation", "refund"), ("refund__isnull", False)),
                            models.Q(
                                models.Q(("operation", "refund"), _negated=True), ("refund__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="gateway_call_of_refund",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ["in_progress", "succeeded", "refused", "unknown"])
                        ),
                        name="gateway_call_outcome_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("imp",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imports",
                        to="accounts.organization",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("customers", "Customers"),
                            ("invoices", "Open invoices"),
                            ("quotes", "Quotes"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("uploaded", "Columns to choose"),
                            ("checking", "Being checked"),
                            ("ready", "Ready to import"),
                            ("refused", "Refused"),
                            ("importing", "Being imported"),
                            ("done", "Imported"),
                            ("failed", "Failed"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                ("file_name", models.CharField(max_length=120)),
                ("content", models.BinaryField()),
                ("encoding", models.CharField(blank=True, default="", max_length=20)),
                ("columns", models.JSONField(default=dict)),
                ("decimal_mark", models.CharField(blank=True, default="", max_length=1)),
                ("date_format", models.CharField(blank=True, default="", max_length=12)),
                ("payment_method", models.CharField(blank=True, default="", max_length=40)),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.CharField(max_length=40)),
                ("actor_label", models.CharField(max_length=160)),
                ("row_count", models.PositiveIntegerField(default=0)),
                ("checked_count", models.PositiveIntegerField(default=0)),
                ("made_count", models.PositiveIntegerField(default=0)),
                ("present_count", models.PositiveIntegerField(default=0)),
                ("problem_count", models.PositiveIntegerField(default=0)),
                ("problems", models.JSONField(default=list)),
                ("differing", models.JSONField(default=list)),
                ("made", models.JSONField(default=list)),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="import_newest"),
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["next_attempt_at", "id"],
                        name="import_due",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["uploaded", "checking", "ready", "refused", "importing", "done", "failed"],
                            )
                        ),
                        name="import_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["customers", "invoices", "quotes"])),
                        name="import_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("next_attempt_at__isnull", False), ("status__in", ["checking", "importing"])
                            ),
                            models.Q(
                                models.Q(("status__in", ["checking", "importing"]), _negated=True),
                                ("next_attempt_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="import_due_while_it_runs",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("acc",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger_accounts",
                        to="accounts.organization",
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("code", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "key"), name="ledger_account_key_unique"),
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="ledger_account_code_unique"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Closing",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("cls",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closings",
                        to="accounts.organization",
                    ),
                ),
                ("through", models.DateField()),
                ("is_reopening", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, default="", max_length=300)),
                ("included", models.JSONField(default=list)),
                ("time_zone", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "created_at", "id"], name="closing_by_time")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_reopening", False), ("reason", "")),
                            models.Q(("is_reopening", True), models.Q(("reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="reopening_has_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("mail",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="accounts.organization",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="billing.event",
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting to be sent"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("dropped", "Not sent: out of date"),
                            ("bounced", "Bounced"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("to", models.JSONField(default=list)),
                ("cc", models.JSONField(blank=True, default=list)),
                ("bcc", models.JSONField(blank=True, default=list)),
                ("reply_to", models.EmailField(blank=True, max_length=254)),
                ("data", models.JSONField(default=dict)),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="billing.invoice",
                    ),
                ),
                (
                    "quote",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="billing.quote",
                    ),
                ),
                (
                    "payment_request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="billing.paymentrequest",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="billing.payment",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("next_attempt_at", models.DateTimeField()),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="mail_newest"),
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["next_attempt_at", "id"],
                        name="mail_to_send",
                    ),
                    models.Index(
                        condition=models.Q(("status", "failed")), fields=["status"], name="mail_failed"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["queued", "sent", "failed", "dropped", "bounced"])
                        ),
                        name="mail_status_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MailAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "mail",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="billing.mail",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("attempted_at", models.DateTimeField()),
                ("error_code", models.CharField(blank=True, default="", max_length=40)),
                ("error_params", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("mail", "number"), name="mail_attempt_number_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("we",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_endpoints",
                        to="accounts.organization",
                    ),
                ),
                ("url", models.CharField(max_length=500)),
                ("description", models.CharField(blank=True, max_length=120)),
                ("event_types", models.JSONField(default=list)),
                (
                    "status",
                    models.CharField(
                        choices=[("enabled", "Enabled"), ("disabled", "Disabled")],
                        default="enabled",
                        max_length=8,
                    ),
                ),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("by_member", "By a member or a program"),
                            ("failing", "It failed for days"),
                            ("gone", "It answered that it is gone"),
                        ],
                        max_length=10,
                    ),
                ),
                ("sealed_secrets", models.TextField()),
                ("failing_since", models.DateTimeField(null=True)),
                ("silence_count", models.PositiveSmallIntegerField(default=0)),
                ("paused_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_reason", ""), ("status", "enabled")),
                            models.Q(
                                ("status", "disabled"),
                                ("disabled_reason__in", ["by_member", "failing", "gone"]),
                            ),
                            _connector="OR",
                        ),
                        name="webhook_endpoint_disabled_for_a_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=functools.partial(partway.lib.ids.new_id, *("msg",)),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_deliveries",
                        to="accounts.organization",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="billing.webhookendpoint",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_deliveries",
                        to="billing.event",
                    ),
                ),
                ("event_type", models.CharField(max_length=60)),
                ("object_id", models.CharField(max_length=40)),
                ("payload", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Waiting"), ("delivered", "Delivered"), ("failed", "Failed")],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("next_attempt_at", models.DateTimeField()),
                ("attempt_count", models.PositiveIntegerField(default=0)),
                ("earlier_attempts", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["endpoint", "next_attempt_at"],
                        name="webhook_delivery_due",
                    ),
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["endpoint", "object_id", "id"],
                        name="webhook_delivery_order",
                    ),
                    models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_delivery_newest"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)),
                        fields=["ended_at"],
                        name="webhook_delivery_ended",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "endpoint"), name="webhook_delivery_once_per_endpoint"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("status", "pending")),
                            models.Q(("ended_at__isnull", False), ("status__in", ("delivered", "failed"))),
                            _connector="OR",
                        ),
                        name="webhook_delivery_ended_with_its_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="billing.webhookdelivery",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("attempted_at", models.DateTimeField()),
                ("duration_ms", models.PositiveIntegerField()),
                ("url", models.CharField(max_length=500)),
                ("request_headers", models.JSONField(default=dict)),
                ("response_status", models.PositiveSmallIntegerField(null=True)),
                ("response_body", models.TextField(blank=True)),
                ("error_code", models.CharField(blank=True, max_length=40)),
                ("error_message", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("delivery", "number"), name="webhook_attempt_number_unique"
                    )
                ],
            },
        ),
        partway.billing.models.due_notifications.CreateDueNotifications(),
    ]
