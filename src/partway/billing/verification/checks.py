"""What a check is, and how it goes over its rows: in slices by primary key, so that memory stays bounded."""

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
Findings = Iterable[tuple[str, str]]  # the row's id, and what was found

CHUNK_SIZE = 10_000

# A time is taken before its act waits for a lock, and the clocks of two machines differ.
CLOCK_SKEW_TOLERANCE = timedelta(minutes=5)

# What Python and the databases raise over values that no act could have written.
_DAMAGE = (ArithmeticError, LookupError, TypeError, ValueError, DatabaseError)

# Payments that are under way: those that hold money, and those that only wait for their customer (DESIGN section 4).
COMMITTED = Q(status="capturing") | Q(status="processing", accepted=True)
UNCOMMITTED = Q(status__in=("pending", "authorized"))


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not what the facts say: which rule of DESIGN section 5, which row, and what was found."""

    rule: str
    row: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.row}: {self.message}"


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table, and how to find rows of one kind of wrong in a slice of it."""

    model: type[Model]
    find: Callable[[Rows], Findings]

    def run(self, rows: Rows) -> Findings:
        """What it finds in them; a row so damaged that it cannot be judged is found too, and hides no other."""
        try:
            return self._found(rows)
        except _DAMAGE:
            return [errors for pk in rows.values_list("pk", flat=True) for errors in self._in_one(pk)]

    def _in_one(self, pk: str) -> Findings:
        try:
            return self._found(self.model._default_manager.filter(pk=pk))
        except _DAMAGE as error:
            return [(pk, f"it cannot be read: {type(error).__name__} {error}".strip())]

    def _found(self, rows: Rows) -> Findings:
        # Inside a transaction PostgreSQL goes on after an error only behind a savepoint.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return list(self.find(rows))


@dataclass(frozen=True, slots=True)
class Check:
    """What must be so, and the number of its rule."""

    rule: str
    message: str
    parts: tuple[TableCheck, ...]

    def __str__(self) -> str:
        return f"{self.rule}  {self.message}"

    def size(self) -> int:
        """How many rows it will look at."""
        return sum(model._default_manager.count() for model in self._by_model())

    def differences(self, on_progress: Callable[[int], object] = lambda rows: None) -> Iterator[Difference]:
        """Each row that breaks the rule; tells after each full slice that so many more rows were looked at."""
        for model, parts in self._by_model().items():
            for number, rows in enumerate(_slices(model)):
                if number:
                    on_progress(CHUNK_SIZE)  # the one before
                for part in parts:
                    for row, message in part.run(rows):
                        yield Difference(self.rule, row, message)

    def _by_model(self) -> dict[type[Model], list[TableCheck]]:
        parts: dict[type[Model], list[TableCheck]] = {}
        for part in self.parts:
            parts.setdefault(part.model, []).append(part)
        return parts


def check(rule: str, message: str, *parts: TableCheck) -> Check:
    """A check of these parts."""
    return Check(rule, message, parts)


def _slices(model: type[Model]) -> Iterator[Rows]:
    """The table, slice by slice; ids follow time, so what happened together lies together."""
    left = model._default_manager.all()
    while last := next(
        iter(left.order_by("pk").values_list("pk", flat=True)[CHUNK_SIZE - 1 : CHUNK_SIZE]), None
    ):
        yield left.filter(pk__lte=last)
        left = model._default_manager.filter(pk__gt=last)
    yield left


def no_rows_where(model: type[Model], errors: Condition, message: str, **facts: Any) -> TableCheck:
    """No row may be as `errors` says; `message` shows columns and facts by name, as "{status} with {facts} paid"."""
    shown = [name for _, name, _, _ in Formatter().parse(message) if name]

    def find(rows: Rows) -> Findings:
        for row in rows.annotate(**facts).filter(errors).values("pk", *shown):
            yield row["pk"], message.format(**row)

    return TableCheck(model, find)


def times_in_order(
    model: type[Model], first: str, then: str, where: Q | None = None, **facts: Any
) -> TableCheck:
    """In no row may the time `then` lie before the time `first`, but for what clocks and waiting explain."""

    def find(rows: Rows) -> Findings:
        swapped = rows.annotate(**facts).filter(where or Q(), **{f"{then}__lt": F(first)})
        for pk, earlier, later in swapped.values_list("pk", first, then):
            if earlier - later > CLOCK_SKEW_TOLERANCE:
                yield pk, f"{then} {later:%Y-%m-%d %H:%M:%S} is before {first} {earlier:%Y-%m-%d %H:%M:%S}"

    return TableCheck(model, find)


def total(rows: Rows, noun: str, column: str = "amount_minor", of: str = "pk") -> Coalesce:
    """The sum of a column over the rows whose `noun` is this row, or what its column `of` names; 0 without any."""
    sums = rows.filter(**{noun: OuterRef(of)}).values(noun).annotate(sum=Sum(column))
    return Coalesce(Subquery(sums.values("sum")), 0)


def has_event(
    noun: str,
    *types: str,
    of: str = "pk",
    at: str = "",
    shared: Iterable[str] = (),
    told: Mapping[str, str] | None = None,
) -> Exists:
    """Whether there is an event of one of these types about this row, or about what its column `of` names.

    `at` is the column that holds the event's time, `shared` are columns that both have, and `told` says which detail of
    the event stands in which column.
    """
    events = Event.objects.filter(type__in=types, **{noun: OuterRef(of)})
    events = events.filter(**{column: OuterRef(column) for column in shared})
    if at:
        events = events.filter(created_at=OuterRef(at))
    for detail, column in (told or {}).items():
        # As text: what was tampered with may be no number any more.
        events = events.annotate(**{f"told_{detail}": Cast(KT(f"data__{detail}"), TextField())})
        events = events.filter(**{f"told_{detail}": Cast(OuterRef(column), TextField())})
    return Exists(events)
