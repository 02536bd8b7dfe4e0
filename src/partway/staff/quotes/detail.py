"""The list of quotes, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.models import Event, Quote
from partway.billing.models.quotes import QuoteStatus
from partway.billing.models.search import Search
from partway.delivery.pdf import pdf_response, quote_pdf
from partway.lib.money import Money

from .. import live as live_pages
from .. import payment_rows, timeline
from ..access import get_quote_or_404
from ..context import MemberContext
from ..forms import query_text
from ..keyset_pages import MAX_COUNTED, Order, Readable, Stream, count_rows, few_or_walked, read_page
from .table_rows import quote_rows

_FILTERS = {"": _("All"), **dict(QuoteStatus.choices)}
_NEWEST = Order(("-created_at", "-id"), is_whole=True)
_SORTS = {
    "number": Order(("number_key", "id"), is_whole=True),
    "valid_until": Order(("valid_until", "id")),
    "customer": Order(("customer_key", "-id")),
    # Amounts of different currencies do not compare, so the rows are grouped by currency.
    "total": Order(("currency", "total_minor", "id")),
}
_ORDERS = {**_SORTS, **{f"-{name}": order.reversed() for name, order in _SORTS.items()}}


def index(ctx: MemberContext) -> HttpResponse:
    """Searches, filters, sorts and paginates."""
    query = ctx.request.GET
    status, q = query.get("status", ""), query_text(query, "q")
    if status not in _FILTERS:
        status = ""
    order = _ORDERS.get(query.get("sort", ""), _NEWEST)
    mine: QuerySet[Quote] = Quote.objects.filter(organization=ctx.organization)
    rows = mine.filter(status=status) if status else mine
    every = _of_each_status(order, mine, status)
    streams: Sequence[Readable] = every
    if q:
        search = Search(q, ctx.organization)
        found = search.among(Quote.objects.all())
        selections = [found, mine] if search.finds_few(Quote) else [mine]
        rows = found.filter(status=status) if status else found
        streams, count = few_or_walked(rows, selections, walked=every)
    else:
        count = count_rows(rows)
    fetched = Quote.objects.select_related("customer").prefetch_related("payments")
    page = read_page(
        ctx.request,
        streams,
        order,
        count=count,
        fetch=lambda ids: {row.pk: row for row in fetched.filter(pk__in=ids)},
    )
    context = {
        "page": page,
        "rows": quote_rows(page.entries, ctx.organization),
        "max_counted": None if q else MAX_COUNTED,
        "q": q,
        "status": status,
        "status_label": _FILTERS[status],
        "filters": list(_FILTERS.items()),
        "sort": query.get("sort", ""),
        "has_none_yet": not page.entries and not mine.exists(),
    }
    return ctx.render("staff/quotes/index.html", context)


def _of_each_status(order: Order, rows: QuerySet[Quote], status: str) -> list[Stream]:
    """Returns the quotes as an index has them in this order: all, or those of each status, or of the only one."""
    if order.is_whole and not status:
        return [Stream(rows)]
    return [Stream(rows.filter(status=each)) for each in QuoteStatus if status in ("", each)]


def live(ctx: MemberContext, quote_id: str) -> HttpResponseBase:
    """The content of the page for its script; 304 while nothing has happened."""
    return live_pages.response(ctx, Quote, quote_id, show)


def show(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Everything about one quote, its timeline included."""
    # Before all else, so that a page which is older than its version is never taken for the present one.
    live_page = live_pages.live_page(ctx, Quote, quote_id)
    quote = get_quote_or_404(ctx, quote_id)
    events = Event.objects.filter(quote=quote).select_related("payment").order_by("-created_at", "-id")
    status = deposits.deposit_status(quote)
    invoices = list(quote.invoices.order_by("created_at", "id"))
    deposit_is_credit = deposits.is_credit(quote)
    has_ended_or_paid = quote.status not in ("sent", "accepted") or status in ("paid", "processing")
    may_use_link = Permission.COPY_LINKS in ctx.permissions and quote.status in (
        "sent",
        "accepted",
        "invoiced",
    )
    context = {
        "quote": quote,
        "live": live_page,
        "payment_under_way": live_pages.payment_under_way(quote, now=ctx.now),
        "unwanted_debits": quote.payments.unwanted().order_by("created_at"),
        "lines": quote.lines.all(),
        "deposit_status": status,
        "stages": _stages(quote, status),
        "request_unavailable_reason": _request_unavailable_reason(quote),
        "invoice": next((invoice for invoice in invoices if invoice.status != "void"), None),
        "voided": next((invoice for invoice in reversed(invoices) if invoice.status == "void"), None),
        "deposit_is_credit": deposit_is_credit,
        "can_withdraw": deposit_is_credit or not has_ended_or_paid,
        "payments": payment_rows.of_quote(ctx, quote),
        "customer_url": links.quote_url(quote) if may_use_link else "",
        "timeline": timeline.entries(events),
        "mails": quote.mails.prefetch_related("attempts").order_by("-created_at", "-id"),
    }
    return ctx.render("staff/quotes/show.html", context)


def _stages(quote: Quote, deposit_status: str) -> dict[str, Money]:
    """How much of the total the deposit has paid, and how much it asks for; empty where no deposit will come."""
    nothing = Money(0, quote.currency)
    if deposit_status == "paid":
        return {"paid": quote.deposit, "requested": nothing}
    asks = deposit_status != "none" and quote.status in ("sent", "accepted")
    return {"paid": nothing, "requested": quote.deposit} if asks else {}


def _request_unavailable_reason(quote: Quote) -> str:
    """Why a quote has no Request Payment (DESIGN D1), and where it is instead."""
    if quote.status in ("declined", "expired", "withdrawn"):
        return gettext("This quote has ended, so nothing can be asked for. Write a new one, or an invoice.")
    if quote.status == "invoiced":
        return gettext("Request Payment is on the invoice made of this quote.")
    if quote.deposit_minor:
        return gettext(
            "A deposit is only paid as a whole, so no part of it can be requested. "
            "The rest is requested on the invoice, once there is one."
        )
    return gettext("Payments are requested on an invoice. Make an invoice of this quote once it is accepted.")


def pdf(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """The quote as the customer receives it, without the link where the member may not use it; a draft is marked."""
    quote = get_quote_or_404(ctx, quote_id)
    if ctx.is_post:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return pdf_response(quote_pdf(quote, with_link=Permission.COPY_LINKS in ctx.permissions))
