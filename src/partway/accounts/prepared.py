"""Statements that are compiled once: Django writes the same SQL anew for each query, which costs more than running it.

    request_to_pay = Prepared(lambda pk: PaymentRequest.objects.select_related("invoice").filter(pk=pk))
    request = request_to_pay.first("preq_01k3…")
    insert(event)
    update(request, {"status": "paid"}, expected={"status": "open"})

Only for what the busiest acts do; everything else is an ordinary query (decision 0061).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=models.Model)

Params = tuple[Any, ...]
# Of a column by its position: what is called with its value one after the other, and its expression.
Converters = list[tuple[int, list[Callable[..., Any]], Any]]


class _Parameter(models.Expression):
    """Stands for a value while a query is compiled; it is sent as it is, a time as its database stores it."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Returns a placeholder, and itself as the parameter."""
        return "%s", [self]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The SQL of a query, its parameters, and how its rows become instances."""

    sql: str
    params: Params
    locks: bool
    names: list[str]  # of the model's own columns, which come first
    converters: Converters
    populators: list[Any]


class Prepared(Generic[M]):
    """A query of whole rows, with the rows of `select_related`; its parameters are texts, numbers and times.

    `rows` takes them and returns the queryset; it is called once, when the query runs for the first time.
    """

    def __init__(self, rows: Callable[..., models.QuerySet[M]]) -> None:
        self._rows = rows
        self._plan: _Plan | None = None
        self._model: type[M]

    def all(self, *values: Any) -> list[M]:
        """Returns the rows for these values; raises TransactionManagementError where it locks outside a transaction."""
        plan = self._plan or self._compile(len(values))
        if plan.locks and not connection.in_atomic_block:
            raise TransactionManagementError("A row is locked for a transaction, and there is none.")
        instances = []
        for row in _read(plan.sql, plan.params, plan.converters, values):
            # The names are as many as the model's own columns, which come first.
            instance = _instance(self._model, dict(zip(plan.names, row, strict=False)))
            for populator in plan.populators:
                _populate(populator, row, instance)
            instances.append(instance)
        return instances

    def first(self, *values: Any) -> M | None:
        """Returns the first of the rows, or None."""
        found = self.all(*values)
        return found[0] if found else None

    def get(self, *values: Any) -> M:
        """Returns the first of the rows; raises the model's DoesNotExist where there is none."""
        found = self.first(*values)
        if found is None:
            raise self._model.DoesNotExist(*values)  # type: ignore[attr-defined]
        return found

    def _compile(self, count: int) -> _Plan:
        queryset = self._rows(*map(_Parameter, range(count)))
        compiler, sql, params, converters = _compiled(queryset, count)
        info = compiler.klass_info
        names = [compiler.select[position][0].target.attname for position in info["select_fields"]]
        # The types describe a later Django, which takes one argument more.
        populators = get_related_populators(info, compiler.select, connection.alias)  # type: ignore[call-arg]
        self._model = queryset.model
        locks = bool(queryset.query.select_for_update)
        self._plan = _Plan(sql, params, locks, names, converters, populators)
        return self._plan


class PreparedValues:
    """A query of `values_list`; its parameters are as for Prepared."""

    def __init__(self, rows: Callable[..., models.QuerySet[Any, tuple[Any, ...]]]) -> None:
        self._rows = rows
        self._plan: tuple[str, Params, Converters] | None = None

    def all(self, *values: Any) -> list[tuple[Any, ...]]:
        """Returns the columns of each row for these values."""
        if self._plan is None:
            queryset = self._rows(*map(_Parameter, range(len(values))))
            self._plan = _compiled(queryset, len(values))[1:]
        return list(map(tuple, _read(*self._plan, values)))


def _read(sql: str, params: Params, converters: Converters, values: Params) -> list[list[Any]]:
    """Returns the rows of a query for these values, their columns as Python has them."""
    database = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(sql, _filled(params, values))
        found = list(map(list, cursor.fetchall()))
    for position, converts, expression in converters:
        for convert in converts:
            for row in found:
                row[position] = convert(row[position], expression, database)
    return found


def _compiled(queryset: models.QuerySet[Any, Any], count: int) -> tuple[Any, str, Params, Converters]:
    """Returns the compiler of a query, its SQL, its parameters, and what makes Python's values of its columns."""
    compiler: Any = queryset.query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    _check_parameters(sql, params, count)
    found = compiler.get_converters([column for column, _sql, _alias in compiler.select])
    return compiler, sql, params, [(position, *converter) for position, converter in found.items()]


def _instance(model: type[M], columns: dict[str, Any]) -> M:
    """Returns a stored row as `Model.from_db` does, which calls a setter for each column and sends signals."""
    instance = model.__new__(model)
    vars(instance).update(columns)
    instance._state = ModelState()
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
    return instance


def _populate(populator: Any, row: list[Any], instance: models.Model) -> None:
    """Sets a related row and those related to it, as `RelatedPopulator.populate` does."""
    columns = row[populator.cols_start : populator.cols_end] if populator.reorder_for_init is None else None
    columns = populator.reorder_for_init(row) if columns is None else columns
    if columns[populator.pk_idx] is None:
        populator.local_setter(instance, None)
        return
    related = _instance(populator.model_cls, dict(zip(populator.init_list, columns, strict=True)))
    for each in populator.related_populators:
        _populate(each, row, related)
    populator.local_setter(instance, related)
    populator.remote_setter(related, instance)


class PreparedUpdate:
    """An update of rows by expressions of their columns; `change` takes its parameters, which are as for Prepared.

    It returns the queryset of the rows, and the values of their columns; it is called once.
    """

    def __init__(self, change: Callable[..., tuple[models.QuerySet[Any], Mapping[str, Any]]]) -> None:
        self._change = change
        self._plan: tuple[str, Params] | None = None

    def run(self, *values: Any) -> int:
        """Updates, and returns how many rows it found."""
        sql, params = self._plan or self._compile(len(values))
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(params, values))
            return int(cursor.rowcount)

    def _compile(self, count: int) -> tuple[str, Params]:
        rows, columns = self._change(*map(_Parameter, range(count)))
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(columns)
        sql, params = query.get_compiler(connection=connection).as_sql()
        _check_parameters(sql, params, count)
        self._plan = (sql, tuple(params))
        return self._plan


def _check_parameters(sql: str, params: Params, count: int) -> None:
    if {one.position for one in params if type(one) is _Parameter} != set(range(count)):
        raise TypeError(f"a parameter is lost in {sql}")


def _filled(params: Params, values: Params) -> list[Any]:
    """Returns the parameters of a statement with these values in them."""
    sent = [
        connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
        for value in values
    ]
    return [sent[one.position] if type(one) is _Parameter else one for one in params]


def insert(*rows: models.Model, ignores_conflicts: bool = False) -> int:
    """Inserts new rows of one model in one statement, and returns how many; signals are not sent.

    Read back is only what the database computes. ignores_conflicts: a row that is there already is left as it is, and
    is no IntegrityError; the instances are the same either way.
    """
    head, placeholders, fields, made = _insert_parts(type(rows[0]))
    database = connections[DEFAULT_DB_ALIAS]
    params = [_sent(field, field.pre_save(row, add=True), database) for row in rows for field in fields]
    sql = head + ", ".join([placeholders] * len(rows))
    sql += " ON CONFLICT DO NOTHING" if ignores_conflicts else ""
    sql += f" RETURNING {', '.join(made)}" if made else ""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        returned = cursor.fetchall() if made else []
        count = len(returned) if made else int(cursor.rowcount)
    for row, values in zip(rows, returned, strict=False):
        vars(row).update(zip(made, values, strict=True))
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return count


def update(
    row: models.Model, columns: Mapping[str, Any], *, expected: Mapping[str, Any] | None = None
) -> bool:
    """Writes `columns` of a stored row if it has the `expected` values yet; returns whether it had, and is there.

    The values are stored as they are: no expressions. The instance is left as it is.
    """
    conditions = {row._meta.pk.name: row.pk, **(expected or {})}
    sql, fields = _update_parts(type(row), tuple(columns), tuple(conditions))
    values = [*columns.values(), *conditions.values()]
    database = connections[DEFAULT_DB_ALIAS]
    params = [
        value.pk if isinstance(value, models.Model) else _sent(field, value, database)
        for field, value in zip(fields, values, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return bool(cursor.rowcount)


_NONE = type(None)
# Values of these types are sent by these fields as they are, which Django finds out by five calls for each.
_UNCHANGED: dict[type, tuple[type, ...]] = {
    models.CharField: (str, _NONE),
    models.TextField: (str, _NONE),
    models.ForeignKey: (str, _NONE),
    models.BooleanField: (bool, _NONE),
    models.IntegerField: (int, _NONE),
    models.BigIntegerField: (int, _NONE),
    models.PositiveIntegerField: (int, _NONE),
    models.PositiveSmallIntegerField: (int, _NONE),
    models.DateTimeField: (_NONE,),
}


def _sent(field: Any, value: Any, database: BaseDatabaseWrapper) -> Any:
    """Returns what is sent for a value of a column."""
    if type(value) in _UNCHANGED.get(type(field), ()):
        return value
    return field.get_db_prep_save(value, database)


@cache
def _update_parts(
    model: type[models.Model], columns: tuple[str, ...], conditions: tuple[str, ...]
) -> tuple[str, list[Any]]:
    """Returns the statement and the columns of its parameters."""
    fields: list[Any] = [model._meta.get_field(name) for name in (*columns, *conditions)]
    quoted = [f"{connection.ops.quote_name(field.column)} = %s" for field in fields]
    table, count = connection.ops.quote_name(model._meta.db_table), len(columns)
    sql = f"UPDATE {table} SET {', '.join(quoted[:count])} WHERE {' AND '.join(quoted[count:])}"  # noqa: S608
    return sql, fields


@cache
def _insert_parts(model: type[models.Model]) -> tuple[str, str, list[Any], list[str]]:
    """Returns the statement up to the values, the placeholders of a row, its columns, and those of the database."""
    columns: list[Any] = list(model._meta.concrete_fields)
    fields = [column for column in columns if not column.db_returning]
    made = [column for column in columns if column.db_returning]
    casts = {
        column.get_placeholder(None, None, connection)
        for column in fields
        if hasattr(column, "get_placeholder")
    }
    if casts - {"%s"} or any(column.get_db_converters(connection) for column in made):
        raise TypeError(f"{model.__name__} has a column that the database casts, or computes in another form")
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    placeholders = ", ".join(["%s"] * len(fields))
    # Only names of our own columns are in it.
    head = f"INSERT INTO {table} ({names}) VALUES "  # noqa: S608
    return head, f"({placeholders})", fields, [column.column for column in made]
