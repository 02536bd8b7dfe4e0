"""The page of a payment request: who asks for what, what is left after it, and Pay."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partway.billing import links
from partway.billing.errors import NotPayable
from partway.billing.models import PaymentRequest
from partway.billing.payments.start import check_payable
from partway.billing.requests import payment_requests
from partway.lib.clock import now

from . import responses


@require_safe
def show(http: HttpRequest, token: str) -> HttpResponse:
    """The request, or why it cannot be paid. Looking changes nothing."""
    return _show(http, token)


@require_http_methods(["GET", "HEAD", "POST"])
def pay(http: HttpRequest, token: str) -> HttpResponse:
    """Go to the checkout for the amount requested. Reloading an answer of this leads back to the page."""
    if http.method != "POST":
        return redirect("pay:request", token)
    request = links.request_by_token(token)
    if request is None:
        return responses.not_found(http)
    return responses.start(http, request, partial(_show, http, token))


@require_POST
def mark_opened(http: HttpRequest, token: str) -> HttpResponse:
    """A person has this page before their eyes."""
    request = links.request_by_token(token)
    if request is None:
        return responses.not_found(http)
    payment_requests.mark_opened(request, now=now())
    return HttpResponse(status=204)


def _show(http: HttpRequest, token: str, alert: str = "", status: int = 200) -> HttpResponse:
    request = links.request_by_token(token)
    if request is None:
        return responses.not_found(http)
    try:
        check_payable(request, now=now())
    except NotPayable as error:
        if error.reason != "busy":
            return responses.gone(http, request.organization, error.reason)
        return responses.page(http, "request", _context(request, token), status)
    return responses.payable_page(http, "request", {**_context(request, token), "alert": alert}, status)


def _context(request: PaymentRequest, token: str) -> dict[str, object]:
    invoice = request.invoice
    return {
        "token": token,
        "organization": request.organization,
        "request": request,
        "invoice": invoice,
        "lines": invoice.lines.all(),
        "amount": request.amount_requested,
        "left": invoice.amount_due - request.amount_requested,
    }
