"""The list of payouts, by the day of their arrival, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.models import Payout
from partway.lib.money import Money

from ..context import MemberContext
from ..forms import query_text
from ..invoice_rows import PAGE_ROWS
from ..list_filters import without_empty_fields
from .filters import STATES, Rows, apply_filters

LAST_PAGE = "last"  # in place of an id


@dataclass(frozen=True, slots=True)
class PayoutPage:
    """One page of the list: its rows, and the numbers of the first and the last of them among `count`."""

    entries: Sequence[Payout]
    start_index: int
    end_index: int
    count: int


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """The totals of the whole filtered list in one currency; what failed is in neither."""

    count: int
    pending: Money
    paid: Money


def index(ctx: MemberContext) -> HttpResponse:
    """Filters, adds up and paginates."""
    if redirected := without_empty_fields(ctx):
        return redirected
    filtered = apply_filters(ctx)
    totals = _totals(filtered.rows, ctx.organization.currency)
    page = _read_page(filtered.rows, ctx, sum(each.count for each in totals))
    context = {
        "page": page,
        "totals": totals,
        "query": filtered.query,
        "chips": filtered.chips,
        "filter_errors": filtered.filter_errors,
        "states": [("", gettext("All")), *STATES.items()],
        "has_none_yet": not page.count and not filtered.query,
    }
    return ctx.render("staff/payouts/index.html", context)


def _totals(rows: Rows, own: str) -> list[CurrencyTotals]:
    found = (
        rows.order_by()
        .values("currency")
        .annotate(
            count=Count("pk"),
            pending=Sum("amount_minor", filter=Q(status="pending"), default=0),
            paid=Sum("amount_minor", filter=Q(status="paid"), default=0),
        )
    )
    return [
        CurrencyTotals(row["count"], *(Money(row[name], row["currency"]) for name in ("pending", "paid")))
        for row in sorted(found, key=lambda row: (row["currency"] != own, row["currency"]))
    ]


def _read_page(rows: Rows, ctx: MemberContext, count: int) -> PayoutPage:
    """Returns the page that the address names; the first where it names none."""
    beside, backwards = _beside(rows, ctx)
    beside_count = count if beside is rows else beside.count()
    if not beside_count:  # the last page instead of one after it, the first instead of one before it
        beside, beside_count, backwards = rows, count, not backwards
    if backwards and beside_count <= PAGE_ROWS:  # the first page, and that in full
        beside, beside_count, backwards = rows, count, False
    newest = beside.select_related("gateway_account").annotate(entries=Count("items"))
    ordered = newest.order_by("arrives_on", "pk") if backwards else newest.order_by("-arrives_on", "-pk")
    found = sorted(ordered[:PAGE_ROWS], key=lambda payout: (payout.arrives_on, payout.pk), reverse=True)
    start = beside_count - len(found) + 1 if backwards else count - beside_count + 1
    return PayoutPage(found, start, start + len(found) - 1, count)


def _beside(rows: Rows, ctx: MemberContext) -> tuple[Rows, bool]:
    """Returns the rows after or before the payout in the address, and whether the page ends there.

    That payout need not be filtered. All rows where the address names none of this organization.
    """
    before = query_text(ctx.request.GET, "before")
    row_id = before or query_text(ctx.request.GET, "after")
    anchor = Payout.objects.for_organization(ctx.organization).filter(pk=row_id).first() if row_id else None
    if anchor is None:
        return rows, before == LAST_PAGE
    side = "gt" if before else "lt"
    # The day by itself too, so that the database finds its place in the index.
    near = Q(**{f"arrives_on__{side}e": anchor.arrives_on})
    beyond = Q(**{f"arrives_on__{side}": anchor.arrives_on}) | Q(**{f"pk__{side}": anchor.pk})
    return rows.filter(near & beyond), bool(before)
