"""Pages of a list by position: a page starts after, or ends before, the position that its address holds.

A page is read from an index in the order of the list, so it costs the same wherever it is and however long the list is.
A position holds the values of a row and not its id: rows that change or go meanwhile make no page skip or repeat any
other row (docs/decisions/0060-lists-that-do-not-grow.md). Filters that leave few rows of many without an index are
asked of a limited number of rows for each page (docs/decisions/0072-bounded-work-of-a-page.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cmp_to_key
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeVar

from django.core.signing import BadSignature, Signer
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

__all__ = [
    "MAX_COUNTED",
    "PAGE_ROWS",
    "KeysetPage",
    "Order",
    "Readable",
    "Stream",
    "Values",
    "Walk",
    "count_rows",
    "few_or_walked",
    "few_rows",
    "read_page",
]

PAGE_ROWS = 50  # of any list
# More rows are counted and added up only when a member asks for it, so that no page costs more in a longer list.
MAX_COUNTED = 5_000
MAX_EXAMINED = 10_000  # rows that are asked for the filters of one page, where no index has those that fit
_MAX_CHUNK = 2_000  # rows that are asked at once
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

    def walk(self, streams: Sequence[Readable], after: Values | None) -> Iterator[Values]:
        """Yields the positions of all streams in this order, reading each only as far as is asked for."""

        def read(stream: Readable) -> Iterator[Values]:
            place, limit = after, 2 * PAGE_ROWS
            while found := stream.read(self, place, limit):
                yield from found
                place, limit = found[-1], min(4 * limit, _MAX_CHUNK)

        return merge(*map(read, streams), key=cmp_to_key(self.compare))

    def sort(self, positions: list[Values]) -> None:
        """Sorts positions by the last column first, since each column has a direction of its own."""
        for number, column in reversed(list(enumerate(self.columns))):
            positions.sort(key=itemgetter(number), reverse=column.startswith("-"))


class Readable(Protocol):
    """Rows that can be read in the order of the list."""

    def read(self, order: Order, after: Values | None, limit: int) -> list[Values]:
        """Returns the values of at most `limit` rows after this position, in this order."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows that an index has in the order of the list; the pages of a list merge its streams.

    ranks: the values of the first columns of the order, where they are the same for all rows and no column of theirs.
    """

    rows: QuerySet[Any]
    ranks: Values = ()

    def read(self, order: Order, after: Values | None, limit: int) -> list[Values]:
        """Returns the values of at most `limit` rows after this position, in this order."""
        own = order.columns[len(self.ranks) :]
        names = [column.removeprefix("-") for column in own]
        found: list[Values] = []
        for rows in [self.rows] if after is None else self._beyond(order, own, after):
            if len(found) < limit:
                found += rows.order_by(*own).values_list(*names)[: limit - len(found)]
        return [
            (*self.ranks, *(bytes(each) if isinstance(each, memoryview) else each for each in row))
            for row in found
        ]

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
    """Rows that are read in the order of the list and asked for the filters, at most MAX_EXAMINED for a page.

    stopped_at: the last position that was asked, where a page ended before it was full; else None.
    """

    def __init__(self, streams: Sequence[Readable], rows: QuerySet[Any]) -> None:
        """Takes the streams of all rows, and the rows that fit."""
        self._streams, self._rows = streams, rows
        self.stopped_at: Values | None = None

    def read(self, order: Order, after: Values | None, limit: int) -> list[Values]:
        """Returns the values of at most `limit` rows that fit after this position, in this order."""
        walked = order.walk(self._streams, after)
        found: list[Values] = []
        left, chunk = MAX_EXAMINED, 2 * PAGE_ROWS
        self.stopped_at = None
        while len(found) < limit and (asked := list(islice(walked, min(chunk, left)))):
            every: QuerySet[Any] = self._rows.model._default_manager.filter(pk__in=[row[-1] for row in asked])
            fitting = set(_each_among(every, self._rows).values_list("pk", flat=True))
            found += [row for row in asked if row[-1] in fitting]
            left, chunk = left - len(asked), min(4 * chunk, _MAX_CHUNK)
            if not left and len(found) < limit:
                self.stopped_at = asked[-1]
        return found[:limit]


def count_rows(rows: QuerySet[Any]) -> int | None:
    """Returns how many rows there are; None of more than MAX_COUNTED, which are not read."""
    count = rows.values("pk")[: MAX_COUNTED + 1].count()
    return None if count > MAX_COUNTED else count


def few_rows(
    rows: QuerySet[Any], selections: Sequence[QuerySet[Any]], *, every: QuerySet[Any] | None = None
) -> QuerySet[Any] | None:
    """Returns the filtered rows by the ids of those that one filter selects; None where each selects many.

    selections: the rows of each filter alone, which an index has, in its order where that decides which one. At most
    MAX_COUNTED are found by it and then sorted: the limit keeps the database from walking another index. every: all
    rows of the model, with columns to be read.
    """
    every = rows.model._default_manager.all() if every is None else every
    for selected in selections:
        if count_rows(selected) is not None:
            found = every.filter(pk__in=selected.values("pk")[: MAX_COUNTED + 1])
            return found if selected is rows else _each_among(found, rows)
    return None


def few_or_walked(
    rows: QuerySet[Any], selections: Sequence[QuerySet[Any]], *, walked: Sequence[Readable]
) -> tuple[list[Readable], int | None]:
    """Returns the filtered rows as they are read, and how many there are if one filter selects few; else None.

    walked: all rows in the order of the list.
    """
    few = few_rows(rows, selections)
    return ([Walk(walked, rows)], None) if few is None else ([Stream(few)], few.count())


def _each_among(asked: QuerySet[Any], rows: QuerySet[Any]) -> QuerySet[Any]:
    """Returns those of the asked rows that are among others, each of which is looked up by its id.

    Not by EXISTS, which PostgreSQL may turn into a join that reads all the others.
    """
    itself = rows.order_by().filter(pk=OuterRef("pk")).values("pk")[:1]
    found: QuerySet[Any] = asked.alias(itself=Subquery(itself)).filter(itself__isnull=False)
    return found


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
    if first is not None and last is not None:
        page.previous = positions.write(start, first, leads_on=found.leads_on[0])
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
