"""Pages of a list by position: a page starts after, or ends before, the position that its address holds.

A page is read from an index in the order of the list, so it costs the same wherever it is and however long the list is.
A position holds the values of a row and not its id: rows that change or go meanwhile make no page skip or repeat any
other row (docs/decisions/0060-lists-that-do-not-grow.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeVar

from django.core.signing import BadSignature, Signer
from django.db.models import (
    BooleanField,
    Exists,
    F,
    Field,
    Func,
    Model,
    OuterRef,
    QuerySet,
    Value,
)
from django.http import HttpRequest, QueryDict

__all__ = [
    "MAX_COUNTED",
    "PAGE_ROWS",
    "KeysetPage",
    "Order",
    "Readable",
    "Stream",
    "Values",
    "count_rows",
    "found_or_walked",
    "read_page",
]

PAGE_ROWS = 50  # of any list
# More rows are counted and added up only when a member asks for it, so that no page costs more in a longer list.
MAX_COUNTED = 5_000
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


def count_rows(rows: QuerySet[Any]) -> int | None:
    """Returns how many rows there are; None of more than MAX_COUNTED, which are not read."""
    count = rows.order_by().values("pk")[: MAX_COUNTED + 1].count()
    return None if count > MAX_COUNTED else count


def found_or_walked(rows: QuerySet[Any], *, among: QuerySet[Any], limit: int | None) -> QuerySet[Any]:
    """Returns the filtered rows so that a page of them reads little, whatever the database knows of its tables.

    At most `limit` of them are found by an index of their filters, and then sorted; the limit keeps the database from
    walking the order. Of more than a limit, None, the next ones are near in the order, so `among` is walked and each
    row asked; asked so, the filters choose no other index.
    """
    if limit is not None:
        every: QuerySet[Any] = rows.model._default_manager.all()
        return every.filter(pk__in=rows.order_by().values("pk")[: limit + 1])
    return among.filter(Exists(rows.filter(pk=OuterRef("pk"))))


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
    """

    entries: Sequence[EntryT]
    start_index: int
    count: int | None
    previous: str = ""
    following: str = ""

    @property
    def end_index(self) -> int:
        """The number of its last row."""
        return self.start_index + len(self.entries) - 1


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
    found, position, backwards = _find(streams, order, position, backwards)
    has_come, has_more, found = position is not None, len(found) > PAGE_ROWS, found[:PAGE_ROWS]
    if backwards:
        found.reverse()
        start = max(0, (number if has_come else (count or 0) + 1) - len(found))
    else:
        start = number and number + 1 if has_come else 1
    has_previous, has_following = (has_more, has_come) if backwards else (has_come, has_more)
    ids = [row[-1] for row in found]
    page = KeysetPage(list(filter(None, map(fetch(ids).get, ids))), start, count)
    if found:
        page.previous = positions.write(start, found[0], leads_on=has_previous)
        end = start and start + len(found) - 1
        page.following = positions.write(end, found[-1], leads_on=has_following)
    return page


def _find(
    streams: Sequence[Readable], order: Order, position: Values | None, backwards: bool
) -> tuple[list[Values], Values | None, bool]:
    """Returns one row more than a page has, and where they were found.

    The last page takes the place of one after it, and the first one, in full, that of one before it.
    """
    direction = order.reversed() if backwards else order
    found = [row for stream in streams for row in stream.read(direction, position, PAGE_ROWS + 1)]
    if position is not None and not found:
        return _find(streams, order, None, not backwards)
    if backwards and len(found) <= PAGE_ROWS:
        return _find(streams, order, None, backwards=False)
    direction.sort(found)
    return found[: PAGE_ROWS + 1], position, backwards
