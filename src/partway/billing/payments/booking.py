"""Applies the gateway's state of a checkout to our payment: the only place where online money is booked (DESIGN P6).

`apply` runs under the document's lock and makes no call. It is monotone: the same states in any order, any number of
times, end the same. It returns the next action at the gateway, if there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from partway.gateways.protocol import Capabilities, CheckoutState, CheckoutStatus, DisputeStatus, RefundStatus
from partway.lib.money import Money

from .. import events, outbox, parties
from ..alerts import raise_for_payment
from ..checkouts.gateway_calls import FOLLOW_UP_DELAY
from ..checkouts.payability import check_capture
from ..errors import NotPayable
from ..events import CLOCK, Actor
from ..ledger import allocations
from ..models import Event, Payment
from ..receivables import amount_due
from ..states import move
from . import fee_booking, refund_booking


class GatewayAction(StrEnum):
    """The call that the gateway must get next."""

    CAPTURE = "capture"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class BookingContext:
    """The fresh payment, whose `document` is the locked row, and the state that the gateway reports of it."""

    payment: Payment
    state: CheckoutState
    capabilities: Capabilities
    by: Actor
    now: datetime


def apply(
    payment: Payment, *, state: CheckoutState, capabilities: Capabilities, by: Actor, now: datetime
) -> GatewayAction | None:
    """Books what is new in `state` and ignores what is old; returns the next action at the gateway.

    The caller has opened a transaction, locked the document, and set it as `payment.document`.
    """
    # A pair without a step is a report that arrived late, as "authorized" after "captured". It is ignored, not an
    # error (P6).
    step = _STEPS.get((payment.status, state.status))
    action = step(BookingContext(payment, state, capabilities, by, now)) if callable(step) else step
    # Not before the end: until then the money that it is taken from is not there. A later report has it again.
    if not payment.is_unsettled:
        fee_booking.apply(payment, state.fee, by=by, now=now)
    return action


# Steps that only move the payment


def _record_decline(context: BookingContext) -> None:
    """Records a decline inside an open checkout as an event; the payment goes on (DESIGN section 4)."""
    payment, code, message = context.payment, context.state.code, context.state.message[:300]
    # The same decline is fetched with every refresh, and is one event.
    if code and (payment.failure_code, payment.failure_message) != (code, message):
        payment.failure_code, payment.failure_message = code, message
        payment.save(update_fields=["failure_code", "failure_message"])
        data = {"code": code, "message": message}
        events.record("payment.declined", payment, by=context.by, now=context.now, data=data)


def _capture_or_release(context: BookingContext) -> GatewayAction:
    """Captures an authorized payment if it is still payable, else releases it; stored before the call (P2)."""
    columns: dict[str, Any] = {"next_refresh_at": context.now + FOLLOW_UP_DELAY}
    if context.payment.status == "pending":
        until = context.state.authorized_until
        columns |= {"through": "authorized", "method": context.state.method, "authorized_until": until}
    try:
        check_capture(context.payment)
    # The decision is committed before the gateway hears of it: after a crash the worker releases the
    # authorization, and a customer who lost the race is not charged (P2).
    except NotPayable as refusal:
        _move(context, "releasing", data={"reason": refusal.reason}, **columns)
        return GatewayAction.CLOSE
    _move(context, "capturing", **columns)
    return GatewayAction.CAPTURE


def _release(context: BookingContext) -> GatewayAction:
    """Releases a payment that was authorized while we were closing it; nothing is captured."""
    until = context.state.authorized_until
    _move(context, "releasing", next_refresh_at=context.now + FOLLOW_UP_DELAY, authorized_until=until)
    return GatewayAction.CLOSE


def _start_processing(context: BookingContext) -> None:
    """Decides and stores whether the document accepts the money that a bank is moving already (P3)."""
    payment, state = context.payment, context.state
    accepted = payment.status == "capturing"  # accepted when the capture was decided
    if not accepted:
        with suppress(NotPayable):
            check_capture(payment)
            accepted = True
    event = _move(
        context,
        "processing",
        data={"accepted": accepted},
        accepted=accepted,
        method=state.method,
        settles_by=state.settles_by,
    )
    # Days before it settles, so that a member can tell the customer or stop it at the bank. One that was captured in
    # the meantime is announced as what it is by then: money that came in.
    if not accepted and state.status == CheckoutStatus.PROCESSING:
        raise_for_payment("unwanted_debit", payment, now=context.now, amount=payment.amount)
        is_final = context.capabilities.success_is_final(state.method)
        outbox.queue_unwanted_debit(payment, event, is_final=is_final)


def _continue_processing(context: BookingContext) -> None:
    """Stores when the gateway now expects the outcome; whether the document accepts the money stays decided (P3)."""
    payment, settles_by = context.payment, context.state.settles_by
    if settles_by is not None and settles_by != payment.settles_by:
        payment.settles_by = settles_by
        payment.save(update_fields=["settles_by"])


def _fail(context: BookingContext) -> None:
    was_processing = context.payment.status == "processing"
    code, message = context.state.code or "not_completed", context.state.message[:300]
    event = _move(
        context,
        "failed",
        data={"code": code, "message": message},
        failure_code=code,
        failure_message=message,
        settled_at=context.now,
    )
    # Days after the customer paid, as they believe. A refusal at the checkout itself is shown to them there.
    if was_processing:
        outbox.queue_payment_failure(context.payment, event)


def _cancel(context: BookingContext) -> None:
    _move(context, "canceled", settled_at=context.now)


def _move(context: BookingContext, to: str, data: dict[str, object] | None = None, **columns: Any) -> Event:
    payment = context.payment
    amount = {"amount_minor": payment.amount_minor, "currency": payment.currency}
    return move(payment, to, by=context.by, now=context.now, data={**amount, **(data or {})}, **columns)


# Steps that book captured money


def _book_capture(context: BookingContext) -> None:
    """Books captured money: on the document if it accepts the payment, else as the customer's credit."""
    payment, captured = context.payment, context.state.captured
    if payment.status in ("pending", "closing"):
        # The capture was never seen to begin, so the question of R3 is asked now, before the money is placed.
        _start_processing(context)
    if captured is None:
        _alert_missing_amount(context)
    # A capture of nothing leaves no money to book: the payment failed, and a person looks at what the gateway
    # reported.
    elif not captured:
        _alert_amount_mismatch(context, captured)
        _fail(context)
    else:
        _book(context, captured, accepted=payment.is_committed)


def _book_late_capture(context: BookingContext) -> None:
    """Books money that was captured after we had given the payment up: as credit, with an alert (P3)."""
    captured = context.state.captured
    if captured is None:
        _alert_missing_amount(context)
        return
    # The release lost against a capture. The payment ends as canceled first, so that its history shows why the
    # money was not expected.
    if context.payment.status == "releasing":
        _cancel(context)
    if captured:
        _book(context, captured, accepted=False)


def _book(context: BookingContext, captured: Money, *, accepted: bool) -> None:
    """Books the captured amount, its effects on the invoice, alerts and mails in one transaction (D6, M4, R6)."""
    payment, now = context.payment, context.now
    accepted, stages = _receipt_stages(payment, captured, accepted)
    allocated_minor = stages["allocated_minor"]
    facts = {"captured_minor": captured.amount_minor, "captured_currency": captured.currency}
    issued = parties.freeze(payment.document.organization, payment.document.customer, like=payment.document)
    fee = fee_booking.columns(payment, context.state.fee)
    event = _move(
        context,
        "succeeded",
        data={**stages, **facts, **parties.event_data(issued), "accepted": accepted},
        **facts,
        **issued,
        **fee,
        allocated_minor=allocated_minor,
        method=context.state.method or payment.method,
        accepted=accepted,
        settled_at=now,
        failure_code="",
        failure_message="",
    )
    if accepted and payment.invoice is not None:
        invoice = payment.invoice
        allocations.record_allocation(payment, invoice, allocated_minor, cause="payment", now=now)
        reason = "invoice_paid" if invoice.amount_due_minor == 0 else "invoice_changed"
        amount_due.apply_effects(invoice, reason=reason, by=context.by, now=now, online_payment=payment)
    surplus = Money(
        captured.amount_minor - allocated_minor - stages.get("deposit_minor", 0), captured.currency
    )
    # What is more than a deposit waits with it, for the invoice of its quote may take all of it (D2).
    refunded = _refund_surplus(context, surplus) if surplus and "deposit_minor" not in stages else None
    details: dict[str, Any] = {"reason": "refunded", "refunded": refunded} if refunded else {}
    # What the gateway took is booked as it is, never adjusted to what was asked for (M4); a person has to look at
    # it.
    if captured != payment.amount:
        _alert_amount_mismatch(context, captured, **details)
    elif surplus:
        raise_for_payment("unwanted_payment", payment, now=now, captured=captured, **details)
    outbox.queue_receipt(payment, event, stages, is_announced=True)
    fee_booking.record(payment, fee, by=context.by, now=now)


def _refund_surplus(context: BookingContext, surplus: Money) -> Money | None:
    """Begins to send money back that fits nowhere, once, where no bank can take it back any more; returns how much.

    The row is of the transaction that books the money, so neither is there without the other (P3); the worker sends it.
    Money in another currency than asked for stays credit: the company has exchanged it, and a person has to look (M4).
    """
    payment, state, now = context.payment, context.state, context.now
    is_final = context.capabilities.success_is_final(payment.method)
    if not is_final or surplus.currency != payment.currency:
        return None
    # Sent back in the gateway's dashboard, or disputed, before we knew of the money: booked right after this, and not
    # sent twice.
    gone = [each.amount.amount_minor for each in state.refunds if each.status != RefundStatus.FAILED]
    gone += [each.amount.amount_minor for each in state.disputes if each.status != DisputeStatus.WON]
    # The gateway refuses what is between two of its steps: that little stays credit.
    left, step = max(0, surplus.amount_minor - sum(gone)), context.capabilities.step(surplus.currency)
    amount = Money(left - left % step, surplus.currency)
    if not amount:
        return None
    refund_booking.begin(payment, amount, {}, next_refresh_at=now, by=CLOCK, now=now, is_automatic=True)
    return amount


def _receipt_stages(payment: Payment, captured: Money, accepted: bool) -> tuple[bool, dict[str, int]]:
    """Returns whether the document accepts the captured amount, and the figures of the receipt in minor units."""
    invoice, quote = payment.invoice, payment.quote
    stages = {"total_minor": payment.document.total_minor, "paid_before_minor": 0, "allocated_minor": 0}
    if invoice is not None:
        # Read again under the lock: an offline payment or an edit may have come first, and only what is still due is
        # allocated. The rest is the customer's credit, never lost and never more than the invoice's total (M2, M3).
        stages["allocated_minor"] = allocations.allocatable(invoice, captured) if accepted else 0
        stages["paid_before_minor"] = invoice.amount_paid_minor
        stages["adjusted_minor"] = invoice.adjusted_minor
        stages["amount_due_minor"] = invoice.amount_due_minor - stages["allocated_minor"]
    if quote is not None:
        # Less than the deposit is no deposit: it is credit, and the deposit stays due (D1). A deposit waits
        # unallocated for the invoice made from its quote (D2).
        accepted = accepted and captured.currency == quote.currency and quote.deposit <= captured
        if accepted:
            stages["deposit_minor"] = quote.deposit_minor
    return accepted, stages


def _alert_amount_mismatch(context: BookingContext, captured: Money, **details: Any) -> None:
    payment = context.payment
    raise_for_payment(
        "captured_amount_mismatch",
        payment,
        now=context.now,
        captured=captured,
        amount=payment.amount,
        **details,
    )


def _alert_missing_amount(context: BookingContext) -> None:
    """Alerts that money was taken without an amount: nothing can be booked, and the worker fetches the state again."""
    payment = context.payment
    raise_for_payment("captured_amount_missing", payment, now=context.now, amount=payment.amount)


# (status of the payment, status of the checkout) → the step, or the call that must be repeated.
# A pair that is not in the table is stale and ignored.

_STEPS: dict[tuple[str, CheckoutStatus], Callable[[BookingContext], GatewayAction | None] | GatewayAction] = {
    ("pending", CheckoutStatus.OPEN): _record_decline,
    ("pending", CheckoutStatus.AUTHORIZED): _capture_or_release,
    ("pending", CheckoutStatus.PROCESSING): _start_processing,
    ("pending", CheckoutStatus.CAPTURED): _book_capture,
    ("pending", CheckoutStatus.CLOSED): _fail,
    ("pending", CheckoutStatus.FAILED): _fail,
    ("authorized", CheckoutStatus.AUTHORIZED): _capture_or_release,
    ("authorized", CheckoutStatus.CLOSED): _capture_or_release,
    ("capturing", CheckoutStatus.AUTHORIZED): GatewayAction.CAPTURE,
    ("capturing", CheckoutStatus.PROCESSING): _start_processing,
    ("capturing", CheckoutStatus.CAPTURED): _book_capture,
    ("capturing", CheckoutStatus.CLOSED): _fail,
    ("capturing", CheckoutStatus.FAILED): _fail,
    ("processing", CheckoutStatus.PROCESSING): _continue_processing,
    ("processing", CheckoutStatus.CAPTURED): _book_capture,
    ("processing", CheckoutStatus.CLOSED): _fail,
    ("processing", CheckoutStatus.FAILED): _fail,
    ("closing", CheckoutStatus.OPEN): GatewayAction.CLOSE,
    ("closing", CheckoutStatus.AUTHORIZED): _release,
    ("closing", CheckoutStatus.PROCESSING): _start_processing,
    ("closing", CheckoutStatus.CAPTURED): _book_capture,
    ("closing", CheckoutStatus.CLOSED): _cancel,
    ("closing", CheckoutStatus.FAILED): _cancel,
    ("releasing", CheckoutStatus.OPEN): GatewayAction.CLOSE,
    ("releasing", CheckoutStatus.AUTHORIZED): GatewayAction.CLOSE,
    ("releasing", CheckoutStatus.CAPTURED): _book_late_capture,
    ("releasing", CheckoutStatus.CLOSED): _cancel,
    ("releasing", CheckoutStatus.FAILED): _cancel,
    ("failed", CheckoutStatus.CAPTURED): _book_late_capture,
    ("canceled", CheckoutStatus.CAPTURED): _book_late_capture,
}
