"""The page that a customer returns to: the payment's state, and its receipt once it succeeded."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from partway.billing import links
from partway.billing.errors import NotPayable
from partway.billing.models import Payment
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.delivery.pdf import pdf_response, receipt_pdf
from partway.delivery.receipt_figures import receipt, reversed_on
from partway.gateways.protocol import OutcomeUnknown, Refused
from partway.lib.clock import now
from partway.lib.money import Money

from . import responses
from .decorators import row_of_link

CONFIRMING = "confirming"

# The stage, which names the template, of each stored status; every other status is being confirmed.
_STAGES = {
    "succeeded": "succeeded",
    "reversed": "reversed",
    "failed": "not_charged",
    "canceled": "not_charged",
}
_HAS_RECEIPT = ("succeeded", "reversed")


@require_safe
@row_of_link(links.payment_by_token)
def show(request: HttpRequest, token: str, payment: Payment) -> HttpResponse:
    """The payment as it is stored. A GET changes nothing, and calls no gateway."""
    stage, document = _stage(payment), payment.document
    context = {
        "token": token,
        "organization": payment.organization,
        "seller": payment.seller,
        "recipient": payment.recipient,
        "payment": payment,
        "invoice": document,
        "paid": payment.invoice.amount_paid if payment.invoice else Money(0, document.currency),
    }
    if stage in _HAS_RECEIPT:
        context["receipt"] = receipt(payment)
        context["refunds"] = payment.refunds.succeeded().order_by("refunded_on", "pk")
    if stage == "reversed":
        context["reversed_on"] = reversed_on(payment)
    # Receipts are passed on and kept by people who may not pay or see the invoice, so one leads to no page to pay on.
    if stage not in _HAS_RECEIPT:
        context["payable_url"] = _payable_url(payment)
    return responses.page(request, f"payment_{stage}", context)


@require_safe
@row_of_link(links.payment_by_token)
def pdf(request: HttpRequest, token: str, payment: Payment) -> HttpResponse:
    """The receipt as a file, once there is one; before, it leads to the page."""
    if _stage(payment) not in _HAS_RECEIPT:
        return redirect("pay:receipt", token)
    return pdf_response(receipt_pdf(payment))


@require_POST
@row_of_link(links.payment_by_token)
def refresh(request: HttpRequest, token: str, payment: Payment) -> HttpResponse:
    """Fetches the state from the gateway, for the page's script or a button; JSON {"stage"} for the script.

    The stored state is returned when the payment is settled, when the gateway does not answer, and when too many ask
    it at once.
    """
    if payment.is_unsettled:
        with suppress(OutcomeUnknown, Refused):  # the page stays as it is and asks again
            payment = refresh_payment(payment, now=now())
    if request.accepts("text/html"):
        return redirect("pay:receipt", token)
    return JsonResponse({"stage": _stage(payment)})


def _stage(payment: Payment) -> str:
    # Not decided yet is still confirming; a decision tells the customer whether the money will count (P3).
    if payment.status == "processing" and payment.accepted is not None:
        return "processing" if payment.accepted else "too_late"
    return _STAGES.get(payment.status, CONFIRMING)


def _payable_url(payment: Payment) -> str:
    """Returns the page that the payment began on, while it can still be paid; else an empty string."""
    source = payment.source
    try:
        check_payable(source, now=now())
    except NotPayable:
        return ""
    return links.payment_url(source)
