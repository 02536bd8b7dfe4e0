"""Pages of a list by position: a page starts after, or ends before, the position that its address holds.

A page is read from an index in the order of the list, so it costs the same wherever it is and however long the list is.
A position holds the values of a row and not its id: rows that change or go meanwhile make no page skip or repeat any
other row (docs/decisions/0060-lists-that-do-not-grow.md). Filters that leave few rows of many without an index are
asked of a limited number of rows for each page (docs/decisions/0079-a-walk-in-one-statement.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeVar

from django.core.signing import BadSignature, Signer
from django.db import connection
from django.db.models import (
    BooleanField,
    F,
    Field,
    Func,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from partway.billing.models.search import MAX_FOUND, AnyOf

__all__ = [
    "MAX_COUNTED",
    "PAGE_ROWS",
    "Indexed",
    "KeysetPage",
    "Order",
    "Readable",
    "Stream",
    "Values",
    "count_rows",
    "few_ids",
    "few_or_walked",
    "few_values",
    "read_page",
    "walk",
]

PAGE_ROWS = 50  # of any list
# More rows are counted and added up only when a member asks for it, so that no page costs more in a longer list.
MAX_COUNTED = 5_000
MAX_EXAMINED = 1_000  # rows that are asked for the filters of one page, where no index has those that fit
_LAST_PAGE = "last"  # in place of a position
_MAX_POSITION_LENGTH = 6_000  # a name and a number in full, with their keys

EntryT = TypeVar("EntryT")
Values = tuple[Any, ...]  # of the columns of an order, in its order; the last one is the id

# How a value of a position is written: its letter, and how it is read again. Numbers and texts are themselves.
_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "x": bytes.fromhex,
}


@dataclass(frozen=True, slots=True)
class Order:
    """The columns that a list is sorted by, as `order_by` takes them; the last one is the id.

    is_whole: whether one index has all rows of an organization in this order; else each of its streams has one.
    """

    columns: tuple[str, ...]
    is_whole: bool = False

    @property
    def names(self) -> list[str]:
        """The columns without their directions."""
        return [column.removeprefix("-") for column in self.columns]

    def reversed(self) -> Order:
        """Returns the same from the end to the beginning."""
        columns = (column[1:] if column.startswith("-") else f"-{column}" for column in self.columns)
        return Order(tuple(columns), self.is_whole)

    def compare(self, ranks: Values, others: Values) -> int:
        """Returns -1 if these ranks come before others in the first columns of the order, 1 if after them, else 0."""
        for column, rank, other in zip(self.columns, ranks, others, strict=False):
            if rank != other:
                return 1 if (rank > other) != column.startswith("-") else -1
        return 0

    def read(
        self, streams: Sequence[Readable], after: Values | None, limit: int
    ) -> tuple[list[Values], Values | None]:
        """Returns at most `limit` positions of all streams, and where looking for them stopped, if before that."""
        found = [row for stream in streams for row in stream.read(self, after, limit)]
        stops = [stream.stopped_at for stream in streams if isinstance(stream, Walk) and stream.stopped_at]
        self.sort(found)
        self.sort(stops)
        if stops:  # beyond the first one that stream may have other rows
            found = [row for row in found if self.compare(row, stops[0]) <= 0]
        return found[:limit], stops[0] if stops and len(found) < limit else None

    def sort(self, positions: list[Values]) -> None:
        """Sorts positions by the last column first, since each column has a direction of its own."""
        for number, column in reversed(list(enumerate(self.columns))):
            positions.sort(key=itemgetter(number), reverse=column.startswith("-"))


class Readable(Protocol):
    """Rows that can be read in the order of the list."""

    def read(self, order: Order, after: Values | None, limit: int) -> list[Values]:
        """Returns the values of at most `limit` rows after this position, in this order."""


class Indexed(Readable, Protocol):
    """Rows that an index has in the order of the list."""

    def every(self) -> QuerySet[Any]:
        """Returns all rows of all organizations."""

    def ranges(self, order: Order, after: Values | None) -> Iterator[QuerySet[Any]]:
        """Yields the rows after this position, sorted, as ranges of the index that follow each other."""

    def values(self, order: Order, rows: QuerySet[Any]) -> list[Values]:
        """Returns the values of sorted rows."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows that an index has in the order of the list; the pages of a list merge its streams.

    ranks: the values of the first columns of the order, where they are the same for all rows and no column of theirs.
    """

    rows: QuerySet[Any]
    ranks: Values = ()

    def every(self) -> QuerySet[Any]:
        """Returns all rows of all organizations."""
        every: QuerySet[Any] = self.rows.model._default_manager.all()
        return every

    def read(self, order: Order, after: Values | None, limit: int) -> list[Values]:
        """Returns the values of at most `limit` rows after this position, in this order."""
        found: list[Values] = []
        for rows in self.ranges(order, after):
            if len(found) < limit:
                found += self.values(order, rows[: limit - len(found)])
        return found

    def values(self, order: Order, rows: QuerySet[Any]) -> list[Values]:
        """Returns the values of sorted rows."""
        names = order.names[len(self.ranks) :]
        return [
            (*self.ranks, *(bytes(each) if isinstance(each, memoryview) else each for each in row))
            for row in rows.values_list(*names)
        ]

    def ranges(self, order: Order, after: Values | None) -> Iterator[QuerySet[Any]]:
        """Yields the rows after this position, sorted, as ranges of the index that follow each other."""
        own = order.columns[len(self.ranks) :]
        for rows in [self.rows] if after is None else self._beyond(order, own, after):
            yield rows.order_by(*own)

    def _beyond(self, order: Order, own: Sequence[str], after: Values) -> Iterator[QuerySet[Any]]:
        """Yields the rows after the position as ranges of the index, one after the other.

        Columns of one direction are compared at once, as rows of values; one that turns round begins another range.
        """
        if side := order.compare(self.ranks, after):
            if side > 0:
                yield self.rows
            return
        given = dict(zip(own, after[len(self.ranks) :], strict=True))
        groups = [list(group) for _, group in groupby(own, key=lambda column: column.startswith("-"))]
        for number in range(len(groups) - 1, -1, -1):
            equal = {column.removeprefix("-"): given[column] for group in groups[:number] for column in group}
            yield self.rows.filter(
                _compare(self.rows.model, {each: given[each] for each in groups[number]}), **equal
            )


class Walk:
    """Rows that are read in the order of the list and asked for the filters, a limited number of them for a page.

    stopped_at: the last position that was asked, where a page ended before it was full; else None.
    """

    def __init__(self, stream: Indexed, rows: QuerySet[Any], max_examined: int) -> None:
        """Takes all rows, and those that fit."""
        self._stream, self._rows, self._max_examined = stream, rows, max_examined
        self.stopped_at: Values | None = None

    def read(self, order: Order, after: Values | None, limit: int) -> list[Values]:
        """Returns the values of at most `limit` rows that fit after this position, in this order."""
        found: list[Values] = []
        self.stopped_at = None
        for asked in self._stream.ranges(order, after):
            ids = _first_among(asked[: self._max_examined], self._rows, limit - len(found))
            fitting = self._stream.values(order, self._stream.every().filter(AnyOf(F("pk"), ids)))
            order.sort(fitting)
            found += fitting
            if len(found) == limit:
                break
            if stops := self._stream.values(order, asked[self._max_examined - 1 : self._max_examined]):
                self.stopped_at = stops[0]
                break
        return found


def walk(streams: Sequence[Indexed], rows: QuerySet[Any]) -> list[Readable]:
    """Returns the rows that fit, of at most MAX_EXAMINED rows of all streams for each page."""
    return [Walk(stream, rows, max(1, MAX_EXAMINED // len(streams))) for stream in streams]


def count_rows(rows: QuerySet[Any]) -> int | None:
    """Returns how many rows there are; None of more than MAX_COUNTED, which are not read."""
    count = rows.values("pk")[: MAX_COUNTED + 1].count()
    return None if count > MAX_COUNTED else count


def few_values(rows: QuerySet[Any], column: str = "pk") -> list[str] | None:
    """Returns a column of rows that an index has, in its order where that decides which one; None of many rows."""
    found = list(rows.values_list(column, flat=True)[: MAX_FOUND + 1])
    return None if len(found) > MAX_FOUND else found


def few_ids(rows: QuerySet[Any], selections: Sequence[QuerySet[Any]]) -> list[str] | None:
    """Returns the ids of the filtered rows, looked up among those that one filter selects; None if each selects many.

    selections: the rows of each filter alone, which an index has. Few are at most MAX_FOUND, which are found by it and
    then sorted: the limit keeps the database from walking another index.
    """
    for selected in selections:
        if (ids := few_values(selected)) is None:
            continue
        if selected is rows or not ids:
            return ids
        if connection.vendor == "postgresql":  # knows how many rows each index has, and combines lists of ids
            among = rows.filter(AnyOf(F("pk"), ids))
        else:
            every = rows.model._default_manager.filter(AnyOf(F("pk"), ids))
            among = every.alias(itself=_itself(rows)).filter(itself__isnull=False)
        return list(among.order_by().values_list("pk", flat=True))
    return None


def few_or_walked(
    rows: QuerySet[Any], selections: Sequence[QuerySet[Any]], *, walked: Sequence[Indexed]
) -> tuple[list[Readable], int | None]:
    """Returns the filtered rows as they are read, and how many there are if one filter selects few; else None.

    walked: all rows in the order of the list.
    """
    ids = few_ids(rows, selections)
    if ids is None:
        return walk(walked, rows), None
    return [Stream(rows.model._default_manager.filter(AnyOf(F("pk"), ids)))], len(ids)


def _itself(rows: QuerySet[Any]) -> Subquery:
    """Returns the id of a row if it is among others, where it is looked up by its id; else NULL.

    Not by EXISTS, which PostgreSQL may turn into a join that reads all the others.
    """
    return Subquery(rows.order_by().filter(pk=OuterRef("pk")).values("pk")[:1])


def _first_among(asked: QuerySet[Any], rows: QuerySet[Any], limit: int) -> list[str]:
    """Returns the ids of the first of the asked rows that are among others; no more rows are asked than that takes."""
    sql, params = asked.annotate(itself=_itself(rows)).values("pk", "itself").query.sql_with_params()
    with connection.cursor() as cursor:
        # The rows of a limited query can be filtered only in a query around it, which Django does not write.
        cursor.execute(f"SELECT pk FROM ({sql}) AS asked WHERE itself IS NOT NULL LIMIT {limit:d}", params)  # noqa: S608
        return [pk for (pk,) in cursor.fetchall()]


def _compare(model: type[Model], values: Mapping[str, Any]) -> Func:
    """Returns the condition that a row comes after these values, which an index serves: (a, b) > (x, y)."""
    names = [column.removeprefix("-") for column in values]
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    given = [Value(value, output_field=field) for field, value in zip(fields, values.values(), strict=True)]
    sides = (Func(*each, function="", output_field=Field()) for each in ([F(name) for name in names], given))
    sign = " < " if next(iter(values)).startswith("-") else " > "
    return Func(*sides, template="%(expressions)s", arg_joiner=sign, output_field=BooleanField())


@dataclass(slots=True)
class KeysetPage(Generic[EntryT]):
    """One page: its rows, and the positions of the pages before and after it, empty where there is none.

    start_index: the number of its first row; 0 where it is not known. count: of all rows; None where only the rows of
    this page are known to be fewer. Both are as exact as the moment: a position carries the number it had.
    examined: how many rows were looked through, of a page that ended at that limit before it was full; else 0.
    """

    entries: Sequence[EntryT]
    start_index: int
    count: int | None
    previous: str = ""
    following: str = ""
    examined: int = 0

    @property
    def end_index(self) -> int:
        """The number of its last row."""
        return self.start_index + len(self.entries) - 1

    @property
    def empty_title(self) -> str:
        """The title of a page without rows while others have some, or may have; empty where nothing matches at all."""
        if self.examined or self.following:
            return gettext("Nothing found yet")
        return gettext("Nothing more found") if self.previous else ""


class _Positions:
    """Writes the positions of a list into addresses, and reads them."""

    def __init__(self, request: HttpRequest, order: Order) -> None:
        # The position of another list, of another organization or of another order is none of this one.
        self._signer = Signer(salt=" ".join((request.path, *order.columns)), sep=".")

    def read(self, query: QueryDict) -> tuple[int, Values | None, bool]:
        """Returns the number and the values of a row, and whether the page is before it.

        0 and None are those of a text that this list has not written.
        """
        before = query.get("before", "")
        text = before or query.get("after", "")
        try:
            number, *values = self._signer.unsign_object(text[:_MAX_POSITION_LENGTH])
        except (BadSignature, ValueError):
            return 0, None, before == _LAST_PAGE
        read = (_FROM_TEXT[each[0]](each[1]) if isinstance(each, list) else each for each in values)
        return number, tuple(read), bool(before)

    def write(self, number: int, values: Values, *, leads_on: bool) -> str:
        """Returns the text of a position, if it leads to another page."""
        if not leads_on:
            return ""
        texts: list[Any] = [["x", each.hex()] if isinstance(each, bytes) else each for each in values]
        letters = {True: "t", False: "d"}
        texts = [
            [letters[isinstance(each, datetime)], each.isoformat()] if isinstance(each, date) else each
            for each in texts
        ]
        return self._signer.sign_object([number, *texts])


def read_page(
    request: HttpRequest,
    streams: Sequence[Readable],
    order: Order,
    *,
    count: int | None,
    fetch: Callable[[list[str]], Mapping[str, EntryT]],
) -> KeysetPage[EntryT]:
    """Returns the page that the address names as `after` or `before`; the first where it names none.

    count: how many rows there are, None where they were not counted. fetch: returns the entries of these ids.
    """
    positions = _Positions(request, order)
    number, position, backwards = positions.read(request.GET)
    found = _find(streams, order, position, backwards)
    if count is None and found.is_all:
        count = len(found.rows)
    start = found.start_index(number, count or 0)
    ids = [row[-1] for row in found.shown]
    entries = list(filter(None, map(fetch(ids).get, ids)))
    page = KeysetPage(entries, start, count, examined=MAX_EXAMINED if found.stop else 0)
    first, last = found.ends
    if first is not None:
        page.previous = positions.write(start, first, leads_on=found.leads_on[0])
    if last is not None:  # also of a first page that has looked through its rows and found none
        page.following = positions.write(start and start + len(ids) - 1, last, leads_on=found.leads_on[1])
    return page


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows after a position, one more than a page has; backwards those before it, from the last to the first.

    stop: the position at which looking for them ended before there were so many.
    """

    rows: list[Values]
    position: Values | None
    backwards: bool
    stop: Values | None = None

    @property
    def shown(self) -> list[Values]:
        """The rows of the page, in the order of the list."""
        return self.rows[:PAGE_ROWS][:: -1 if self.backwards else 1]

    @property
    def leads_on(self) -> tuple[bool, bool]:
        """Whether there are rows before the page, and after it."""
        has_come, has_more = self.position is not None, self.stop is not None or len(self.rows) > PAGE_ROWS
        return (has_more, has_come) if self.backwards else (has_come, has_more)

    @property
    def is_all(self) -> bool:
        """Whether there is no other page."""
        return not any(self.leads_on)

    @property
    def ends(self) -> tuple[Values | None, Values | None]:
        """The positions before which the previous page ends, and after which the next one begins."""
        first, last = (self.shown[0], self.shown[-1]) if self.shown else (self.position, self.position)
        return (self.stop or first, last) if self.backwards else (first, self.stop or last)

    def start_index(self, number: int, count: int) -> int:
        """Returns the number of the first row, where that of the position is known or the list begins or ends."""
        if self.position is None:
            return max(0, count + 1 - len(self.shown)) if self.backwards else 1
        return max(0, number - len(self.shown)) if self.backwards else number and number + 1


def _find(streams: Sequence[Readable], order: Order, position: Values | None, backwards: bool) -> _Found:
    """Returns the rows after a position, or before it.

    The last page takes the place of one after it, and the first one, in full, that of one before it. A page that only
    looks further, and finds no more rows, is empty.
    """
    direction = order.reversed() if backwards else order
    found, stop = direction.read(streams, position, PAGE_ROWS + 1)
    if stop:
        return _Found(found, position, backwards, stop)
    if (
        position is not None
        and not found
        and (backwards or not any(isinstance(each, Walk) for each in streams))
    ):
        return _find(streams, order, None, not backwards)
    if backwards and len(found) <= PAGE_ROWS:
        return _find(streams, order, None, backwards=False)
    return _Found(found, position, backwards)
