"""Columns that our tables share: prefixed ids and exact four-place decimals."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models

from partway.accounts.models import Organization
from partway.lib.ids import new_id

_PLACES = 4

M = TypeVar("M", bound=models.Model)


def id_field(prefix: str) -> Any:
    """A primary key that is also the public id, as `inv_01k3…`."""
    return models.CharField(primary_key=True, max_length=40, default=partial(new_id, prefix), editable=False)


class OwnedQuerySet(models.QuerySet[M]):
    """Rows of one organization: the only way a door may look anything up (DESIGN D5)."""

    def of(self, organization: Organization) -> OwnedQuerySet[M]:
        """Only this organization's rows."""
        return self.filter(organization=organization)


if TYPE_CHECKING:
    _DecimalAsInteger = models.BigIntegerField[Decimal | int, Decimal]
else:
    _DecimalAsInteger = models.BigIntegerField


class ExactDecimalField(_DecimalAsInteger):
    """A decimal of at most four places, kept as ten-thousandths: on SQLite a DecimalField is a float."""

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        """Ten-thousandths from the database to a Decimal."""
        return None if value is None else Decimal(value).scaleb(-_PLACES).normalize() + 0

    def to_python(self, value: Any) -> Decimal | None:
        """Anything decimal-like to a Decimal."""
        return None if value is None else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        """A Decimal to ten-thousandths; refuses a fifth place instead of rounding it away."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(_PLACES)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {_PLACES} decimal places")
        return int(scaled)
