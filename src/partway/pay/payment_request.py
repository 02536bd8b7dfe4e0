"""The page of a payment request: the amount requested, what is left after it, and Pay."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partway.billing import links
from partway.billing.errors import NotPayable
from partway.billing.models import PaymentRequest
from partway.billing.payments.start import check_payable
from partway.billing.requests import payment_requests
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
        if error.reason != "busy":
            return responses.gone(request, payment_request.organization, error.reason)
        return responses.page(request, "payment_request", context, status)
    return responses.payable_page(request, "payment_request", {**context, "alert": alert}, payable, status)


show = require_safe(_page)
mark_opened = opened_view(links.request_by_token, payment_requests.mark_opened)
