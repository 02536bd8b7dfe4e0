"""The list of quotes, and the page of one."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse, HttpResponseNotAllowed

from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.models import Event, Invoice, Quote
from partway.billing.models.quotes import QuoteQuerySet, QuoteStatus
from partway.delivery.pdf import pdf_response, quote_pdf
from partway.lib.money import Money

from .. import payment_rows, timeline
from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import strip_nul
from ..invoices.detail import PAGE_ROWS

_FILTERS = {"": "All", **{str(value): str(label) for value, label in QuoteStatus.choices}}
_SORTS = {
    "valid_until": ("valid_until", "id"),
    "-valid_until": ("-valid_until", "-id"),
    "customer": ("customer__name", "id"),
    "-customer": ("-customer__name", "-id"),
    "total": ("total_minor", "id"),
    "-total": ("-total_minor", "-id"),
}
_NEWEST = ("-created_at", "-id")


def index(ctx: MemberContext) -> HttpResponse:
    """Search, filter, sort and turn pages."""
    asked = ctx.request.GET
    status = asked.get("status", "") if asked.get("status", "") in _FILTERS else ""
    q = strip_nul(asked.get("q", "")).strip()
    mine = Quote.objects.filter(organization=ctx.organization)
    rows = _found(mine.filter(status=status) if status else mine, q)
    ordered = rows.order_by(*_SORTS.get(asked.get("sort", ""), _NEWEST))
    fetched = ordered.select_related("customer").prefetch_related("payments")
    page = Paginator(fetched, PAGE_ROWS).get_page(asked.get("page"))
    context = {
        "page": page,
        "rows": [(quote, deposits.deposit_status(quote)) for quote in page.object_list],
        "q": q,
        "status": status,
        "status_words": _FILTERS[status],
        "filters": list(_FILTERS.items()),
        "sort": asked.get("sort", ""),
        "has_none_yet": not page.object_list and not mine.exists(),
    }
    return ctx.render("staff/quotes/index.html", context)


def _found(rows: QuoteQuerySet, q: str) -> QuoteQuerySet:
    if not q:
        return rows
    return rows.filter(Q(number__icontains=q) | Q(customer__name__icontains=q) | Q(customer__email__iexact=q))


def show(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Everything about one quote."""
    quote = get_own_or_404(ctx, Quote.objects.select_related("organization", "customer"), quote_id)
    events = Event.objects.filter(quote=quote).select_related("payment").order_by("-created_at", "-id")
    status = deposits.deposit_status(quote)
    context = {
        "quote": quote,
        "lines": quote.lines.all(),
        "deposit_status": status,
        "stages": _stages(quote, status),
        "request_unavailable_reason": _request_unavailable_reason(quote),
        "invoice": Invoice.objects.filter(quote=quote).first(),
        "payments": payment_rows.of_quote(ctx, quote),
        "customer_url": links.quote_url(quote) if quote.status in ("sent", "accepted", "invoiced") else "",
        "timeline": timeline.entries(events),
        "mails": quote.mails.prefetch_related("attempts").order_by("-created_at", "-id"),
    }
    return ctx.render("staff/quotes/show.html", context)


def _stages(quote: Quote, status: str) -> dict[str, Money]:
    """What of the total the deposit has paid, and what it asks for; nothing where no deposit will come."""
    nothing = Money(0, quote.currency)
    if status == "paid":
        return {"paid": quote.deposit, "asked": nothing}
    asks = status != "none" and quote.status in ("sent", "accepted")
    return {"paid": nothing, "asked": quote.deposit} if asks else {}


def _request_unavailable_reason(quote: Quote) -> str:
    """Why Request Payment is not offered on a quote (DESIGN D1), and where it is."""
    if quote.status in ("declined", "expired"):
        return "This quote has ended, so nothing can be asked for. Write a new one, or an invoice."
    if quote.status == "invoiced":
        return "Request Payment is on the invoice made of this quote."
    if quote.deposit_minor:
        message = "A deposit is only paid as a whole, so no part of it can be requested."
        return f"{message} The rest is requested on the invoice, once there is one."
    return "A quote asks for no payments. Make an invoice of it once it is accepted, and request them there."


def pdf(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """The quote as the customer gets it, a draft marked as one."""
    quote = get_own_or_404(ctx, Quote.objects.select_related("organization", "customer"), quote_id)
    if ctx.is_post:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return pdf_response(quote_pdf(quote))
