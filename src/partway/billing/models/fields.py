"""Columns that our tables share: prefixed ids, exact four-place decimals, and amounts read as Money."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Never, Self, TypeVar

from django.db import models

from partway.accounts.fields import ExactDecimalField, SealedValues
from partway.accounts.models import Organization
from partway.lib.ids import new_id
from partway.lib.money import Money

from .text_keys import computed_columns

__all__ = [
    "ExactDecimalField",
    "FeeColumns",
    "MoneyOf",
    "OrganizationQuerySet",
    "SealedValues",
    "fee_when",
    "id_field",
]

M = TypeVar("M", bound=models.Model)


def id_field(prefix: str) -> Any:
    """A primary key that is also the public id, as `inv_01k3…`."""
    return models.CharField(primary_key=True, max_length=40, default=partial(new_id, prefix), editable=False)


@dataclass(frozen=True, slots=True)
class MoneyOf:
    """Reads a column of minor units and the row's `currency` as Money: `total = MoneyOf("total_minor")`."""

    column: str

    def __get__(self, row: Any, owner: object = None) -> Money:
        return Money(getattr(row, self.column), row.currency)

    # Without this, an assignment would shadow the column in memory and never reach the database.
    def __set__(self, row: object, value: Never) -> None:
        raise AttributeError(f"set {self.column}, of which this is a view")


class FeeColumns(models.Model):
    """The gateway's fee for a row: in the currency that it settles in, which need not be the row's own.

    Negative where it gave something back; null until it has said it, and where no gateway was involved.
    """

    fee_minor = models.BigIntegerField(null=True)
    fee_currency = models.CharField(max_length=3, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def fee(self) -> Money | None:
        """The gateway's fee; None while it has not said it."""
        return None if self.fee_minor is None else Money(self.fee_minor, self.fee_currency)


def fee_when(name: str, through_gateway: models.Q) -> models.CheckConstraint:
    """Returns the constraint that a fee has a currency, and that only rows of a gateway have one."""
    none = models.Q(fee_minor__isnull=True, fee_currency="")
    some = models.Q(fee_minor__isnull=False) & ~models.Q(fee_currency="") & through_gateway
    return models.CheckConstraint(condition=none | some, name=name)


class OrganizationQuerySet(models.QuerySet[M]):
    """Rows of one organization: the only way a door may look anything up (DESIGN D5)."""

    def for_organization(self, organization: Organization) -> Self:
        """Only this organization's rows."""
        return self.filter(organization=organization)

    def update(self, **columns: Any) -> int:
        """Updates the rows, with the sort keys and search keys of the texts that are written."""
        return super().update(**columns, **computed_columns(self.model, columns))

    update.alters_data = True  # type: ignore[attr-defined]  # a template must not call it
