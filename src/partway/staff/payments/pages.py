"""Pages of the list of payments: the newest rows of each kind are read from an index in its order, and merged."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from partway.billing.models.search import AnyOf
from partway.lib.money import Money

from .. import keyset_pages
from ..context import MemberContext
from ..keyset_pages import MAX_COUNTED, KeysetPage, Order, Readable, Values, few_ids, walk
from ..list_filters import Filtered
from .filters import Rows, within_days
from .sources import Entry, Position, Source

_ROWS_AT_ONCE = 2_000
_ORDERED = {"kind", "paid_from", "paid_until", "totals"}  # filters that the index of the order has
NEWEST = Order(("-day", "-at", "-id"), is_whole=True)  # of a Position


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


@dataclass(frozen=True, slots=True)
class _Kind:
    """The rows of one kind, which an index has in the order of the list; pages merge the kinds."""

    source: Source
    rows: QuerySet[Any]
    zone: str

    def every(self) -> QuerySet[Any]:
        """Returns all rows of all organizations."""
        return self.source.every

    def read(self, order: Order, after: Values | None, limit: int) -> list[Values]:
        """Returns the positions of at most `limit` rows after this one, in this order."""
        return [each for rows in self.ranges(order, after) for each in self.values(order, rows[:limit])]

    def values(self, _order: Order, rows: QuerySet[Any]) -> list[Values]:
        """Returns the positions of rows."""
        return [self.source.position(row, self.zone) for row in rows.values_list(*self.source.columns)]

    def ranges(self, order: Order, after: Values | None) -> Iterator[QuerySet[Any]]:
        """Yields the rows after this position, sorted: one range of the index."""
        is_newest_first = order == NEWEST
        ordered = self.rows.order_by(*self.source.order())
        ordered = ordered if is_newest_first else ordered.reverse()
        if after is not None:
            side = self.source.older if is_newest_first else self.source.newer
            ordered = ordered.filter(side(Position(*after), self.zone))
        yield ordered


def read_page(
    filtered: Filtered[Rows], ctx: MemberContext, *, adds_all: bool
) -> tuple[KeysetPage[Entry], list[CurrencyTotals] | None, bool]:
    """Returns the page that the address names, the totals of all pages, the organization's own currency first, and
    whether the rows were counted.

    Totals of more than MAX_COUNTED rows only for `adds_all`, and of rows that no index has.
    """
    streams, counted = _streams(filtered, ctx)
    count = 0
    for selected in counted.values():
        if count <= MAX_COUNTED:
            count += selected.values("pk")[: MAX_COUNTED + 1 - count].count()
    is_counted = len(counted) == len(filtered.rows)
    totals = None
    if adds_all or (is_counted and count <= MAX_COUNTED):
        totals = _totals(filtered.rows if adds_all else counted, ctx.organization.currency)
    page = keyset_pages.read_page(
        ctx.request,
        streams,
        NEWEST,
        count=None if totals is None else sum(each.count for each in totals),
        fetch=lambda ids: _entries(ids, filtered.rows, ctx.organization.time_zone),
    )
    return page, totals, is_counted or count > MAX_COUNTED


def _streams(filtered: Filtered[Rows], ctx: MemberContext) -> tuple[list[Readable], Rows]:
    """Returns the kinds as they are read in the order of the list, and those that may be counted.

    Counting the others would read all rows of their kind.
    """
    zone = ctx.organization.time_zone
    if not filtered.query.keys() - _ORDERED:
        # Counted in the order of the list too: SQLite would choose an index of all payments for those of one kind.
        ordered = {source: rows.order_by(*source.order()) for source, rows in filtered.rows.items()}
        return [_Kind(source, rows, zone) for source, rows in ordered.items()], ordered
    streams: list[Readable] = []
    counted: Rows = {}
    mine = {source: source.select(ctx.organization) for source in filtered.rows}
    walked = within_days(mine, filtered, ctx)
    for source, rows in filtered.rows.items():
        selections = [each[source] for each in filtered.selections if source in each]
        ids = few_ids(rows, [*selections, mine[source].order_by(*source.order())])
        if ids is None:
            streams += walk([_Kind(source, walked[source], zone)], rows)
            # The rows of one filter are more than the limit; those of several may be any number.
            counted |= {source: rows} if rows in selections else {}
        else:
            counted[source] = source.every.filter(AnyOf(F("pk"), ids))
            streams.append(_Kind(source, counted[source], zone))
    return streams, counted


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


def _entries(ids: list[str], rows: Rows, zone: str) -> dict[str, Entry]:
    """Reads the rows of these ids, those of one kind at once."""
    found: dict[str, Entry] = {}
    for source in rows:
        own = [pk for pk in ids if pk.startswith(source.id_prefix) and pk not in found]
        if own:
            related = source.rows.filter(pk__in=own).select_related(*source.related)
            found |= {row.pk: source.present(source, row, zone) for row in related}
    return found
