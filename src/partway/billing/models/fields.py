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

__all__ = ["ExactDecimalField", "MoneyOf", "OrganizationQuerySet", "SealedValues", "id_field"]

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


class OrganizationQuerySet(models.QuerySet[M]):
    """Rows of one organization: the only way a door may look anything up (DESIGN D5)."""

    def for_organization(self, organization: Organization) -> Self:
        """Only this organization's rows."""
        return self.filter(organization=organization)

    def update(self, **columns: Any) -> int:
        """Updates the rows, with the sort keys and search keys of the texts that are written."""
        return super().update(**columns, **computed_columns(self.model, columns))

    update.alters_data = True  # type: ignore[attr-defined]  # a template must not call it
