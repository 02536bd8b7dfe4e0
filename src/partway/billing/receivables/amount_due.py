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
    invoice: Invoice,
    *,
    reason: str,
    by: Actor,
    now: datetime,
    online_payment: Payment | None = None,
    restores_write_off: bool = False,
) -> None:
    """Brings the open request, the payment under way and the invoice's status in line with its amount due.

    An open request for more than is due is canceled with `reason`; an uncommitted payment of more is canceled and
    closed at the gateway after the commit. Raises PaymentInProgress when a committed payment is of more than is due:
    the caller's transaction must be rolled back by it.

    online_payment: the payment that was just booked. Its own request is paid, whatever was captured; one of Pay Now
    cancels the open request, even one that still fits (R6). No other payment is under way then (P1).

    restores_write_off: the payment went away by itself, as a bounced check. An invoice that was written off before it
    came is written off again; acts by which a member asks for the money anew leave this out.
    """
    due = invoice.amount_due_minor
    too_large = None
    if online_payment is None:
        payments = invoice.payments.under_way().filter(amount_minor__gt=due)
        too_large = payments.select_related("gateway_account").first()
        if too_large is not None and too_large.is_committed:
            raise PaymentInProgress(reason="does_not_fit", amount=too_large.amount)
        request = payment_requests.current(invoice)
        if request is not None and request.amount_requested_minor > due:
            payment_requests.end(request, "canceled", reason=reason, by=by, now=now)
    else:
        _end_request(invoice, online_payment, reason=reason, by=by, now=now)
    if due == 0 and invoice.status in ("sent", "written_off"):
        move(invoice, "paid", by=by, now=now, paid_at=now)
    elif due > 0 and invoice.status == "paid":
        _reopen(invoice, restores_write_off=restores_write_off, by=by, now=now)
    _cancel(too_large, by=by, now=now)


def _reopen(invoice: Invoice, *, restores_write_off: bool, by: Actor, now: datetime) -> None:
    """Makes a paid invoice due again, or brings it back to the write-off that it was paid after."""
    paid = invoice.events.filter(type="invoice.paid").order_by("created_at", "id")
    if restores_write_off and paid.values_list("data__from", flat=True).last() == "written_off":
        data = {"amount_minor": invoice.amount_due_minor, "currency": invoice.currency}
        move(invoice, "written_off", by=by, now=now, data=data, paid_at=None, version=invoice.version + 1)
    else:
        move(invoice, "sent", by=by, now=now, paid_at=None)


def _end_request(invoice: Invoice, payment: Payment, *, reason: str, by: Actor, now: datetime) -> None:
    """Marks the request of a booked payment as paid; a payment by Pay Now cancels the open request (R6)."""
    own = payment.payment_request
    if own is not None:
        # It may have ended while the customer was paying. An ended request stays ended (R4); the money is booked.
        if own.status == "open":
            own.invoice = invoice  # read already, with its organization
            data = {"amount_minor": own.amount_requested_minor, "currency": own.currency}
            move(own, "paid", by=by, now=now, data=data, ended_at=now)
        return
    # Money in another currency is not on the invoice and cancels nothing.
    request = payment_requests.current(invoice) if payment.allocated_minor else None
    if request is not None:
        payment_requests.end(request, "canceled", reason=reason, by=by, now=now)


def cancel_collection(invoice: Invoice, *, reason: str, by: Actor, now: datetime) -> None:
    """Cancels the open request and the payment under way, whatever their amounts, so that nothing can be paid.

    The payment is closed at the gateway after the commit. Raises PaymentInProgress while it is committed.
    """
    payment = invoice.payments.under_way().select_related("gateway_account").first()
    if payment is not None and payment.is_committed:
        raise PaymentInProgress()
    request = payment_requests.current(invoice)
    if request is not None:
        payment_requests.end(request, "canceled", reason=reason, by=by, now=now)
    _cancel(payment, by=by, now=now)


def _cancel(payment: Payment | None, *, by: Actor, now: datetime) -> None:
    """Cancels an uncommitted payment, if there is one."""
    if payment is not None:
        # The end of its request may have moved it to closing, and the compare-and-set of a move from the status
        # that was read before would then fail.
        payment.refresh_from_db(fields=["status"])
        cancel_payment(payment, by=by, now=now)
