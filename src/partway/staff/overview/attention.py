"""What no rule can settle: what happened, and the way out, until a member says that it is dealt with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpResponse

from partway.billing import alerts
from partway.billing.errors import BillingError
from partway.billing.models import Alert, Invoice, Quote

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form

_PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class AlertKind:
    """What a kind of flag is called, and what to do about it."""

    title: str
    remedy: str


_KINDS = {
    "unwanted_payment": AlertKind(
        "Money nobody waited for",
        "Put the credit on another invoice of this customer, or send it back at the payment service.",
    ),
    "captured_amount_mismatch": AlertKind(
        "Another amount than asked",
        "Compare with the payment service. What fits is on the invoice; anything above is the customer’s credit.",
    ),
    "captured_amount_missing": AlertKind(
        "Money without an amount",
        "Ask the payment service how much was taken. It is booked as soon as they tell.",
    ),
    "deposit_unallocated": AlertKind(
        "A deposit without an invoice",
        "Put the credit on another invoice of this customer, or give it back.",
    ),
    "gateway_refused": AlertKind(
        "The payment service does not tell",
        "Look the payment up there. If the credentials changed, connect the service anew in Settings. "
        "This ends by itself once the payment is settled; until then it comes back a day after you dealt with it.",
    ),
    "payment_unsettled": AlertKind(
        "A payment without an end",
        "Look the payment up at the payment service. "
        "This ends by itself once the payment is settled; until then it comes back a day after you dealt with it.",
    ),
    "gateway_list_unavailable": AlertKind(
        "The payment service’s list is unread",
        "Payments that were not reported are found there. If the credentials changed, connect the service anew in "
        "Settings. This ends by itself once the list is read again; "
        "until then it comes back a day after you dealt with it.",
    ),
    "unmatched_callback": AlertKind(
        "A report about something unknown",
        "Look it up at the payment service. If it is money for an invoice, record it there by hand.",
    ),
    "unmatched_checkout": AlertKind(
        "Money these books do not know",
        "This happens after a backup was restored, or when somebody could pay twice. Find the customer at the payment "
        "service, then record the payment on the invoice by hand, or send it back there.",
    ),
    "booked_amount_mismatch": AlertKind(
        "The payment service tells another amount",
        "Compare with the payment service, and ask them which is right before you change anything.",
    ),
    "refunded_at_gateway": AlertKind(
        "Sent back at the payment service",
        "The books still show the payment as received. Note it for your bookkeeping until refunds are booked here.",
    ),
}
_DEFAULT_KIND = AlertKind("Needs a look", "Look into it, then mark it as dealt with.")


@dataclass(frozen=True, slots=True)
class AlertRow:
    """A flag as the page shows it; `document` is the invoice or quote it is about, if any."""

    alert: Alert
    kind: AlertKind
    document: Invoice | Quote | None

    @property
    def is_quote(self) -> bool:
        """Whether the document is a quote."""
        return isinstance(self.document, Quote)


def index(ctx: MemberContext) -> HttpResponse:
    """What waits, and what was dealt with lately."""
    return _page(ctx)


def _page(ctx: MemberContext, form: Form | None = None, refused: Alert | None = None) -> HttpResponse:
    mine = Alert.objects.for_organization(ctx.organization).select_related(
        "invoice__customer", "payment__invoice__customer", "payment__quote__customer"
    )
    open_alerts = mine.filter(resolved_at__isnull=True).order_by("-created_at", "-id")
    page = Paginator(open_alerts, _PAGE_ROWS).get_page(ctx.request.GET.get("page"))
    context = {
        "page": page,
        "open_alerts": _shown(page.object_list),
        "resolved": _shown(mine.filter(resolved_at__isnull=False).order_by("-resolved_at", "-id")[:20]),
        "form": form,
        "refused": refused,
    }
    return ctx.render("staff/attention.html", context, status=form.status if form else 200)


def _shown(rows: Iterable[Alert]) -> list[AlertRow]:
    return [AlertRow(alert, _KINDS.get(alert.kind, _DEFAULT_KIND), _document(alert)) for alert in rows]


def _document(alert: Alert) -> Invoice | Quote | None:
    return alert.invoice or (alert.payment.document if alert.payment else None)


def resolve(ctx: MemberContext, alert_id: str) -> HttpResponse:
    """Take it off the list as it was shown, with a word on what was done; asking again changes nothing."""
    alert = get_own_or_404(ctx, Alert.objects.all(), alert_id)
    if not ctx.is_post:
        return ctx.redirect(ctx.url("attention"))
    form = Form.from_data(ctx.request.POST)
    try:
        notice, shown = form.text("resolution"), form.text("shown")
        alerts.resolve(alert, shown=shown, by=ctx.actor, now=ctx.now, resolution=notice)
    except BillingError as error:
        form.add_error(error)
        return _page(ctx, form, alert)
    return ctx.redirect(ctx.url("attention"), notice="Marked as dealt with.")
