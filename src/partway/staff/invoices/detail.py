"""The page of one invoice."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase, HttpResponseNotAllowed

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.errors import BillingError, Invalid
from partway.billing.ledger import allocations
from partway.billing.models import Event, Invoice, Payment, PaymentRequest
from partway.billing.receivables import credit
from partway.billing.requests import payment_requests
from partway.delivery.messages.online_amounts import due_message, rest_message
from partway.delivery.pdf import invoice_pdf, pdf_response
from partway.lib.money import Money

from .. import live as live_pages
from .. import payment_rows, timeline
from ..access import get_invoice_or_404
from ..confirm import unavailable_message
from ..context import MemberContext
from . import parties


def live(ctx: MemberContext, invoice_id: str) -> HttpResponseBase:
    """The content of the page for its script; 304 while nothing has happened."""
    return live_pages.response(ctx, Invoice, invoice_id, show)


def show(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Everything about one invoice, its timeline included."""
    # Before all else, so that a page which is older than its version is never taken for the present one.
    live_page = live_pages.live_page(ctx, Invoice, invoice_id)
    invoice = get_invoice_or_404(ctx, invoice_id)
    written_off = None
    if invoice.status == "written_off":
        # The owner's decision; a payment that bounced later only brings the invoice back to it.
        decisions = invoice.events.filter(type="invoice.written_off", data__from="sent")
        written_off = decisions.order_by("created_at", "id").last()
    # A payment of another invoice that was allocated here may have been reversed there.
    allocated = list(invoice.allocations.values_list("payment", flat=True))
    elsewhere = Q(type="payment.reversed", payment__in=allocated)
    events = Event.objects.filter(Q(invoice=invoice) | elsewhere).select_related("payment_request", "payment")
    unavailable_reason = payment_requests.unavailable_reason(invoice)
    may_use_link = Permission.COPY_LINKS in ctx.permissions and invoice.status != "draft"
    requests = _requests(ctx, invoice)
    context = {
        "invoice": invoice,
        "online_message": _online_message(ctx, invoice, unavailable_reason, requests["open_request"]),
        "live": live_page,
        "payment_under_way": live_pages.payment_under_way(invoice, now=ctx.now),
        "unwanted_debits": invoice.payments.unwanted().order_by("created_at"),
        "lines": invoice.lines.all(),
        "unavailable_reason": unavailable_reason,
        "unavailable_message": unavailable_message(unavailable_reason),
        "written_off": written_off,
        "party_hints": parties.hints(invoice),
        "payments": payment_rows.of_invoice(ctx, invoice),
        "accepts_payments": invoice.status in allocations.ALLOCATABLE_STATUSES,
        "credit": credit.available_credit(invoice),
        "customer_url": links.invoice_url(invoice) if may_use_link else "",
        "timeline": timeline.entries(events.order_by("-created_at", "-id")),
        "mails": invoice.mails.prefetch_related("attempts").order_by("-created_at", "-id"),
        **requests,
        **_deposit(invoice),
    }
    return ctx.render("staff/invoices/show.html", context)


def _online_message(
    ctx: MemberContext,
    invoice: Invoice,
    unavailable_reason: BillingError | None,
    open_request: PaymentRequest | None,
) -> str:
    """The part that cannot be paid online, as a sentence: of the due, or of what the open request leaves of it.

    Empty where `unavailable_reason` says it already.
    """
    # The dialog of the request says it while the amount is typed, but only where its script runs.
    if open_request is not None:
        return rest_message(ctx.organization, invoice.amount_due - open_request.amount_requested)
    if invoice.status not in ("draft", "sent") or isinstance(unavailable_reason, Invalid):
        return ""
    return due_message(ctx.organization, invoice.amount_due)


def _requests(ctx: MemberContext, invoice: Invoice) -> dict[str, Any]:
    """The open request with its latest mail and its link, and the requests that ended."""
    requests = invoice.payment_requests.prefetch_related("mails__attempts").order_by("-created_at", "-id")
    ended = [request for request in requests if request.status != "open"]
    open_request = next((request for request in requests if request.status == "open"), None)
    if open_request is None:
        return {"open_request": None, "ended_requests": ended}
    return {
        "open_request": open_request,
        "open_request_mail": max(
            open_request.mails.all(), key=lambda mail: (mail.created_at, mail.pk), default=None
        ),
        "open_request_expired": open_request.has_expired(ctx.now),
        "is_being_paid": payment_requests.is_being_paid(open_request),
        "open_request_url": links.request_url(open_request)
        if Permission.COPY_LINKS in ctx.permissions
        else "",
        "ended_requests": ended,
    }


def _deposit(invoice: Invoice) -> dict[str, Money | None]:
    """The deposit that came with the quote, and how much of it is credit or will be once the invoice is sent."""
    if invoice.quote is None:
        return {}
    # Another invoice of the quote may have taken the deposit before, and is void now (D2).
    taken_here = Payment.objects.deposits().filter(allocations__invoice=invoice, allocations__cause="deposit")
    is_draft = invoice.status == "draft"
    payment = deposits.waiting_deposit(invoice.quote) if is_draft else taken_here.first()
    if payment is None or payment.captured is None:
        return {}
    taken, left = payment.captured, allocations.unallocated(payment)
    if is_draft:
        left = Money(max(0, taken.amount_minor - invoice.total_minor), taken.currency)
    return {"deposit": taken, "deposit_left": left}


def pdf(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The invoice as the customer receives it, without the link where the member may not use it; a draft is marked."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    if ctx.is_post:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return pdf_response(invoice_pdf(invoice, with_link=Permission.COPY_LINKS in ctx.permissions))
