"""Writes many rows at once, past models and their SQL: COPY on PostgreSQL, one prepared statement on SQLite.

A row is a dictionary of every column of its table, in the table's order. `bulk_create` needs more than twice the
time for it, most of it spent on making instances and taking them apart again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Model

from partway.billing.models.fields import ExactDecimalField
from partway.lib.ids import new_id

Row = dict[str, Any]

# How a value becomes what a driver takes; everything else is text, a whole number, a truth value or nothing. Many rows
# in a row share their time.
_ADAPTERS: dict[type[models.Field[Any, Any]], Callable[[Any], Any]] = {
    models.DateTimeField: lru_cache(maxsize=1024)(connection.ops.adapt_datetimefield_value),
    models.DateField: connection.ops.adapt_datefield_value,
    models.JSONField: json.dumps,
    ExactDecimalField: ExactDecimalField().get_prep_value,
}


class BulkTable:
    """Rows of one model that wait to be written."""

    def __init__(self, model: type[Model], prefix: str) -> None:
        fields = model._meta.concrete_fields
        self.name = model._meta.db_table
        self.columns = [field.attname for field in fields]
        self._prefix = prefix
        self._blank: Row = {field.attname: _blank(field) for field in fields}
        self._ready = [
            (field.attname, _ADAPTERS[type(field)]) for field in fields if type(field) in _ADAPTERS
        ]
        self._waiting: list[Row] = []

    def add(self, **columns: Any) -> Row:
        """A row to be written, which may be changed until then; a column that does not exist is an error."""
        row = {**self._blank, "id": new_id(self._prefix), **columns}
        if len(row) != len(self.columns):
            raise ValueError(f"{self.name} has no {set(row) - set(self.columns)}")
        self._waiting.append(row)
        return row

    def drain(self) -> Iterator[list[Any]]:
        """What waits, as values in the order of the columns; nothing waits afterwards."""
        rows, self._waiting = self._waiting, []
        for row in rows:
            for column, adapt in self._ready:
                if row[column] is not None:
                    row[column] = adapt(row[column])
            yield list(row.values())


def _blank(field: models.Field[Any, Any]) -> Any:
    """What a column holds when nobody says anything."""
    if field.primary_key:
        return None
    return field.get_default() if field.has_default() or not field.null else None


@transaction.atomic
def write(tables: list[BulkTable]) -> None:
    """Write all that waits, table after table in this order."""
    insert = _copy if connection.vendor == "postgresql" else _execute
    for table in tables:
        insert(table)


def _copy(table: BulkTable) -> None:
    columns = ", ".join(connection.ops.quote_name(column) for column in table.columns)
    statement = f"COPY {connection.ops.quote_name(table.name)} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for values in table.drain():
            copy.write_row(values)


def _execute(table: BulkTable) -> None:
    columns = ", ".join(connection.ops.quote_name(column) for column in table.columns)
    places = ", ".join(["%s"] * len(table.columns))
    statement = f"INSERT INTO {connection.ops.quote_name(table.name)} ({columns}) VALUES ({places})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(table.drain()))
