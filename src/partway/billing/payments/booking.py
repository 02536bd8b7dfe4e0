"""Applies what a gateway says to our payment: the one place where money is booked (DESIGN P6).

`apply` runs under the document's lock, knows nothing of the network, and is monotone: told anything in any order and
any number of times, it ends the same. It answers which act the gateway must hear of next, if any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.money import Money

from .. import events, outbox
from ..alerts import raise_for_payment
from ..checkouts.gateway_calls import FOLLOW_UP_DELAY
from ..checkouts.payability import check_capture
from ..errors import NotPayable
from ..events import Actor
from ..ledger import allocations
from ..models import Event, Invoice, Payment, PaymentRequest, Quote
from ..requests import payment_requests
from ..states import move


class GatewayAction(StrEnum):
    """What the gateway must be told next."""

    CAPTURE = "capture"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class BookingContext:
    """One look at the truth, with the locked document and the fresh rows it is about."""

    payment: Payment
    document: Invoice | Quote
    request: PaymentRequest | None
    state: CheckoutState
    by: Actor
    now: datetime


def apply(context: BookingContext) -> GatewayAction | None:
    """Book what is new in the report, ignore what is old; the caller holds the lock and an open transaction."""
    step = _STEPS.get((context.payment.status, context.state.status))
    return step(context) if step else None


# Steps that only move the payment


def _record_decline(context: BookingContext) -> None:
    """A decline inside an open checkout is an event, not the end (DESIGN section 4)."""
    payment, state = context.payment, context.state
    if state.code and (payment.failure_code, payment.failure_message) != (state.code, state.message[:300]):
        payment.failure_code, payment.failure_message = state.code, state.message[:300]
        payment.save(update_fields=["failure_code", "failure_message"])
        data = {"code": state.code, "message": state.message[:300]}
        events.record("payment.declined", payment, by=context.by, now=context.now, data=data)


def _capture_or_release(context: BookingContext) -> GatewayAction:
    """An authorized payment is captured if it is still payable, else released; stored before anyone is told (P2)."""
    if context.payment.status == "pending":
        _move(context, "authorized", method=context.state.method)
    try:
        check_capture(context.payment, context.document, context.request)
    except NotPayable as refusal:
        _move(
            context,
            "releasing",
            data={"reason": refusal.reason},
            next_refresh_at=context.now + FOLLOW_UP_DELAY,
        )
        return GatewayAction.CLOSE
    _move(context, "capturing", next_refresh_at=context.now + FOLLOW_UP_DELAY)
    return GatewayAction.CAPTURE


def _start_processing(context: BookingContext) -> None:
    """A bank is moving the money already: ask whether we want it, and store the answer (P3)."""
    wanted = _is_accepted(context)
    _move(context, "processing", data={"accepted": wanted}, accepted=wanted, method=context.state.method)


def _is_accepted(context: BookingContext) -> bool:
    if context.payment.status == "capturing":
        return True  # we decided so before
    try:
        check_capture(context.payment, context.document, context.request)
    except NotPayable:
        return False
    return True


def _fail(context: BookingContext) -> None:
    code = context.state.code or "not_completed"
    _move(
        context,
        "failed",
        data={"code": code, "message": context.state.message[:300]},
        failure_code=code,
        failure_message=context.state.message[:300],
        settled_at=context.now,
    )


def _cancel(context: BookingContext) -> None:
    _move(context, "canceled", settled_at=context.now)


def _release(context: BookingContext) -> GatewayAction:
    """It was authorized while we were closing it: nothing is captured, the hold is given back."""
    _move(context, "releasing", next_refresh_at=context.now + FOLLOW_UP_DELAY)
    return GatewayAction.CLOSE


def _capture_again(_: BookingContext) -> GatewayAction:
    return GatewayAction.CAPTURE


def _close_again(_: BookingContext) -> GatewayAction:
    return GatewayAction.CLOSE


def _move(
    context: BookingContext, to: str, data: dict[str, object] | None = None, **columns: object
) -> Event:
    figures = {"amount_minor": context.payment.amount_minor, "currency": context.payment.currency}
    return move(
        context.payment, to, by=context.by, now=context.now, data={**figures, **(data or {})}, **columns
    )


# Money came in


def _book_capture(context: BookingContext) -> None:
    """Captured: book it against the document if we wanted it, else as the customer's credit."""
    captured = context.state.captured
    if context.payment.status in ("pending", "closing"):
        _start_processing(context)
    if captured is None:
        _alert_missing_amount(context)
    elif not captured:
        _alert_amount_mismatch(context, captured)
        _fail(context)
    else:
        _book(context, captured, wanted=context.payment.is_committed)


def _book_late_capture(context: BookingContext) -> None:
    """Captured after we had given it up: true all the same, but it is credit, and a human is told (P3)."""
    captured = context.state.captured
    if captured is None:
        _alert_missing_amount(context)
        return
    if context.payment.status == "releasing":
        _move(context, "canceled", settled_at=context.now)
    if captured:
        _book(context, captured, wanted=False)


def _book(context: BookingContext, captured: Money, *, wanted: bool) -> None:
    """Book what the gateway took, end the request, tell everybody: all in this transaction (D6, M4, R6)."""
    payment = context.payment
    wanted = wanted and _is_whole(context, captured)
    stages = _receipt_amounts(context, captured, wanted)
    event = _move(
        context,
        "succeeded",
        data={
            **stages,
            "captured_minor": captured.amount_minor,
            "captured_currency": captured.currency,
            "accepted": wanted,
        },
        captured_minor=captured.amount_minor,
        captured_currency=captured.currency,
        allocated_minor=stages["allocated_minor"],
        method=context.state.method or payment.method,
        accepted=wanted,
        settled_at=context.now,
        failure_code="",
        failure_message="",
    )
    if wanted and isinstance(context.document, Invoice):
        allocated = stages["allocated_minor"]
        allocations.record_allocation(payment, context.document, allocated, cause="payment", now=context.now)
        _end_requests(context, context.document, allocated)
        _end_invoice(context, context.document)
    credit_minor = captured.amount_minor - stages["allocated_minor"] - stages.get("deposit_minor", 0)
    _alert_unexpected_money(context, captured, credit_minor)
    outbox.queue_receipt(payment, event, stages)


def _is_whole(context: BookingContext, captured: Money) -> bool:
    """A part of a deposit is no deposit: it is credit, and the deposit stays due (D1)."""
    if not isinstance(context.document, Quote):
        return True
    deposit = context.document.deposit
    return captured.currency == deposit.currency and not captured < deposit


def _receipt_amounts(context: BookingContext, captured: Money, wanted: bool) -> dict[str, int]:
    """How much of the money goes where: the stages a receipt tells of, in minor units.

    A deposit waits unallocated for the invoice made from its quote (D2), and so does what nobody wanted, as credit.
    """
    if isinstance(context.document, Quote):
        quote = context.document
        deposit = {"deposit_minor": quote.deposit_minor} if wanted else {}
        return {"total_minor": quote.total_minor, "paid_before_minor": 0, "allocated_minor": 0, **deposit}
    invoice = context.document
    allocated = allocations.allocatable(invoice, captured) if wanted else 0
    return {
        "total_minor": invoice.total_minor,
        "paid_before_minor": invoice.amount_paid_minor,
        "allocated_minor": allocated,
        "amount_due_minor": invoice.amount_due_minor - allocated,
    }


def _end_invoice(context: BookingContext, invoice: Invoice) -> None:
    if invoice.status == "sent" and invoice.amount_due_minor == 0:
        move(invoice, "paid", by=context.by, now=context.now, paid_at=context.now)


def _end_requests(context: BookingContext, invoice: Invoice, allocated_minor: int) -> None:
    """The request that was paid is paid, whatever was taken; one that Pay Now overtook is canceled (R6)."""
    if context.request is not None:
        if context.request.status == "open":
            asked = context.request
            data = {"amount_minor": asked.amount_requested_minor, "currency": asked.currency}
            move(asked, "paid", by=context.by, now=context.now, data=data, ended_at=context.now)
        return
    overtaken = payment_requests.current(invoice)
    # Money that could not be put on the invoice, being in another currency, has overtaken nothing.
    if overtaken is not None and allocated_minor:
        reason = "invoice_paid" if invoice.amount_due_minor == 0 else "invoice_changed"
        payment_requests.end(overtaken, "canceled", reason=reason, by=context.by, now=context.now)


def _alert_unexpected_money(context: BookingContext, captured: Money, credit_minor: int) -> None:
    if captured != context.payment.amount:
        _alert_amount_mismatch(context, captured)
    elif credit_minor:
        message = f"{captured} came in after it was no longer wanted. It is the customer's credit: refund it or use it."
        raise_for_payment("unwanted_payment", context.payment, message=message, now=context.now)


def _alert_amount_mismatch(context: BookingContext, captured: Money) -> None:
    asked = context.payment.amount
    message = (
        f"{captured} was taken where {asked} was asked. It is booked as taken: check it with the gateway."
    )
    raise_for_payment("captured_amount_mismatch", context.payment, message=message, now=context.now)


def _alert_missing_amount(context: BookingContext) -> None:
    """Taken, and nobody says how much: nothing can be booked, so it is asked again, and a human is told."""
    asked = context.payment.amount
    message = f"{asked} was asked and money was taken, but the payment service does not say how much: check it there."
    raise_for_payment("captured_amount_missing", context.payment, message=message, now=context.now)


# The table: (our state, the gateway's) → what to do. What is not in it is stale and ignored.

_STEPS: dict[tuple[str, CheckoutStatus], Callable[[BookingContext], GatewayAction | None]] = {
    ("pending", CheckoutStatus.OPEN): _record_decline,
    ("pending", CheckoutStatus.AUTHORIZED): _capture_or_release,
    ("pending", CheckoutStatus.PROCESSING): _start_processing,
    ("pending", CheckoutStatus.CAPTURED): _book_capture,
    ("pending", CheckoutStatus.CLOSED): _fail,
    ("pending", CheckoutStatus.FAILED): _fail,
    ("authorized", CheckoutStatus.AUTHORIZED): _capture_or_release,
    ("authorized", CheckoutStatus.CLOSED): _capture_or_release,
    ("capturing", CheckoutStatus.AUTHORIZED): _capture_again,
    ("capturing", CheckoutStatus.PROCESSING): _start_processing,
    ("capturing", CheckoutStatus.CAPTURED): _book_capture,
    ("capturing", CheckoutStatus.CLOSED): _fail,
    ("capturing", CheckoutStatus.FAILED): _fail,
    ("processing", CheckoutStatus.CAPTURED): _book_capture,
    ("processing", CheckoutStatus.CLOSED): _fail,
    ("processing", CheckoutStatus.FAILED): _fail,
    ("closing", CheckoutStatus.OPEN): _close_again,
    ("closing", CheckoutStatus.AUTHORIZED): _release,
    ("closing", CheckoutStatus.PROCESSING): _start_processing,
    ("closing", CheckoutStatus.CAPTURED): _book_capture,
    ("closing", CheckoutStatus.CLOSED): _cancel,
    ("closing", CheckoutStatus.FAILED): _cancel,
    ("releasing", CheckoutStatus.OPEN): _close_again,
    ("releasing", CheckoutStatus.AUTHORIZED): _close_again,
    ("releasing", CheckoutStatus.CAPTURED): _book_late_capture,
    ("releasing", CheckoutStatus.CLOSED): _cancel,
    ("releasing", CheckoutStatus.FAILED): _cancel,
    ("failed", CheckoutStatus.CAPTURED): _book_late_capture,
    ("canceled", CheckoutStatus.CAPTURED): _book_late_capture,
}
