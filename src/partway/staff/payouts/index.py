"""The list of payouts, by the day of their arrival, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.models import Payout
from partway.billing.snapshots import snapshot
from partway.lib.money import Money

from ..context import MemberContext
from ..keyset_pages import Order, Stream, read_page
from ..list_filters import without_empty_fields
from .filters import STATES, Rows, apply_filters

_NEWEST = Order(("-arrives_on", "-id"), is_whole=True)


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
    with_entries = Payout.objects.select_related("gateway_account").annotate(entries=Count("items"))
    with snapshot():  # the totals are of the rows that are shown
        totals = _totals(filtered.rows, ctx.organization.currency)
        page = read_page(
            ctx.request,
            [Stream(filtered.rows)],
            _NEWEST,
            count=sum(each.count for each in totals),
            fetch=lambda ids: {payout.pk: payout for payout in with_entries.filter(pk__in=ids)},
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
