"""What invoices and quotes have in common: lines with tax and discount that add up to a total."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from partway.accounts.models import Organization
from partway.lib.money import Money

from .customers import Customer
from .fields import ExactDecimalField, id_field


class DiscountKind(models.TextChoices):
    """How a discount is given."""

    NONE = "", "No discount"
    PERCENT = "percent", "Percent"
    AMOUNT = "amount", "Amount"


def adds_up(noun: str) -> models.CheckConstraint:
    """Total = subtotal − discount + tax, held by the database."""
    total = F("subtotal_minor") - F("discount_minor") + F("tax_minor")
    return models.CheckConstraint(condition=Q(total_minor=total), name=f"{noun}_total_adds_up")


def not_negative(noun: str) -> models.CheckConstraint:
    """No line takes anything away; that is what a discount is for."""
    return models.CheckConstraint(
        condition=Q(quantity__gt=0, unit_amount_minor__gte=0, tax_percent__gte=0, amount_minor__gte=0),
        name=f"{noun}_line_not_negative",
    )


class Document(models.Model):
    """The figures are stored beside the lines and recomputed by `verify` (DESIGN M6)."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="%(class)ss")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="%(class)ss")
    number = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - two drafts may both lack one
    currency = models.CharField(max_length=3)
    notes = models.TextField(max_length=2000, blank=True)
    discount_kind = models.CharField(max_length=8, choices=DiscountKind.choices, blank=True, default="")
    discount_percent = ExactDecimalField(default=0)
    discount_amount_minor = models.BigIntegerField(default=0)
    subtotal_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def total(self) -> Money:
        """Sum of the lines after discount, with tax."""
        return Money(self.total_minor, self.currency)


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
