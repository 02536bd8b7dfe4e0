"""The list of payments: every payment, refund and adjustment, by payment date, the newest first."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.accounts.models import GatewayAccount
from partway.billing.snapshots import snapshot
from partway.delivery.receipt_figures import ONLINE_METHODS, method_label
from partway.gateways.registry import GATEWAYS
from partway.lib.money import EXPONENTS

from ..context import MemberContext
from ..keyset_pages import MAX_COUNTED
from ..list_filters import customer_suggestions, people, without_empty_fields
from .filters import KINDS, OFFLINE, STATES, apply_filters
from .pages import read_page
from .table_rows import payment_rows


def index(ctx: MemberContext) -> HttpResponse:
    """Filters, searches, adds up and paginates."""
    if redirected := without_empty_fields(ctx):
        return redirected
    filtered = apply_filters(ctx)
    adds_all = ctx.request.GET.get("totals") == "all"
    if adds_all:
        filtered.query["totals"] = "all"  # also on the next page
    with snapshot():  # the totals are of the rows that are shown
        page, totals, is_counted = read_page(filtered, ctx, adds_all=adds_all)
    context = {
        "page": page,
        "rows": payment_rows(page.entries, ctx.organization),
        "totals": totals,
        "max_counted": MAX_COUNTED if is_counted else None,
        "query": filtered.query,
        "chips": filtered.chips,
        "filter_errors": filtered.filter_errors,
        "kinds": [("", gettext("All")), *KINDS.items()],
        "selects": _selects(ctx, filtered.query),
        "currencies": sorted(EXPONENTS),
        "customer_suggestions": customer_suggestions(ctx),
        "has_none_yet": page.count == 0 and not filtered.query,
    }
    return ctx.render("staff/payments/index.html", context)


def _selects(ctx: MemberContext, query: Any) -> list[tuple[str, str, list[tuple[str, Any]], str]]:
    """The filters with choices: name, label, the choices, and the one that is chosen."""
    # An organization may have had other modes before; one of those is a choice while it is chosen.
    methods = dict.fromkeys((*ONLINE_METHODS, *ctx.organization.payment_modes, query.get("method", "")))
    accounts = GatewayAccount.objects.filter(organization=ctx.organization)
    gateways = sorted(set(accounts.values_list("gateway", flat=True)))
    choices = (
        ("state", gettext("Status"), list(STATES.items())),
        (
            "method",
            gettext("Method"),
            [(method, method_label(method)) for method in methods if method],
        ),
        (
            "gateway",
            gettext("Payment service"),
            [
                *((code, gettext(GATEWAYS[code].name)) for code in gateways),
                (OFFLINE, gettext("None: offline")),
            ],
        ),
        ("member", gettext("Member"), list(people(ctx).items())),
    )
    return [(*each, query.get(each[0], "")) for each in choices]
