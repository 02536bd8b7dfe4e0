"""Pages of a list by position: one starts after, or ends before, a row whose id is in the address.

So a page costs the same wherever it is, and stays the same when newer rows come
(docs/decisions/0048-list-of-payments.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .context import MemberContext
from .forms import query_text
from .keyset_pages import PAGE_ROWS

__all__ = ["PAGE_ROWS", "PositionPage", "read_page"]

RowsT = TypeVar("RowsT")
EntryT = TypeVar("EntryT")

_LAST_PAGE = "last"  # in place of an id


@dataclass(frozen=True, slots=True)
class PositionPage(Generic[EntryT]):
    """One page of the list: its rows, and the numbers of the first and the last of them among `count`."""

    entries: Sequence[EntryT]
    start_index: int
    end_index: int
    count: int


def read_page(
    ctx: MemberContext,
    rows: RowsT,
    *,
    count: int,
    beside: Callable[[str, bool], RowsT | None],
    count_rows: Callable[[RowsT], int],
    read: Callable[[RowsT, bool], Sequence[EntryT]],
) -> PositionPage[EntryT]:
    """Returns the page of `rows`, of which there are `count`, that the address names; the first where it names none.

    beside: returns the rows before the row of this id, or after it, which need not be filtered; None for an id that is
    none of this organization. read: returns, newest first, at most PAGE_ROWS of these: the oldest ones, or the newest.
    """
    before = query_text(ctx.request.GET, "before")
    row_id = before or query_text(ctx.request.GET, "after")
    part = beside(row_id, bool(before)) if row_id else None
    backwards = bool(before) if part is not None else before == _LAST_PAGE
    part_count = count if part is None else count_rows(part)
    if not part_count:  # the last page instead of one after it, the first instead of one before it
        part, part_count, backwards = None, count, not backwards
    if backwards and part_count <= PAGE_ROWS:  # the first page, and that in full
        part, part_count, backwards = None, count, False
    entries = read(rows if part is None else part, backwards)
    start = part_count - len(entries) + 1 if backwards else count - part_count + 1
    return PositionPage(entries, start, start + len(entries) - 1, count)
