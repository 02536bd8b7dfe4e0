"""Statements that are compiled once: Django writes the same SQL anew for each query, which costs more than running it.

    request_to_pay = Prepared(lambda pk: PaymentRequest.objects.select_related("invoice").filter(pk=pk))
    request = request_to_pay.first("preq_01k3…")
    insert(event)

Only for what the busiest acts do; everything else is an ordinary query (decision 0061).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=models.Model)


class _Parameter(str):
    """Stands for a value while a query is compiled. A text, which the columns of our ids pass on as it is."""

    __slots__ = ("position",)
    position: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """The SQL of a query, its parameters, and how its rows become instances."""

    sql: str
    params: tuple[Any, ...]
    locks: bool
    names: list[str]  # of the model's own columns, which come first
    converters: list[tuple[int, list[Callable[..., Any]], Any]]
    populators: list[Any]


class Prepared(Generic[M]):
    """A query of whole rows, with the rows of `select_related`, whose only parameters are texts, as ids are.

    `rows` takes them and returns the queryset; it is called once, when the query runs for the first time.
    """

    def __init__(self, rows: Callable[..., models.QuerySet[M]]) -> None:
        self._rows = rows
        self._plan: _Plan | None = None
        self._model: type[M]

    def all(self, *values: str | None) -> list[M]:
        """Returns the rows for these values; raises TransactionManagementError where it locks outside a transaction."""
        plan = self._plan or self._compile(len(values))
        if plan.locks and not connection.in_atomic_block:
            raise TransactionManagementError("A row is locked for a transaction, and there is none.")
        params = [values[one.position] if type(one) is _Parameter else one for one in plan.params]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, params)
            found = cursor.fetchall()
        instances, width = [], len(plan.names)
        for row in map(list, found):
            for position, converters, expression in plan.converters:
                for convert in converters:
                    row[position] = convert(row[position], expression, connection)
            instance = self._model.from_db(connection.alias, plan.names, row[:width])
            for populator in plan.populators:
                populator.populate(row, instance)
            instances.append(instance)
        return instances

    def first(self, *values: str | None) -> M | None:
        """Returns the first of the rows, or None."""
        found = self.all(*values)
        return found[0] if found else None

    def get(self, *values: str | None) -> M:
        """Returns the first of the rows; raises the model's DoesNotExist where there is none."""
        found = self.first(*values)
        if found is None:
            raise self._model.DoesNotExist(*values)  # type: ignore[attr-defined]
        return found

    def _compile(self, count: int) -> _Plan:
        parameters = [_Parameter(f"parameter {position}") for position in range(count)]
        for position, parameter in enumerate(parameters):
            parameter.position = position
        queryset = self._rows(*parameters)
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        if {one.position for one in params if type(one) is _Parameter} != set(range(count)):
            raise TypeError(f"a parameter is lost in {sql}")
        columns = [column for column, _sql, _alias in compiler.select]
        converters = [
            (position, found, expression)
            for position, (found, expression) in compiler.get_converters(columns).items()
        ]
        info = compiler.klass_info
        names = [columns[position].target.attname for position in info["select_fields"]]
        # The types describe a later Django, which takes one argument more.
        populators = get_related_populators(info, compiler.select, connection.alias)  # type: ignore[call-arg]
        self._model = queryset.model
        locks = bool(queryset.query.select_for_update)
        self._plan = _Plan(sql, params, locks, names, converters, populators)
        return self._plan


def insert(*rows: models.Model) -> None:
    """Inserts new rows of one model in one statement; signals are not sent, and nothing is read back."""
    model = type(rows[0])
    head, placeholders, fields = _insert_parts(model)
    params = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(head + ", ".join([placeholders] * len(rows)), params)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def compare_and_set(row: models.Model, column: str, expected: Any, columns: Mapping[str, Any]) -> bool:
    """Writes `columns` of a stored row if its `column` still has this value; returns whether it had.

    The values are stored as they are: no expressions. The instance is left as it is.
    """
    sql, fields = _update_parts(type(row), column, tuple(columns))
    values = [*columns.values(), row.pk, expected]
    params = [
        value.pk if isinstance(value, models.Model) else field.get_db_prep_save(value, connection)
        for field, value in zip(fields, values, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return bool(cursor.rowcount)


@cache
def _update_parts(model: type[models.Model], column: str, names: tuple[str, ...]) -> tuple[str, list[Any]]:
    """Returns the statement and the columns of its parameters."""
    fields: list[Any] = [model._meta.get_field(name) for name in (*names, model._meta.pk.name, column)]
    quoted = [f"{connection.ops.quote_name(field.column)} = %s" for field in fields]
    table = connection.ops.quote_name(model._meta.db_table)
    sql = f"UPDATE {table} SET {', '.join(quoted[:-2])} WHERE {' AND '.join(quoted[-2:])}"  # noqa: S608
    return sql, fields


@cache
def _insert_parts(model: type[models.Model]) -> tuple[str, str, list[Any]]:
    """Returns the statement up to the values, the placeholders of a row, and its columns."""
    fields: list[Any] = list(model._meta.concrete_fields)
    if any(
        hasattr(field, "get_placeholder") or (field.primary_key and field.db_returning) for field in fields
    ):
        raise TypeError(f"{model.__name__} has a column that the database computes or casts")
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    placeholders = ", ".join(["%s"] * len(fields))
    # Only names of our own columns are in it.
    return f"INSERT INTO {table} ({names}) VALUES ", f"({placeholders})", fields  # noqa: S608
