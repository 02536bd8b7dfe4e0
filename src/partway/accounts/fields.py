"""A model field for exact decimals, which organizations and billing share."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

_PLACES = 4

if TYPE_CHECKING:
    _DecimalAsInteger = models.BigIntegerField[Decimal | int, Decimal]
else:
    _DecimalAsInteger = models.BigIntegerField


class ExactDecimalField(_DecimalAsInteger):
    """A decimal of at most four places, stored as ten-thousandths: on SQLite a DecimalField is a float."""

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        """Converts ten-thousandths from the database to a Decimal."""
        return None if value is None else Decimal(value).scaleb(-_PLACES).normalize() + 0

    def to_python(self, value: Any) -> Decimal | None:
        """Converts anything that Decimal accepts."""
        return None if value is None else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        """Converts a Decimal to ten-thousandths; raises ValueError for a fifth place instead of rounding."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(_PLACES)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {_PLACES} decimal places")
        return int(scaled)
