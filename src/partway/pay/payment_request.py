"""The page of a payment request: the amount requested, what is left after it, and Pay."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partway.billing import links
from partway.billing.errors import NotPayable
from partway.billing.models import Payment, PaymentRequest
from partway.billing.payments.start import check_payable
from partway.billing.requests import payment_requests
from partway.delivery.receipt_figures import lost_disputes, receipt
from partway.lib.clock import now

from . import responses
from .decorators import form_of, opened_view, row_of_link


@form_of("pay:request")
@row_of_link(links.request_by_token)
def pay(request: HttpRequest, token: str, payment_request: PaymentRequest) -> HttpResponse:
    """Starts a payment of the amount requested."""
    return responses.start(request, payment_request, partial(_page, request, token))


@row_of_link(links.request_by_token)
def _page(
    request: HttpRequest, token: str, payment_request: PaymentRequest, alert: str = "", status: int = 200
) -> HttpResponse:
    invoice = payment_request.invoice
    context = {
        "token": token,
        "organization": payment_request.organization,
        "payment_request": payment_request,
        "invoice": invoice,
        "lines": invoice.lines.all(),
        "amount": payment_request.amount_requested,
        "left": invoice.amount_due - payment_request.amount_requested,
    }
    try:
        payable = check_payable(payment_request, now=now())
    except NotPayable as error:
        if error.reason == "busy":
            return responses.page(request, "payment_request", context, status)
        payment = _payment_shown(payment_request, error.reason)
        if payment is not None and request.method != "POST":
            return _paid_page(request, payment_request, payment)
        return responses.gone(request, payment_request.organization, error.reason, payment_request)
    context["unwanted"] = payable.unwanted
    # The payment of another link leads to a page that its holder may pay on, which this one's may not know.
    if payable.unsettled is not None and payable.unsettled.payment_request_id == payment_request.pk:
        context["unsettled_path"] = links.link_path(payable.unsettled)
    return responses.payable_page(request, "payment_request", {**context, "alert": alert}, payable, status)


def _payment_shown(payment_request: PaymentRequest, reason: str) -> Payment | None:
    """Returns the payment that this request ended with, or the latest of its invoice where nothing is due any more."""
    if reason == "paid":
        payments = payment_request.payments.all()
    elif reason == "settled":
        payments = Payment.objects.filter(
            allocations__invoice=payment_request.invoice, allocations__cause__in=("payment", "deposit")
        )
    else:
        return None
    return payments.succeeded().order_by("settled_at").last()


def _paid_page(request: HttpRequest, payment_request: PaymentRequest, payment: Payment) -> HttpResponse:
    """The amount, the day and the receipt: its holder could see and pay the request, and gets the receipt by mail."""
    invoice = payment_request.invoice
    context = {
        "organization": payment_request.organization,
        "invoice": invoice,
        "receipt": receipt(payment),
        "receipt_path": links.link_path(payment),
        "is_own": payment.payment_request_id == payment_request.pk,
        "refunds": payment.refunds.counted().order_by("refunded_on", "pk"),
        "lost_disputes": lost_disputes(payment),
        **responses.return_link(payment_request.organization, payment_request),
    }
    return responses.page(request, "request_paid", context)


show = require_safe(_page)
mark_opened = opened_view(links.request_by_token, payment_requests.mark_opened)
