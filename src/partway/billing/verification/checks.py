"""Defines checks, which read their rows in slices by primary key so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from string import Formatter
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Subquery, Sum, TextField
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from ..models import Event

Rows = QuerySet[Any]
Condition = Q | Combinable
Findings = Iterable[tuple[str, str]]  # the row's id and a message

CHUNK_SIZE = 10_000

# An act takes its time before it waits for a lock, and the clocks of two machines differ.
CLOCK_SKEW_TOLERANCE = timedelta(minutes=5)

# Python and the databases raise these for values that no act writes.
_READ_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError, DatabaseError)

# Unsettled payments: those that hold money, and those that wait for the customer (DESIGN section 4).
COMMITTED = Q(status="capturing") | Q(status="processing", accepted=True)
UNCOMMITTED = Q(status__in=("pending", "authorized"))


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that breaks a rule of DESIGN section 5: the rule, the id of the row, and a message."""

    rule: str
    row: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.row}: {self.message}"


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table, and a function that finds the rows of a slice that break one condition."""

    model: type[Model]
    find: Callable[[Rows], Findings]

    def run(self, rows: Rows) -> Findings:
        """Returns what it finds; a row that cannot be read is a finding too, and hides no other row."""
        try:
            return self._find(rows)
        except _READ_ERRORS:
            return [found for pk in rows.values_list("pk", flat=True) for found in self._find_in_row(pk)]

    def _find_in_row(self, pk: str) -> Findings:
        try:
            return self._find(self.model._default_manager.filter(pk=pk))
        except _READ_ERRORS as error:
            return [(pk, f"it cannot be read: {type(error).__name__} {error}".strip())]

    def _find(self, rows: Rows) -> Findings:
        # Inside a transaction PostgreSQL continues after an error only from a savepoint.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return list(self.find(rows))


@dataclass(frozen=True, slots=True)
class Check:
    """One statement that must be true of the stored rows, and the rule of DESIGN section 5 that it belongs to."""

    rule: str
    message: str
    parts: tuple[TableCheck, ...]

    def __str__(self) -> str:
        return f"{self.rule}  {self.message}"

    def size(self) -> int:
        """Returns how many rows it reads."""
        return sum(model._default_manager.count() for model in self._by_model())

    def differences(self, on_progress: Callable[[int], object] = lambda rows: None) -> Iterator[Difference]:
        """Yields each row that breaks the rule; calls `on_progress` with the number of rows after each full slice."""
        for model, parts in self._by_model().items():
            for number, rows in enumerate(_slices(model)):
                if number:
                    on_progress(CHUNK_SIZE)  # the slice before
                for part in parts:
                    for row, message in part.run(rows):
                        yield Difference(self.rule, row, message)

    def _by_model(self) -> dict[type[Model], list[TableCheck]]:
        parts: dict[type[Model], list[TableCheck]] = {}
        for part in self.parts:
            parts.setdefault(part.model, []).append(part)
        return parts


def check(rule: str, message: str, *parts: TableCheck) -> Check:
    """Returns a check of these parts."""
    return Check(rule, message, parts)


def _slices(model: type[Model]) -> Iterator[Rows]:
    """Yields the table slice by slice; ids follow time, so rows of one act are near each other."""
    left = model._default_manager.all()
    while last := next(
        iter(left.order_by("pk").values_list("pk", flat=True)[CHUNK_SIZE - 1 : CHUNK_SIZE]), None
    ):
        yield left.filter(pk__lte=last)
        left = model._default_manager.filter(pk__gt=last)
    yield left


def no_rows_where(model: type[Model], condition: Condition, message: str, **annotations: Any) -> TableCheck:
    """Returns a part that finds each row that meets the condition.

    The message names columns and annotations, as "{status} with {recomputed} paid".
    """
    shown = [name for _, name, _, _ in Formatter().parse(message) if name]

    def find(rows: Rows) -> Findings:
        for row in rows.annotate(**annotations).filter(condition).values("pk", *shown):
            yield row["pk"], message.format(**row)

    return TableCheck(model, find)


def times_in_order(
    model: type[Model], first: str, then: str, where: Q | None = None, **annotations: Any
) -> TableCheck:
    """Returns a part that finds each row whose time `then` is before its time `first` by more than the tolerance."""

    def find(rows: Rows) -> Findings:
        swapped = rows.annotate(**annotations).filter(where or Q(), **{f"{then}__lt": F(first)})
        for pk, earlier, later in swapped.values_list("pk", first, then):
            if earlier - later > CLOCK_SKEW_TOLERANCE:
                yield pk, f"{then} {later:%Y-%m-%d %H:%M:%S} is before {first} {earlier:%Y-%m-%d %H:%M:%S}"

    return TableCheck(model, find)


def total(rows: Rows, noun: str, column: str = "amount_minor", of: str = "pk") -> Coalesce:
    """Returns the sum of a column over the rows whose `noun` is this row, or the row in its column `of`; else 0."""
    sums = rows.filter(**{noun: OuterRef(of)}).values(noun).annotate(sum=Sum(column))
    return Coalesce(Subquery(sums.values("sum")), 0)


def has_event(
    noun: str,
    *types: str,
    of: str = "pk",
    at: str = "",
    shared: Iterable[str] = (),
    data_columns: Mapping[str, str] | None = None,
) -> Exists:
    """Returns whether an event of one of these types is about this row, or about the row in its column `of`.

    `at` is the column with the event's time, `shared` are columns that row and event both have, and `data_columns` maps
    keys of the event's data to the columns with the same value.
    """
    events = Event.objects.filter(type__in=types, **{noun: OuterRef(of)})
    events = events.filter(**{column: OuterRef(column) for column in shared})
    if at:
        events = events.filter(created_at=OuterRef(at))
    for key, column in (data_columns or {}).items():
        # As text: a damaged value may not be a number.
        events = events.annotate(**{f"data_{key}": Cast(KT(f"data__{key}"), TextField())})
        events = events.filter(**{f"data_{key}": Cast(OuterRef(column), TextField())})
    return Exists(events)
