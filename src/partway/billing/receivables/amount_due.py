"""Applies what follows from a changed amount due: what no longer fits ends (DESIGN R6, R7, D3).

Every act that changes an amount due calls these functions, under the invoice's lock and in its own transaction.
"""

from __future__ import annotations

from datetime import datetime

from ..checkouts.closing import cancel_payment
from ..errors import PaymentInProgress
from ..events import Actor
from ..models import Invoice, Payment
from ..requests import payment_requests
from ..states import move


def apply_effects(
    invoice: Invoice, *, reason: str, by: Actor, now: datetime, online_payment: Payment | None = None
) -> None:
    """Brings the open request, the payment under way and the invoice's status in line with its amount due.

    An open request for more than is due is canceled with `reason`; an uncommitted payment of more is canceled and
    closed at the gateway after the commit. Raises PaymentInProgress when a committed payment is of more than is due:
    the caller's transaction must be rolled back by it.

    online_payment: the payment that was just booked. Its own request is paid, whatever was captured; one of Pay Now
    cancels the open request, even one that still fits (R6). No other payment is under way then (P1).
    """
    due = invoice.amount_due_minor
    payment = None
    if online_payment is None:
        too_large = invoice.payments.unsettled().filter(amount_minor__gt=due)
        payment = too_large.select_related("gateway_account").first()
        if payment is not None and payment.is_committed:
            raise PaymentInProgress(reason="does_not_fit", amount=payment.amount)
        request = payment_requests.current(invoice)
        if request is not None and request.amount_requested_minor > due:
            payment_requests.end(request, "canceled", reason=reason, by=by, now=now)
    elif (paid := online_payment.payment_request) is None:
        # Money in another currency is not on the invoice and cancels nothing.
        request = payment_requests.current(invoice) if online_payment.allocated_minor else None
        if request is not None:
            payment_requests.end(request, "canceled", reason=reason, by=by, now=now)
    elif paid.status == "open":
        data = {"amount_minor": paid.amount_requested_minor, "currency": paid.currency}
        move(paid, "paid", by=by, now=now, data=data, ended_at=now)
    if due == 0 and invoice.status in ("sent", "written_off"):
        move(invoice, "paid", by=by, now=now, paid_at=now)
    elif due > 0 and invoice.status == "paid":
        move(invoice, "sent", by=by, now=now, paid_at=None)
    if payment is not None:
        payment.refresh_from_db(fields=["status"])  # the end of its request may have moved it
        cancel_payment(payment, by=by, now=now)


def cancel_collection(invoice: Invoice, *, reason: str, by: Actor, now: datetime) -> None:
    """Cancels the open request and the payment under way, whatever their amounts, so that nothing can be paid.

    The payment is closed at the gateway after the commit. Raises PaymentInProgress while it is committed.
    """
    payment = invoice.payments.unsettled().select_related("gateway_account").first()
    if payment is not None and payment.is_committed:
        raise PaymentInProgress()
    request = payment_requests.current(invoice)
    if request is not None:
        payment_requests.end(request, "canceled", reason=reason, by=by, now=now)
    if payment is not None:
        payment.refresh_from_db(fields=["status"])  # the end of its request may have moved it
        cancel_payment(payment, by=by, now=now)
