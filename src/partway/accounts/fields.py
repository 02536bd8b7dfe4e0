"""Columns that organizations and billing share: exact decimals, and values that are stored sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from partway.lib.sealing import seal, unseal

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


@dataclass(frozen=True, slots=True)
class SealedValues:
    """Reads and writes a text column that holds values sealed; an empty one reads as {}.

    Reading raises Unsealable when no secret key of the installation fits.
    """

    column: str

    def __get__(self, row: Any, owner: object = None) -> dict[str, str]:
        sealed: str = getattr(row, self.column)
        return unseal(sealed, settings.PARTWAY_SECRET_KEYS) if sealed else {}

    def __set__(self, row: Any, values: Mapping[str, str]) -> None:
        setattr(row, self.column, seal(values, settings.PARTWAY_SECRET_KEYS))
