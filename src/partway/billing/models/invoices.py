"""Documents of debt and their lines."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length

from partway.accounts.models import Organization
from partway.lib.money import Money

from .customers import Customer
from .fields import ExactDecimalField, OwnedQuerySet, id_field

_FIGURES = ("total_minor", "amount_paid_minor", "customer", "number")


class InvoiceStatus(models.TextChoices):
    """The stored states of an invoice; overdue and partially paid are derived."""

    DRAFT = "draft", "Draft"
    SENT = "sent", "Sent"
    PAID = "paid", "Paid"
    VOID = "void", "Void"
    WRITTEN_OFF = "written_off", "Written off"


class DiscountKind(models.TextChoices):
    """How a discount is given."""

    NONE = "", "No discount"
    PERCENT = "percent", "Percent"
    AMOUNT = "amount", "Amount"


class Invoices(OwnedQuerySet["Invoice"]):
    """The vocabulary for invoices."""

    def locked(self, pk: str) -> Invoice:
        """The invoice, held until the transaction ends: who decides about its money holds this lock (DESIGN R3).

        On SQLite the whole transaction holds the one write lock instead (transaction_mode IMMEDIATE).
        """
        # Two statements: one that had to wait for the lock sees rows beside the locked one as they were before
        # it waited, and the organization may have switched payments off meanwhile.
        list(self.filter(pk=pk).select_for_update(no_key=True).values_list("pk"))
        return self.select_related("organization", "customer").get(pk=pk)

    def due(self) -> Invoices:
        """Sent, and not yet paid in full."""
        return self.filter(status=InvoiceStatus.SENT)

    def overdue(self, today: date) -> Invoices:
        """Due, and `today` is past the due date."""
        return self.due().filter(due_on__lt=today)

    def partially_paid(self) -> Invoices:
        """Due, and something was paid already."""
        return self.due().filter(amount_paid_minor__gt=0)


class Invoice(models.Model):
    """What a customer owes. Totals are stored beside their lines and recomputed by `verify` (DESIGN M6)."""

    id = id_field("inv")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invoices")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    status = models.CharField(max_length=12, choices=InvoiceStatus.choices, default=InvoiceStatus.DRAFT)
    number = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - two drafts may both lack one
    currency = models.CharField(max_length=3)
    due_on = models.DateField()
    notes = models.TextField(max_length=2000, blank=True)
    discount_kind = models.CharField(max_length=8, choices=DiscountKind.choices, blank=True, default="")
    discount_percent = ExactDecimalField(default=0)
    discount_amount_minor = models.BigIntegerField(default=0)
    subtotal_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    amount_paid_minor = models.BigIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    objects = Invoices.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "number"], name="invoice_number_unique"),
            models.CheckConstraint(condition=Q(status__in=InvoiceStatus.values), name="invoice_status_known"),
            models.CheckConstraint(
                condition=Q(amount_paid_minor__gte=0, amount_paid_minor__lte=F("total_minor")),
                name="invoice_amount_due_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") - F("discount_minor") + F("tax_minor")),
                name="invoice_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number__isnull=True)
                | Q(status="void")
                | (~Q(status__in=["draft", "void"]) & Q(number__isnull=False)),
                name="invoice_numbered_when_sent",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="invoice_newest"),
            models.Index(fields=["organization", "status", "-created_at", "-id"], name="invoice_by_status"),
            models.Index(fields=["customer", "-created_at"], name="invoice_by_customer"),
            models.Index(fields=["organization", "due_on", "id"], name="invoice_by_due_on"),
            # A longer number is a later one, so that INV-10000 follows INV-9999.
            models.Index(F("organization"), Length("number"), F("number"), F("id"), name="invoice_by_number"),
            # All that a list filters by and adds up, so that it reads this instead of the table.
            models.Index(
                fields=["organization", "currency", "status", "due_on", "sent_at", *_FIGURES],
                name="invoice_figures",
            ),
        ]

    def __str__(self) -> str:
        return self.number or "Draft"

    @property
    def amount_due_minor(self) -> int:
        """What still must be paid, in minor units."""
        return self.total_minor - self.amount_paid_minor

    @property
    def total(self) -> Money:
        """Sum of the lines after discount, with tax."""
        return Money(self.total_minor, self.currency)

    @property
    def amount_paid(self) -> Money:
        """What has been paid, net of refunds."""
        return Money(self.amount_paid_minor, self.currency)

    @property
    def amount_due(self) -> Money:
        """What still must be paid."""
        return Money(self.amount_due_minor, self.currency)

    @property
    def payment_status(self) -> str:
        """Derived: unpaid, partially_paid or paid."""
        if self.amount_paid_minor == 0 and self.total_minor > 0:
            return "unpaid"
        return "paid" if self.amount_due_minor == 0 else "partially_paid"

    def is_overdue(self, today: date) -> bool:
        """Whether `today` (where the organization is) is past the due date of an unpaid invoice."""
        return self.status == InvoiceStatus.SENT and self.due_on < today


class InvoiceLine(models.Model):
    """One line: quantity times unit amount, tax on top."""

    id = id_field("lin")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=300)
    quantity = ExactDecimalField()
    unit_amount_minor = models.BigIntegerField()
    tax_percent = ExactDecimalField(default=0)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position_unique"),
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0, unit_amount_minor__gte=0, tax_percent__gte=0, amount_minor__gte=0
                ),
                name="invoice_line_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.description
