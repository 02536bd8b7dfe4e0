"""The page that a customer returns to: the payment's state, and its receipt once it succeeded."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from partway.billing import links
from partway.billing.errors import NotPayable
from partway.billing.models import Payment
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.delivery.pdf import pdf_response, receipt_pdf
from partway.delivery.receipt_figures import lost_disputes, receipt, reversed_on
from partway.gateways.protocol import OutcomeUnknown, Refused
from partway.lib.clock import now
from partway.lib.money import Money

from . import responses
from .decorators import row_of_link

CONFIRMING = "confirming"
# Asked just now, the gateway said that its checkout waits for the customer. No stored status: it may be paid the
# next moment, so only the response of that question says it.
NOT_PAID = "not_paid"

# The stage, which names the template, of each stored status; every other status is being confirmed.
_STAGES = {
    "pending": "pending",
    "succeeded": "succeeded",
    "reversed": "reversed",
    "failed": "not_charged",
    "canceled": "not_charged",
}
_HAS_RECEIPT = ("succeeded", "reversed")
# Stages in which nothing was taken as far as is known, so that the customer may pay.
_MAY_LEAD_BACK = ("pending", NOT_PAID, "not_charged")


@require_safe
@row_of_link(links.payment_by_token)
def show(request: HttpRequest, token: str, payment: Payment) -> HttpResponse:
    """The payment as it is stored. A GET changes nothing, and calls no gateway."""
    return _page(request, token, payment, _stage(payment))


def _page(request: HttpRequest, token: str, payment: Payment, stage: str) -> HttpResponse:
    document = payment.document
    context: dict[str, Any] = {
        "token": token,
        "organization": payment.organization,
        "seller": payment.seller,
        "recipient": payment.recipient,
        "payment": payment,
        "invoice": document,
        **responses.return_link(payment.organization, payment.payment_request),
        "paid": payment.invoice.amount_paid if payment.invoice else Money(0, document.currency),
    }
    if stage in _HAS_RECEIPT:
        context["receipt"] = receipt(payment)
        context["refunds"] = payment.refunds.counted().order_by("refunded_on", "pk")
        context["lost_disputes"] = lost_disputes(payment)
    if stage == "reversed":
        context["reversed_on"] = reversed_on(payment)
    # Receipts are passed on and kept by people who may not pay or see the invoice, so one leads to no page to pay on.
    # Of a debit that was not needed any more nothing is asked again, whatever else is due.
    if stage in _MAY_LEAD_BACK and payment.accepted is not False:
        with suppress(NotPayable):
            payable = check_payable(payment.source, now=now())
            context |= {"source_path": links.link_path(payment.source), "amount": payable.amount}
            return responses.payable_page(request, f"payment_{stage}", context, payable)
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
    stage = _stage(payment)
    if payment.is_unsettled:
        with suppress(OutcomeUnknown, Refused):  # the page stays as it is and asks again
            fresh = refresh_payment(payment, now=now(), is_fresh=True)
            # Every state but an open checkout moves a pending payment on.
            stage = NOT_PAID if fresh.status == "pending" else _stage(fresh)
    if not request.accepts("text/html"):
        return JsonResponse({"stage": stage})
    # Without a script this response is the only one that knows the gateway's word; a redirect would lose it.
    return _page(request, token, payment, stage) if stage == NOT_PAID else redirect("pay:receipt", token)


def _stage(payment: Payment) -> str:
    # Not decided yet is still confirming; a decision tells the customer whether the money will count (P3).
    if payment.status == "processing" and payment.accepted is not None:
        return "processing" if payment.accepted else "too_late"
    return _STAGES.get(payment.status, CONFIRMING)
