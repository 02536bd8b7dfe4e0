"""The list of payouts, by the day of their arrival, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.models import Payout
from partway.billing.snapshots import snapshot
from partway.lib.money import Money

from .. import position_pages
from ..context import MemberContext
from ..list_filters import without_empty_fields
from .filters import STATES, Rows, apply_filters


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

    def beside(row_id: str, is_before: bool) -> Rows | None:
        anchor = Payout.objects.for_organization(ctx.organization).filter(pk=row_id).first()
        if anchor is None:
            return None
        side = "gt" if is_before else "lt"
        # The day by itself too, so that the database finds its place in the index.
        near = Q(**{f"arrives_on__{side}e": anchor.arrives_on})
        beyond = Q(**{f"arrives_on__{side}": anchor.arrives_on}) | Q(**{f"pk__{side}": anchor.pk})
        return filtered.rows.filter(near & beyond)

    with snapshot():  # the totals are of the rows that are shown
        totals = _totals(filtered.rows, ctx.organization.currency)
        page = position_pages.read_page(
            ctx,
            filtered.rows,
            count=sum(each.count for each in totals),
            beside=beside,
            count_rows=Rows.count,
            read=_read,
        )
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


def _read(rows: Rows, backwards: bool) -> list[Payout]:
    newest = rows.select_related("gateway_account").annotate(entries=Count("items"))
    ordered = newest.order_by("arrives_on", "pk") if backwards else newest.order_by("-arrives_on", "-pk")
    return sorted(
        ordered[: position_pages.PAGE_ROWS], key=lambda payout: (payout.arrives_on, payout.pk), reverse=True
    )
