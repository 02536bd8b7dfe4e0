"""Invoices and their lines."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _

from .documents import Document, DocumentQuerySet, Line, adds_up, not_negative
from .external_fields import external_reference_unique
from .fields import MoneyOf, id_field
from .parties import parties_when
from .quotes import Quote
from .search_index import SearchIndex
from .text_keys import has_sort_key

_FIGURES = ("total_minor", "amount_paid_minor", "adjusted_minor", "customer")

# What is due, in minor units, for queries; `Invoice.amount_due_minor` is the same of one row.
AMOUNT_DUE_MINOR = F("total_minor") - F("amount_paid_minor") - F("adjusted_minor")


class InvoiceStatus(models.TextChoices):
    """The stored states of an invoice; overdue and partially paid are derived."""

    DRAFT = "draft", _("Draft")
    SENT = "sent", _("Sent")
    PAID = "paid", _("Paid")
    VOID = "void", _("Void")
    WRITTEN_OFF = "written_off", _("Written off")


class InvoiceQuerySet(DocumentQuerySet["Invoice"]):
    """The vocabulary for invoices."""

    def due(self) -> InvoiceQuerySet:
        """Sent and not yet paid in full."""
        return self.filter(status=InvoiceStatus.SENT)

    def overdue(self, today: date) -> InvoiceQuerySet:
        """Due, with `today` past the due date."""
        return self.due().filter(due_on__lt=today)

    def of_quote(self, quote: Quote | str) -> InvoiceQuerySet:
        """The invoice that counts for this quote, if any: a void one leaves the quote to be invoiced again."""
        return self.filter(quote=quote).exclude(status=InvoiceStatus.VOID)

    def partially_paid(self) -> InvoiceQuerySet:
        """Due, with a part of it paid."""
        return self.due().filter(amount_paid_minor__gt=0)


class Invoice(Document):
    """A document of debt, with its lines, amounts and state."""

    kind: ClassVar[Literal["invoice"]] = "invoice"

    id = id_field("inv")
    status = models.CharField(max_length=12, choices=InvoiceStatus.choices, default=InvoiceStatus.DRAFT)
    # The quote it was made from, whose deposit it takes over when it is sent (DESIGN D2).
    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, null=True, related_name="invoices")
    # Of a draft with `due_days`, the day if it were sent on the day of its last edit.
    due_on = models.DateField()
    # The terms of a draft in days after sending; None when it names a day. Once it is sent, only the day counts.
    due_days = models.PositiveSmallIntegerField(null=True)
    amount_paid_minor = models.BigIntegerField(default=0)
    # The sum of its adjustments, so that the database itself keeps it and the payments within the total (M2).
    adjusted_minor = models.BigIntegerField(default=0)
    paid_at = models.DateTimeField(null=True)
    # What is due to come in, kept by the database: nothing of a draft, a void or a written-off invoice.
    receivable_minor = models.GeneratedField(
        expression=Case(When(status="sent", then=AMOUNT_DUE_MINOR), default=0),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    amount_paid = MoneyOf("amount_paid_minor")
    adjusted = MoneyOf("adjusted_minor")
    amount_due = MoneyOf("amount_due_minor")
    amount_payable = MoneyOf("amount_due_minor")  # the most that Pay Now charges

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "number"], name="invoice_number_unique"),
            external_reference_unique("invoice"),
            models.CheckConstraint(condition=Q(status__in=InvoiceStatus.values), name="invoice_status_known"),
            models.CheckConstraint(
                condition=Q(
                    amount_paid_minor__gte=0,
                    adjusted_minor__gte=0,
                    amount_paid_minor__lte=F("total_minor") - F("adjusted_minor"),
                ),
                name="invoice_amount_due_not_negative",
            ),
            adds_up("invoice"),
            has_sort_key("invoice", "number", "number_key"),
            parties_when("invoice", issued=Q(sent_at__isnull=False)),
            models.UniqueConstraint(
                fields=["quote"], condition=~Q(status="void"), name="invoice_of_quote_unique"
            ),
            models.CheckConstraint(
                condition=Q(due_days__isnull=True) | Q(sent_at__isnull=True), name="invoice_due_days_of_draft"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number__isnull=True)
                | Q(status="void")
                | (~Q(status__in=["draft", "void"]) & Q(number__isnull=False)),
                name="invoice_numbered_when_sent",
            ),
        ]
        # Each order of the list has an index, of all invoices or of those of one status: pages merge the statuses.
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="invoice_newest"),
            models.Index(fields=["organization", "status", "-created_at", "-id"], name="invoice_by_status"),
            models.Index(fields=["customer", "-created_at", "-id"], name="invoice_by_customer"),
            models.Index(fields=["organization", "due_on", "id"], name="invoice_by_due_on"),
            models.Index(fields=["organization", "sent_at", "id"], name="invoice_by_sent_at"),
            models.Index(fields=["organization", "number_key", "id"], name="invoice_by_number"),
            models.Index(fields=["organization", "status", "due_on", "id"], name="invoice_of_status_due_on"),
            models.Index(
                fields=["organization", "status", "number_key", "id"], name="invoice_of_status_number"
            ),
            models.Index(
                fields=["organization", "status", "customer_key", "-id"], name="invoice_of_status_customer"
            ),
            models.Index(
                fields=["organization", "status", "currency", "receivable_minor", "id"],
                name="invoice_of_status_receivable",
            ),
            models.Index(
                fields=["organization", "status", "currency", "total_minor", "id"],
                name="invoice_of_status_total",
            ),
            # The few of which a part is paid, with what the list adds up.
            models.Index(
                fields=["organization", "status", "-created_at", "-id", "currency", *_FIGURES],
                condition=Q(status="sent", amount_paid_minor__gt=0),
                name="invoice_partially_paid",
            ),
            models.Index(fields=["issued_to"], condition=Q(issued_to__isnull=False), name="invoice_by_party"),
            SearchIndex(name="invoice_search"),
            # All that a list filters by and adds up, so that it reads this instead of the table.
            models.Index(
                fields=["organization", "status", "due_on", "sent_at", "currency", *_FIGURES],
                name="invoice_figures",
            ),
        ]

    @property
    def amount_due_minor(self) -> int:
        """The total less the amount paid and what was settled without a payment, in minor units."""
        return self.total_minor - self.amount_paid_minor - self.adjusted_minor

    @property
    def payment_status(self) -> str:
        """Derived: unpaid, partially_paid or paid."""
        if self.amount_due_minor == 0:
            return "paid"
        return "partially_paid" if self.amount_paid_minor else "unpaid"

    def is_overdue(self, today: date) -> bool:
        """Whether `today` (where the organization is) is past the due date of an unpaid invoice."""
        return self.status == InvoiceStatus.SENT and self.due_on < today


class InvoiceLine(Line):
    """One line of an invoice."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")

    class Meta(Line.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position_unique"),
            not_negative("invoice"),
        ]
