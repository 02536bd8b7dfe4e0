"""What no rule can settle: what happened, and the way out, until a member says that it is dealt with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpResponse

from partway.billing import alerts
from partway.billing.errors import BillingError
from partway.billing.models import Flag, Invoice, Quote

from ..access import find
from ..context import Visit
from ..forms import Form

_PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of flag is called, and what to do about it."""

    title: str
    way_out: str


_KINDS = {
    "unwanted_payment": Kind(
        "Money nobody waited for",
        "Put the credit on another invoice of this customer, or send it back at the payment service.",
    ),
    "amount_differs": Kind(
        "Another amount than asked",
        "Compare with the payment service. What fits is on the invoice; anything above is the customer’s credit.",
    ),
    "amount_missing": Kind(
        "Money without an amount",
        "Ask the payment service how much was taken. It is booked as soon as they tell.",
    ),
    "deposit_left_over": Kind(
        "A deposit without an invoice",
        "Put the credit on another invoice of this customer, or give it back.",
    ),
    "gateway_refuses": Kind(
        "The payment service does not tell",
        "Look the payment up there. If the credentials changed, connect the service anew in Settings. "
        "This ends by itself once the payment is settled; until then it comes back a day after you dealt with it.",
    ),
    "payment_unsettled": Kind(
        "A payment without an end",
        "Look the payment up at the payment service. "
        "This ends by itself once the payment is settled; until then it comes back a day after you dealt with it.",
    ),
    "list_unread": Kind(
        "The payment service’s list is unread",
        "Payments that were not reported are found there. If the credentials changed, connect the service anew in "
        "Settings. This ends by itself once the list is read again; "
        "until then it comes back a day after you dealt with it.",
    ),
    "unknown_callback": Kind(
        "A report about something unknown",
        "Look it up at the payment service. If it is money for an invoice, record it there by hand.",
    ),
    "unknown_checkout": Kind(
        "Money these books do not know",
        "This happens after a backup was restored, or when somebody could pay twice. Find the customer at the payment "
        "service, then record the payment on the invoice by hand, or send it back there.",
    ),
    "books_differ": Kind(
        "The payment service tells another amount",
        "Compare with the payment service, and ask them which is right before you change anything.",
    ),
    "refunded_at_gateway": Kind(
        "Sent back at the payment service",
        "The books still show the payment as received. Note it for your bookkeeping until refunds are booked here.",
    ),
}
_UNKNOWN = Kind("Needs a look", "Look into it, then mark it as dealt with.")


@dataclass(frozen=True, slots=True)
class Shown:
    """A flag as the page shows it; `document` is the invoice or quote it is about, if any."""

    flag: Flag
    kind: Kind
    document: Invoice | Quote | None

    @property
    def is_quote(self) -> bool:
        """Whether the document is a quote."""
        return isinstance(self.document, Quote)


def index(visit: Visit) -> HttpResponse:
    """What waits, and what was dealt with lately."""
    return _page(visit)


def _page(visit: Visit, form: Form | None = None, refused: Flag | None = None) -> HttpResponse:
    mine = Flag.objects.of(visit.organization).select_related(
        "invoice__customer", "payment__invoice__customer", "payment__quote__customer"
    )
    waiting = mine.filter(resolved_at__isnull=True).order_by("-created_at", "-id")
    page = Paginator(waiting, _PAGE_ROWS).get_page(visit.request.GET.get("page"))
    context = {
        "page": page,
        "waiting": _shown(page.object_list),
        "resolved": _shown(mine.filter(resolved_at__isnull=False).order_by("-resolved_at", "-id")[:20]),
        "form": form,
        "refused": refused,
    }
    return visit.render("staff/attention.html", context, status=form.status if form else 200)


def _shown(rows: Iterable[Flag]) -> list[Shown]:
    return [Shown(flag, _KINDS.get(flag.kind, _UNKNOWN), _document(flag)) for flag in rows]


def _document(flag: Flag) -> Invoice | Quote | None:
    return flag.invoice or (flag.payment.document if flag.payment else None)


def resolve(visit: Visit, flag_id: str) -> HttpResponse:
    """Take it off the list as it was shown, with a word on what was done; asking again changes nothing."""
    flag = find(visit, Flag.objects.all(), flag_id)
    if not visit.posted:
        return visit.go(visit.url("attention"))
    form = Form.typed(visit.request.POST)
    try:
        said, shown = form.text("resolution"), form.text("shown")
        alerts.resolve(flag, shown=shown, by=visit.actor, now=visit.now, resolution=said)
    except BillingError as error:
        form.refuse(error)
        return _page(visit, form, flag)
    return visit.go(visit.url("attention"), said="Marked as dealt with.")
