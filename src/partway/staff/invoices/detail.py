"""The page of one invoice, and its row in every list."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponse, HttpResponseNotAllowed

from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.ledger import allocations
from partway.billing.models import Event, Invoice, Mail, PaymentRequest
from partway.billing.models.fields import OrganizationQuerySet
from partway.billing.receivables import credit
from partway.billing.requests import payment_requests
from partway.delivery.pdf import invoice_pdf, pdf_response
from partway.lib.money import Money

from .. import payment_rows, timeline
from ..access import get_own_or_404
from ..context import MemberContext

PAGE_ROWS = 50


def with_open_requests(rows: OrganizationQuerySet[Invoice]) -> QuerySet[Any]:
    """Invoices with their customer and open request, as a row of a list shows them."""
    open_ones = Prefetch("payment_requests", PaymentRequest.objects.open(), to_attr="open_requests")
    return rows.select_related("customer").prefetch_related(open_ones)


def show(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Everything about one invoice."""
    rows = Invoice.objects.select_related("organization", "customer", "quote")
    invoice = get_own_or_404(ctx, rows, invoice_id)
    asked = list(invoice.payment_requests.prefetch_related("mails__attempts").order_by("-created_at", "-id"))
    open_request = next((request for request in asked if request.status == "open"), None)
    context = {
        "invoice": invoice,
        "lines": invoice.lines.all(),
        "unavailable_reason": payment_requests.unavailable_reason(invoice, now=ctx.now),
        "written_off": _written_off(invoice),
        "open_request": open_request,
        "open_request_mail": _latest_mail(open_request),
        "open_request_expired": open_request is not None and open_request.has_expired(ctx.now),
        "open_request_url": links.request_url(open_request) if open_request else "",
        "ended_requests": [request for request in asked if request.status != "open"],
        "payments": payment_rows.of_invoice(ctx, invoice),
        "accepts_payments": invoice.status in allocations.ALLOCATABLE_STATUSES,
        "credit": credit.available_credit(invoice),
        "customer_url": links.invoice_url(invoice) if invoice.status != "draft" else "",
        "timeline": timeline.entries(_events(invoice)),
        "mails": invoice.mails.prefetch_related("attempts").order_by("-created_at", "-id"),
        **_deposit(invoice),
    }
    return ctx.render("staff/invoices/show.html", context)


def _written_off(invoice: Invoice) -> Event | None:
    """By whom and when, while it is."""
    if invoice.status != "written_off":
        return None
    return invoice.events.filter(type="invoice.written_off").order_by("created_at", "id").last()


def _events(invoice: Invoice) -> QuerySet[Event]:
    """What happened to it, newest first; a payment of another invoice that stood here may have been reversed."""
    elsewhere = Q(type="payment.reversed", payment__in=invoice.allocations.values("payment"))
    events = Event.objects.filter(Q(invoice=invoice) | elsewhere)
    return events.select_related("payment_request", "payment").order_by("-created_at", "-id")


def _deposit(invoice: Invoice) -> dict[str, Money | None]:
    """The deposit that came with the quote it was made of, and what of it is credit, or will be once it is sent."""
    payment = deposits.deposit_payment(invoice.quote) if invoice.quote else None
    if payment is None or payment.captured is None:
        return {}
    taken, left = payment.captured, allocations.unallocated(payment)
    if invoice.status == "draft":
        left = Money(max(0, taken.amount_minor - invoice.total_minor), taken.currency)
    return {"deposit": taken, "deposit_left": left}


def pdf(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The invoice as the customer gets it, a draft marked as one."""
    invoice = get_own_or_404(ctx, Invoice.objects.select_related("organization", "customer"), invoice_id)
    if ctx.is_post:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return pdf_response(invoice_pdf(invoice))


def _latest_mail(request: PaymentRequest | None) -> Mail | None:
    return max(request.mails.all(), key=lambda mail: (mail.created_at, mail.pk)) if request else None
