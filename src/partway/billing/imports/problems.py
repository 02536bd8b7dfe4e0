"""The problems of rows of a file, as they are stored with the import and read back for the sentences of pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from partway.lib.money import Money

from ..errors import FieldError

MAX_STORED = 200  # further ones are only counted
_MAX_VALUE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong cell: the number of its row, its column and value as in the file, and why the field refuses it.

    column: empty where the row as a whole is wrong, or no column has the field.
    """

    row: int
    field: str
    column: str
    value: str
    error: FieldError

    def stored(self) -> dict[str, Any]:
        """Returns the problem as JSON."""
        return {
            "row": self.row,
            "field": self.field,
            "column": self.column[:_MAX_VALUE_LENGTH],
            "value": self.value[:_MAX_VALUE_LENGTH],
            "code": self.error.code,
            "params": {name: _stored(value) for name, value in self.error.params.items()},
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Problem:
        """Returns the problem that `stored` returned."""
        params = {name: _read(value) for name, value in stored["params"].items()}
        error = FieldError(stored["code"], params)
        return cls(stored["row"], stored["field"], stored["column"], stored["value"], error)


def _stored(value: Any) -> Any:
    match value:
        case Money():
            return {"amount": value.amount_minor, "currency": value.currency}
        case date():
            return {"day": value.isoformat()}
        case str() | int():
            return value
    return str(value)


def _read(value: Any) -> Any:
    match value:
        case {"amount": amount, "currency": currency}:
            return Money(amount, currency)
        case {"day": day}:
            return date.fromisoformat(day)
    return value
