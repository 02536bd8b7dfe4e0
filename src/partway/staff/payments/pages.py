"""Pages of the list of payments: the newest rows of each kind are read from an index in its order, and merged.

A page starts after, or ends before, a row whose id is in the address; so it costs the same wherever it is, and stays
the same when newer rows come ([0048]).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, Sum, Value

from partway.accounts.models import Organization
from partway.lib.money import Money

from ..context import MemberContext
from ..forms import query_text
from ..invoice_rows import PAGE_ROWS
from .filters import Rows
from .sources import SOURCES, Entry, Position, Source

LAST_PAGE = "last"  # in place of an id


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """The totals of the whole filtered list in one currency; `settled` is what was settled without money."""

    count: int
    money_in: Money
    money_out: Money
    settled: Money

    @property
    def net(self) -> Money:
        """The money that came in less the money that went out."""
        return self.money_in - self.money_out


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of the list: its rows, and the numbers of the first and the last of them among `count`."""

    entries: list[Entry]
    start_index: int
    count: int

    @property
    def end_index(self) -> int:
        """The number of the last row."""
        return self.start_index + len(self.entries) - 1

    @property
    def last_id(self) -> str:
        """The id of the last row, after which the next page starts."""
        return self.entries[-1].pk

    @property
    def has_previous(self) -> bool:
        """Whether there are newer rows."""
        return self.start_index > 1

    @property
    def has_next(self) -> bool:
        """Whether there are older rows."""
        return self.end_index < self.count


def read_page(rows: Rows, ctx: MemberContext) -> tuple[EntryPage, list[CurrencyTotals]]:
    """Returns the page that the address names, and the totals of all pages, the organization's own currency first."""
    zone = ctx.organization.time_zone
    before, after = (query_text(ctx.request.GET, name) for name in ("before", "after"))
    anchor = _find(before or after, ctx.organization)
    backwards = bool(before) and (anchor is not None or before == LAST_PAGE)
    # How many rows are on the side of the anchor where the page is; the totals count them along.
    beside: dict[Source, Q] = {}
    if anchor is not None:
        beside = {source: (source.newer if backwards else source.older)(anchor, zone) for source in rows}
    totals, beside_count = _totals(rows, beside, ctx.organization.currency)
    count = sum(each.count for each in totals)
    if anchor is not None and not beside_count:  # nothing is there: the first page, or the last
        anchor, backwards = None, not backwards
    if anchor is None:
        beside, beside_count = {}, count
    if backwards and beside_count <= PAGE_ROWS:  # no page between the first row and the anchor
        beside, beside_count, backwards = {}, count, False
    entries = _entries(_merge(rows, beside, zone, backwards=backwards), rows, zone)
    start = beside_count - len(entries) + 1 if backwards else count - beside_count + 1
    return EntryPage(entries, start, count), totals


def _find(row_id: str, organization: Organization) -> Position | None:
    """Returns the position of this organization's row of that id, whatever is filtered; None for no such row."""
    for source in SOURCES:
        if row_id.startswith(source.id_prefix):
            found = source.select(organization).filter(pk=row_id).values_list(*source.columns).first()
            if found is not None:
                return source.position(found, organization.time_zone)
    return None


def _totals(rows: Rows, beside: dict[Source, Q], own: str) -> tuple[list[CurrencyTotals], int]:
    """Adds up all kinds in one query; counts the rows that `beside` selects too."""
    parts = [
        selected.order_by()
        .values("row_currency")
        .annotate(
            count=Count("pk"),
            beside=Count("pk", filter=beside[source]) if source in beside else Value(0),
            money_in=Sum(source.money_in),
            money_out=Sum(source.money_out),
            settled=Sum(source.settled),
        )
        for source, selected in rows.items()
    ]
    found = list(parts[0].union(*parts[1:], all=True)) if parts else []
    currencies = sorted(
        {row["row_currency"] for row in found}, key=lambda currency: (currency != own, currency)
    )

    def add_up(name: str, currency: str) -> int:
        return sum(row[name] for row in found if row["row_currency"] == currency)

    totals = [
        CurrencyTotals(
            add_up("count", currency),
            *(Money(add_up(name, currency), currency) for name in ("money_in", "money_out", "settled")),
        )
        for currency in currencies
    ]
    return totals, sum(row["beside"] for row in found)


def _merge(
    rows: Rows, beside: dict[Source, Q], zone: str, *, backwards: bool
) -> list[tuple[Position, Source]]:
    """Returns the positions of one page, newest first; of each kind no more are read than a page has."""
    found = []
    for source, selected in rows.items():
        ordered = selected.filter(beside.get(source, Q())).order_by(*source.order())
        ordered = ordered.reverse() if backwards else ordered
        columns = ordered.values_list(*source.columns)[:PAGE_ROWS]
        found += [(source.position(row, zone), source) for row in columns]
    found.sort(key=lambda placed: placed[0], reverse=True)
    return found[-PAGE_ROWS:] if backwards else found[:PAGE_ROWS]


def _entries(placed: list[tuple[Position, Source]], rows: Rows, zone: str) -> list[Entry]:
    """Reads the rows of these positions, those of one kind at once."""
    found: dict[str, Entry] = {}
    for source in rows:
        ids = [position.pk for position, other in placed if other is source]
        if ids:
            related = source.rows.filter(pk__in=ids).select_related(*source.related)
            found |= {row.pk: source.present(source, row, zone) for row in related}
    return [found[position.pk] for position, _source in placed if position.pk in found]
