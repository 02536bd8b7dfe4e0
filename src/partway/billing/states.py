"""The allowed transitions, one table per noun, and `move`, which alone changes a state (DESIGN section 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from partway.accounts.prepared import update

from . import events
from .events import Actor
from .models import Dispute, Event, Invoice, Payment, PaymentRequest, Payout, Quote, Refund
from .models.text_keys import computed_columns

Transitions = dict[tuple[str, str], str]

INVOICE: Transitions = {
    ("draft", "sent"): "invoice.sent",
    ("sent", "paid"): "invoice.paid",
    ("draft", "void"): "invoice.voided",
    ("sent", "void"): "invoice.voided",
    ("sent", "written_off"): "invoice.written_off",
    ("paid", "sent"): "invoice.reopened",
    ("paid", "written_off"): "invoice.written_off",  # the check bounced that had paid it after a write-off
    ("written_off", "sent"): "invoice.reopened",
    ("written_off", "paid"): "invoice.paid",
}

QUOTE: Transitions = {
    ("draft", "sent"): "quote.sent",
    ("sent", "accepted"): "quote.accepted",
    ("sent", "declined"): "quote.declined",
    ("sent", "expired"): "quote.expired",
    ("sent", "withdrawn"): "quote.withdrawn",
    ("accepted", "withdrawn"): "quote.withdrawn",
    ("accepted", "invoiced"): "quote.invoiced",
    ("invoiced", "accepted"): "quote.reopened",  # its invoice was voided
}

PAYMENT_REQUEST: Transitions = {
    ("open", "paid"): "payment_request.paid",
    ("open", "canceled"): "payment_request.canceled",
    ("open", "expired"): "payment_request.expired",
}

PAYMENT: Transitions = {
    ("pending", "authorized"): "payment.authorized",
    ("authorized", "capturing"): "payment.capturing",
    ("capturing", "succeeded"): "payment.succeeded",
    ("capturing", "failed"): "payment.failed",  # the authorization lapsed before we could capture it
    ("authorized", "releasing"): "payment.releasing",
    ("releasing", "canceled"): "payment.canceled",
    ("pending", "closing"): "payment.closing",
    ("closing", "canceled"): "payment.canceled",
    ("closing", "releasing"): "payment.releasing",
    ("closing", "processing"): "payment.processing",
    ("pending", "processing"): "payment.processing",
    ("capturing", "processing"): "payment.processing",
    ("processing", "succeeded"): "payment.succeeded",
    ("processing", "failed"): "payment.failed",
    ("pending", "failed"): "payment.failed",
    ("pending", "succeeded"): "payment.recorded",  # offline, by a member
    ("failed", "succeeded"): "payment.succeeded",  # late (P3)
    ("canceled", "succeeded"): "payment.succeeded",  # late (P3)
    ("succeeded", "reversed"): "payment.reversed",  # offline only: the check bounced
}

REFUND: Transitions = {
    ("pending", "succeeded"): "refund.succeeded",
    ("pending", "failed"): "refund.failed",
    ("succeeded", "failed"): "refund.failed",  # reported days later: the bank sent the money back
    ("succeeded", "reversed"): "refund.reversed",  # recorded by mistake
}

DISPUTE: Transitions = {
    ("open", "won"): "dispute.won",
    ("open", "lost"): "dispute.lost",
    ("won", "lost"): "dispute.lost",  # the customer's bank insisted
    ("lost", "won"): "dispute.won",  # the money came back after all
}

PAYOUT: Transitions = {
    ("pending", "paid"): "payout.paid",
    ("pending", "failed"): "payout.failed",
    ("paid", "failed"): "payout.failed",  # the bank sent it back
}

_TABLES: dict[type, Transitions] = {
    Invoice: INVOICE,
    Quote: QUOTE,
    PaymentRequest: PAYMENT_REQUEST,
    Payment: PAYMENT,
    Refund: REFUND,
    Dispute: DISPUTE,
    Payout: PAYOUT,
}

Stateful = Invoice | Quote | PaymentRequest | Payment | Refund | Dispute | Payout


class InvalidTransition(RuntimeError):
    """No table has this transition: a programming error, never a user's."""


class ConcurrentUpdate(RuntimeError):
    """The row is no longer in the state that was read; nothing was changed."""


def move(
    row: Stateful,
    to: str,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    idempotency_key: str | None = None,
    through: str | None = None,
    **columns: Any,
) -> Event:
    """Moves `row` from the state it was read in to `to`, writing `columns` and the event of the transition.

    A compare-and-set: raises ConcurrentUpdate, changing nothing, when the stored state is another by now. Raises
    InvalidTransition for a pair that no table has. idempotency_key: that of the event, where a form caused it (P8).
    through: a state that the row passes at the same moment; it has its event, and is not stored.
    """
    source = row.status
    steps = [(source, through), (through, to)] if through else [(source, to)]
    if missing := [step for step in steps if step not in _TABLES[type(row)]]:
        raise InvalidTransition(f"{type(row).__name__} {row.pk}: {missing}")
    # The state is part of the WHERE: on both databases the row decides who was first, whatever was read before.
    written = {"status": to, **columns}
    computed = computed_columns(type(row), written)
    if not update(row, {**written, **computed}, expected={"status": source}):
        raise ConcurrentUpdate(f"{type(row).__name__} {row.pk} is no longer {source}")
    for name, value in written.items():
        setattr(row, name, value)
    # In the transaction of the update: no change without its event, and no event of a change that was rolled back
    # (M6).
    for before, after in steps:
        said = {**(data or {}), "from": before, "to": after}
        event_type = _TABLES[type(row)][before, after]
        event = events.record(event_type, row, by=by, now=now, data=said, idempotency_key=idempotency_key)
    return event
