"""Writes many rows at once without model instances: COPY on PostgreSQL, one prepared statement on SQLite.

A row is a dictionary of every column of its table, in the table's order. `bulk_create` needs more than twice the
time, most of it for creating the instances.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Model

from partway.billing.models.fields import ExactDecimalField
from partway.billing.models.text_keys import text_keys
from partway.lib.ids import new_id

Row = dict[str, Any]

# Conversions to what the database drivers take; all other values are text, integers, booleans or None. Consecutive
# rows often share their time, so conversions of times are cached.
_ADAPTERS: dict[type[models.Field[Any, Any]], Callable[[Any], Any]] = {
    models.DateTimeField: lru_cache(maxsize=1024)(connection.ops.adapt_datetimefield_value),
    models.DateField: connection.ops.adapt_datefield_value,
    models.JSONField: json.dumps,
    ExactDecimalField: ExactDecimalField().get_prep_value,
}


class BulkTable:
    """The waiting rows of one model."""

    def __init__(self, model: type[Model], prefix: str) -> None:
        fields = [field for field in model._meta.concrete_fields if not field.generated]
        self.name = model._meta.db_table
        self.columns = [field.attname for field in fields]
        self._prefix = prefix
        self._blank: Row = {field.attname: _blank(field) for field in fields}
        self._adapters = [
            (field.attname, _ADAPTERS[type(field)]) for field in fields if type(field) in _ADAPTERS
        ]
        self._text_keys = text_keys(model)
        self._rows: list[Row] = []

    def add(self, **columns: Any) -> Row:
        """Adds a row, which may be changed until it is written; raises ValueError for an unknown column."""
        row = {**self._blank, "id": new_id(self._prefix), **columns}
        if len(row) != len(self.columns):
            raise ValueError(f"{self.name} has no {set(row) - set(self.columns)}")
        self._rows.append(row)
        return row

    def drain(self) -> Iterator[list[Any]]:
        """Removes the waiting rows and yields their values in the order of the columns."""
        rows, self._rows = self._rows, []
        for row in rows:
            for key in self._text_keys:
                row[key.attname] = key.compute(row)
            for column, adapt in self._adapters:
                if row[column] is not None:
                    row[column] = adapt(row[column])
            yield list(row.values())


def _blank(field: models.Field[Any, Any]) -> Any:
    if field.primary_key:
        return None
    return field.get_default() if field.has_default() or not field.null else None


@transaction.atomic
def write(tables: list[BulkTable]) -> None:
    """Writes the waiting rows of all tables, in the order of `tables`."""
    with connection.cursor() as cursor:
        for table in tables:
            name = connection.ops.quote_name(table.name)
            columns = ", ".join(connection.ops.quote_name(column) for column in table.columns)
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
                    for values in table.drain():
                        copy.write_row(values)
            else:
                placeholders = ", ".join(["%s"] * len(table.columns))
                statement = f"INSERT INTO {name} ({columns}) VALUES ({placeholders})"  # noqa: S608
                cursor.executemany(statement, list(table.drain()))
