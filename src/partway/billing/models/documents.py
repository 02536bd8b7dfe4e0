"""The columns and properties that invoices and quotes share: lines with tax and discount that add up to a total."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization
from partway.accounts.prepared import Prepared

from ..errors import Conflict
from .customers import Customer
from .external_fields import ExternalFieldsModel
from .fields import ExactDecimalField, MoneyOf, OrganizationQuerySet, id_field
from .parties import IssuedModel
from .text_keys import SearchKeyField, SortKeyField, TextKeyModel

D = TypeVar("D", bound="Document")


class DiscountKind(models.TextChoices):
    """How a discount is given."""

    NONE = "", _("No discount")
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


@cache
def _at_once(model: type[Any]) -> Prepared[Any]:
    """Locks a document and reads it with the joined rows, where no other transaction holds the lock."""
    return Prepared(
        lambda pk: (
            model.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("organization", "customer")
            .filter(pk=pk)
        )
    )


class DocumentQuerySet(OrganizationQuerySet[D]):
    """The vocabulary that invoices and quotes share."""

    def locked(self, pk: str) -> D:
        """Returns the document with its row locked until the transaction ends; decisions about money need it (R3).

        Raises Conflict when it was a draft that another member has deleted since it was read.
        On SQLite the whole transaction holds the one write lock instead (transaction_mode IMMEDIATE).
        """
        found: D | None = _at_once(self.model).first(pk)
        if found is None:
            # Locked by another act, or gone. Two statements: one that waited for the lock reads the joined rows as they
            # were before the wait, and the organization may have switched payments off meanwhile.
            list(self.filter(pk=pk).select_for_update(no_key=True).values_list("pk"))
            found = self.select_related("organization", "customer").filter(pk=pk).first()
        if found is None:
            raise Conflict(reason="draft_deleted")
        return found


class Document(IssuedModel, ExternalFieldsModel, TextKeyModel):
    """An invoice or a quote; its figures are stored beside the lines, and `verify` recomputes them (DESIGN M6).

    Whatever a customer can pay (Invoice, Quote, PaymentRequest) has `kind`, `document`, `payment_request`,
    `amount_payable` and `currency`, so that the payment code asks for no type.
    """

    # Without an index of its own: those of the lists begin with it.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="%(class)ss", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="%(class)ss")
    # The sort key of the customer, by which lists are sorted: a page of one is read from an index of this table alone.
    customer_key = models.BinaryField()
    number = models.CharField(max_length=40, null=True, blank=True)
    number_key = SortKeyField("number")
    search_key = SearchKeyField("number")
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

    # The customer as they are now, and as the document shows them (DESIGN D9).
    searched_through: ClassVar = ("customer", "issued_to")
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
