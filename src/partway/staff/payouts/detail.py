"""The page of one payout: the payments, refunds, disputes and fees in it, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.models import Event, Payout
from partway.billing.models.payouts import PayoutItemKind
from partway.gateways.registry import GATEWAYS
from partway.lib.money import Money

from .. import timeline
from ..access import get_own_or_404
from ..context import MemberContext
from .items import with_documents

_PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class KindTotal:
    """The sum of the items of one kind, before fees."""

    label: str
    amount: Money


def show(ctx: MemberContext, payout_id: str) -> HttpResponse:
    """Everything about one payout."""
    payout = get_own_or_404(ctx, Payout.objects.select_related("gateway_account"), payout_id)
    columns = ("amount_minor", "fee_minor", "net_minor")
    rows = payout.items.values_list("kind").annotate(*map(Sum, columns)).order_by()
    sums = {kind: [Money(minor, payout.currency) for minor in minors] for kind, *minors in rows}
    nothing = Money(0, payout.currency)
    events = Event.objects.for_organization(ctx.organization).filter(payout=payout)
    context = {
        "payout": payout,
        "gateway": gettext(GATEWAYS[payout.gateway_account.gateway].name),
        "kinds": [KindTotal(str(kind.label), sums[kind][0]) for kind in PayoutItemKind if kind in sums],
        "fees": sum((fee for _amount, fee, _net in sums.values()), nothing),
        "net": sum((net for _amount, _fee, net in sums.values()), nothing),
        "page": Paginator(with_documents(payout.items.order_by("position")), _PAGE_ROWS).get_page(
            ctx.request.GET.get("page")
        ),
        "timeline": timeline.entries(events.order_by("-created_at", "-pk")),
    }
    return ctx.render("staff/payouts/show.html", context)
