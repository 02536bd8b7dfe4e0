"""The columns and properties that invoices and quotes share: lines with tax and discount that add up to a total."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization
from partway.lib.natural_sort import UNNUMBERED, key_range

from .customers import Customer
from .fields import ExactDecimalField, MoneyOf, id_field
from .parties import IssuedModel


class DiscountKind(models.TextChoices):
    """How a discount is given."""

    NONE = "", "No discount"
    PERCENT = "percent", _("Percent")
    AMOUNT = "amount", _("Amount")


def adds_up(noun: str) -> models.CheckConstraint:
    """Holds total = subtotal − discount + tax in the database."""
    total = F("subtotal_minor") - F("discount_minor") + F("tax_minor")
    return models.CheckConstraint(condition=Q(total_minor=total), name=f"{noun}_total_adds_up")


def not_negative(noun: str) -> models.CheckConstraint:
    """Holds every figure of a line at zero or above; a discount is the only way to take something off."""
    return models.CheckConstraint(
        condition=Q(quantity__gt=0, unit_amount_minor__gte=0, tax_percent__gte=0, amount_minor__gte=0),
        name=f"{noun}_line_not_negative",
    )


def has_number_key(noun: str) -> models.CheckConstraint:
    """Holds that a document has the key of its number, or the key that sorts last, from the same moment on."""
    return models.CheckConstraint(
        condition=Q(number__isnull=True, number_key=UNNUMBERED)
        | (Q(number__isnull=False) & ~Q(number_key=UNNUMBERED)),
        name=f"{noun}_number_has_key",
    )


def has_number(number: str) -> Q:
    """Selects the document of this number in any case and with any leading zeros: RE-7 is RE-0007."""
    first, beyond = key_range(number)
    return Q(number_key__gte=first, number_key__lt=beyond)


class Document(IssuedModel):
    """An invoice or a quote; its figures are stored beside the lines, and `verify` recomputes them (DESIGN M6).

    Whatever a customer can pay (Invoice, Quote, PaymentRequest) has `kind`, `document`, `payment_request`,
    `amount_payable` and `currency`, so that the payment code asks for no type.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="%(class)ss")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="%(class)ss")
    number = models.CharField(max_length=40, null=True, blank=True)
    number_key = models.BinaryField(default=UNNUMBERED)  # lists sort by it, see lib.natural_sort
    currency = models.CharField(max_length=3)
    notes = models.TextField(max_length=2000, blank=True)
    discount_kind = models.CharField(max_length=8, choices=DiscountKind.choices, blank=True, default="")
    discount_percent = ExactDecimalField(default=0)
    discount_amount_minor = models.BigIntegerField(default=0)
    subtotal_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    total = MoneyOf("total_minor")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    kind: ClassVar[str]  # invoice or quote: the noun of its links, pages and columns
    payment_request: ClassVar[None] = None  # paid as a whole; a PaymentRequest returns itself here

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number or "Draft"

    @property
    def document(self) -> Self:
        """The document that a payment of this belongs to, as for a PaymentRequest."""
        return self


class Line(models.Model):
    """One line: quantity times unit amount, tax on top."""

    id = id_field("lin")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=300)
    quantity = ExactDecimalField()
    unit_amount_minor = models.BigIntegerField()
    tax_percent = ExactDecimalField(default=0)
    amount_minor = models.BigIntegerField()

    class Meta:
        abstract = True
        ordering: ClassVar = ["position"]
