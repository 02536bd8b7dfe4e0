"""Pages of the list of payments: the newest rows of each kind are read from an index in its order, and merged."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from partway.lib.money import Money

from .. import position_pages
from ..context import MemberContext
from ..position_pages import PositionPage
from .filters import Rows
from .sources import SOURCES, Entry, Position, Source

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """The totals of the whole filtered list in one currency; `settled` is what was settled without money."""

    count: int
    money_in: Money
    money_out: Money
    settled: Money
    fees: Money

    @property
    def net(self) -> Money:
        """The money that came in less the money that went out and the fees."""
        return self.money_in - self.money_out - self.fees


def read_page(rows: Rows, ctx: MemberContext) -> tuple[PositionPage[Entry], list[CurrencyTotals]]:
    """Returns the page that the address names, and the totals of all pages, the organization's own currency first."""
    zone = ctx.organization.time_zone
    totals = _totals(rows, ctx.organization.currency)

    def beside(row_id: str, is_before: bool) -> Rows | None:
        for source in SOURCES:
            if not row_id.startswith(source.id_prefix):
                continue
            found = source.select(ctx.organization).filter(pk=row_id).values_list(*source.columns).first()
            if found is not None:
                anchor = source.position(found, zone)
                side = Source.newer if is_before else Source.older
                return {each: selected.filter(side(each, anchor, zone)) for each, selected in rows.items()}
        return None

    page = position_pages.read_page(
        ctx,
        rows,
        count=sum(each.count for each in totals),
        beside=beside,
        count_rows=lambda part: sum(selected.count() for selected in part.values()),
        read=lambda part, backwards: _entries(_merge(part, zone, backwards=backwards), rows, zone),
    )
    return page, totals


def _totals(rows: Rows, own: str) -> list[CurrencyTotals]:
    """Adds up and counts all kinds in one query."""
    parts = [
        selected.order_by()
        .annotate(row_fee_currency=source.fee_currency)
        .values("row_currency", "row_fee_currency")
        .annotate(
            count=Count("*"),
            money_in=Sum(source.money_in),
            money_out=Sum(source.money_out),
            settled=Sum(source.settled),
            fees=Sum(source.fee),
        )
        for source, selected in rows.items()
    ]
    found = list(parts[0].union(*parts[1:], all=True)) if parts else []
    # A fee may be in another currency than its payment, and then perhaps in one that has no payments at all.
    codes = {row[name] for row in found for name in ("row_currency", "row_fee_currency")} - {""}
    currencies = sorted(codes, key=lambda currency: (currency != own, currency))

    def add_up(name: str, currency: str, of: str = "row_currency") -> Money:
        return Money(sum(row[name] for row in found if row[of] == currency), currency)

    return [
        CurrencyTotals(
            count=sum(row["count"] for row in found if row["row_currency"] == currency),
            money_in=add_up("money_in", currency),
            money_out=add_up("money_out", currency),
            settled=add_up("settled", currency),
            fees=add_up("fees", currency, "row_fee_currency"),
        )
        for currency in currencies
    ]


def _merge(rows: Rows, zone: str, *, backwards: bool) -> list[tuple[Position, Source]]:
    """Returns the positions of one page, newest first; of each kind no more are read than a page has."""
    found = []
    for source, selected in rows.items():
        ordered = selected.order_by(*source.order())
        ordered = ordered.reverse() if backwards else ordered
        columns = ordered.values_list(*source.columns)[: position_pages.PAGE_ROWS]
        found += [(source.position(row, zone), source) for row in columns]
    found.sort(key=lambda placed: placed[0], reverse=True)
    return found[-position_pages.PAGE_ROWS :] if backwards else found[: position_pages.PAGE_ROWS]


def every_entry(rows: Rows, zone: str) -> Iterator[tuple[Entry, Any]]:
    """Yields all rows newest first, each with the minor units of money that it moved, as `money_in` and `money_out`.

    On PostgreSQL with a server-side cursor for each kind, so that neither side holds the whole list.
    """

    def placed(source: Source, selected: QuerySet[Any]) -> Iterator[tuple[Position, Entry, Any]]:
        money = {"money_in": source.money_in, "money_out": source.money_out}
        read = selected.annotate(**money).select_related(*source.related, source.recipient)
        for row in read.order_by(*source.order()).iterator(chunk_size=_ROWS_AT_ONCE):
            entry = source.present(source, row, zone)
            yield Position(entry.day, row.at, row.pk), entry, row

    kinds = [placed(source, selected) for source, selected in rows.items()]
    for _position, entry, row in heapq.merge(*kinds, key=lambda each: each[0], reverse=True):
        yield entry, row


def _entries(placed: list[tuple[Position, Source]], rows: Rows, zone: str) -> list[Entry]:
    """Reads the rows of these positions, those of one kind at once."""
    found: dict[str, Entry] = {}
    for source in rows:
        ids = [position.pk for position, other in placed if other is source]
        if ids:
            related = source.rows.filter(pk__in=ids).select_related(*source.related)
            found |= {row.pk: source.present(source, row, zone) for row in related}
    return [found[position.pk] for position, _source in placed if position.pk in found]
