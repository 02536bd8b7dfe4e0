"""The page a customer returns to: what became of a payment, and once it succeeded its receipt."""

from __future__ import annotations

from threading import BoundedSemaphore

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from partway.billing import links
from partway.billing.errors import NotPayable
from partway.billing.models import Invoice, Payment
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.delivery.pdf import pdf_response, receipt_pdf
from partway.delivery.receipt_figures import receipt, reversed_on
from partway.gateways.protocol import OutcomeUnknown, Refused
from partway.lib.clock import now
from partway.lib.money import Money

from . import responses

CONFIRMING = "confirming"

# A gateway that hangs must not hold every thread of this process: there are others to serve, and callbacks.
_REFRESH_SLOTS = BoundedSemaphore(4)

# What a customer is told for each stored state; the rest of the states are being confirmed.
_STAGES = {
    "succeeded": "succeeded",
    "reversed": "reversed",
    "failed": "nothing_charged",
    "canceled": "nothing_charged",
}
# These have a receipt; that of a reversed payment says so.
_HAS_RECEIPT = ("succeeded", "reversed")


@require_safe
def show(http: HttpRequest, token: str) -> HttpResponse:
    """How the payment stands as far as we know. Looking changes nothing, and asks the gateway nothing."""
    payment = links.payment_by_token(token)
    if payment is None:
        return responses.not_found(http)
    stage = _stage(payment)
    document = payment.document
    paid = document.amount_paid if isinstance(document, Invoice) else Money(0, document.currency)
    shared = {"organization": payment.organization, "invoice": document, "payment_history": paid}
    context = {"token": token, "payment": payment, **shared, **_known(payment, stage)}
    return responses.page(http, f"payment_{stage}", context)


def _known(payment: Payment, stage: str) -> dict[str, object]:
    """What only this stage can tell: the figures of money that came in, and the way back to what can be paid."""
    if stage == "succeeded":
        return {"receipt": receipt(payment)}
    if stage == "reversed":
        taken_back = {"receipt": receipt(payment), "reversed_on": reversed_on(payment)}
        return {**taken_back, "back": _payable_url(payment)}
    return {"back": _payable_url(payment)}


@require_safe
def pdf(http: HttpRequest, token: str) -> HttpResponse:
    """The receipt as a file, once there is one; until then the page says how things stand."""
    payment = links.payment_by_token(token)
    if payment is None:
        return responses.not_found(http)
    if _stage(payment) not in _HAS_RECEIPT:
        return redirect("pay:receipt", token)
    return pdf_response(receipt_pdf(payment))


@require_POST
def refresh(http: HttpRequest, token: str) -> HttpResponse:
    """Ask the gateway how it stands: the page does so every moment, or a person presses the button."""
    payment = links.payment_by_token(token)
    if payment is None:
        return responses.not_found(http)
    payment = _refreshed(payment)
    if http.accepts("text/html"):
        return redirect("pay:receipt", token)
    return JsonResponse({"stage": _stage(payment)})


def _refreshed(payment: Payment) -> Payment:
    """The payment as the gateway tells; as we know it where nothing is open, or where enough are asking already."""
    if not payment.is_unsettled or not _REFRESH_SLOTS.acquire(blocking=False):
        return payment
    try:
        return refresh_payment(payment, now=now())
    except (OutcomeUnknown, Refused):  # nobody knows yet: the page says so and asks again
        return payment
    finally:
        _REFRESH_SLOTS.release()


def _stage(payment: Payment) -> str:
    if payment.status == "processing" and payment.accepted is not None:
        return "at_the_bank" if payment.accepted else "unwanted"
    return _STAGES.get(payment.status, CONFIRMING)


def _payable_url(payment: Payment) -> str:
    """The page the customer came from, while it can still be paid."""
    source = payment.payment_request or payment.document
    try:
        check_payable(source, now=now())
    except NotPayable:
        return ""
    return links.payment_url(source)
