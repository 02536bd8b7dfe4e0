"""What follows when the amount due of an invoice changes: who no longer fits must go (DESIGN R7, D3).

Every act but the online payment itself comes through here, under the invoice's lock and in its own transaction: an
offline payment, an edit, credit, a bounced check, voiding and writing off.
"""

from __future__ import annotations

from datetime import datetime

from ..checkouts import gateway_calls
from ..errors import PaymentInProgress
from ..events import Actor
from ..models import Invoice, Payment
from ..requests import payment_requests
from ..states import move


def apply_effects(invoice: Invoice, *, reason: str, by: Actor, now: datetime) -> Payment | None:
    """Bring the open request, a waiting payment and the invoice's state in line with figures just changed.

    `reason` is why an open request that no longer fits is canceled. Answers the payment that must be closed at the
    gateway after the commit, if there is one. Raises PaymentInProgress when a committed payment no longer fits: the
    caller's transaction must be rolled back by it.
    """
    payment = _unsettled(invoice)
    if payment is not None and payment.is_committed and payment.amount_minor > invoice.amount_due_minor:
        raise PaymentInProgress(
            f"{payment.amount} is being paid right now, and that would no longer fit. Wait until it is settled."
        )
    request = payment_requests.current(invoice)
    if request is not None and request.amount_requested_minor > invoice.amount_due_minor:
        payment_requests.end(request, "canceled", reason=reason, by=by, now=now)
    _move_between_sent_and_paid(invoice, by, now)
    if payment is None or payment.amount_minor <= invoice.amount_due_minor:
        return None
    return _withdrawn(payment, by, now)


def cancel_collection(invoice: Invoice, *, reason: str, by: Actor, now: datetime) -> Payment | None:
    """Nobody shall be asked for anything any more: end the open request and a waiting payment, whatever they ask for.

    Answers the payment to close at the gateway after the commit; raises PaymentInProgress while one is committed.
    """
    payment = _unsettled(invoice)
    if payment is not None and payment.is_committed:
        raise PaymentInProgress()
    request = payment_requests.current(invoice)
    if request is not None:
        payment_requests.end(request, "canceled", reason=reason, by=by, now=now)
    return _withdrawn(payment, by, now) if payment is not None else None


def _unsettled(invoice: Invoice) -> Payment | None:
    return invoice.payments.unsettled().select_related("gateway_account").first()


def _withdrawn(payment: Payment, by: Actor, now: datetime) -> Payment | None:
    payment.refresh_from_db(fields=["status"])  # ending its request may have moved it
    return payment if gateway_calls.begin_cancel(payment, by=by, now=now) else None


def _move_between_sent_and_paid(invoice: Invoice, by: Actor, now: datetime) -> None:
    due = invoice.amount_due_minor
    if due == 0 and invoice.status in ("sent", "written_off"):
        move(invoice, "paid", by=by, now=now, paid_at=now)
    elif due > 0 and invoice.status == "paid":
        move(invoice, "sent", by=by, now=now, paid_at=None)
