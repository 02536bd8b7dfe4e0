"""Applies what a gateway says to our payment: the one place where money is booked (DESIGN P6).

`apply` runs under the document's lock, knows nothing of the network, and is monotone: told anything in any order and
any number of times, it ends the same. It answers which act the gateway must hear of next, if any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from partway.gateways.protocol import Status, Truth
from partway.lib.money import Money

from .. import events, outbox
from ..alerts import raise_flag
from ..checkouts.gateway_calls import SOON
from ..checkouts.payability import check_capture
from ..errors import NotPayable
from ..events import Actor
from ..ledger import allocations
from ..models import Event, Invoice, Payment, PaymentRequest, Quote
from ..requests import payment_requests
from ..states import move


class Act(StrEnum):
    """What the gateway must be told next."""

    CAPTURE = "capture"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Report:
    """One look at the truth, with the locked document and the fresh rows it is about."""

    payment: Payment
    document: Invoice | Quote
    request: PaymentRequest | None
    truth: Truth
    by: Actor
    now: datetime


def apply(report: Report) -> Act | None:
    """Book what is new in the report, ignore what is old; the caller holds the lock and an open transaction."""
    step = _STEPS.get((report.payment.status, report.truth.status))
    return step(report) if step else None


# Steps that only move the payment


def _note_decline(report: Report) -> None:
    """A decline inside an open checkout is an event, not the end (DESIGN section 4)."""
    payment, truth = report.payment, report.truth
    if truth.code and (payment.failure_code, payment.failure_words) != (truth.code, truth.words[:300]):
        payment.failure_code, payment.failure_words = truth.code, truth.words[:300]
        payment.save(update_fields=["failure_code", "failure_words"])
        data = {"code": truth.code, "words": truth.words[:300]}
        events.record("payment.declined", payment, by=report.by, now=report.now, data=data)


def _decide(report: Report) -> Act:
    """An authorized payment is captured if it is still payable, else released; stored before anyone is told (P2)."""
    if report.payment.status == "pending":
        _move(report, "authorized", method=report.truth.method)
    try:
        check_capture(report.payment, report.document, report.request)
    except NotPayable as refusal:
        _move(report, "releasing", data={"reason": refusal.reason}, check_at=report.now + SOON)
        return Act.CLOSE
    _move(report, "capturing", check_at=report.now + SOON)
    return Act.CAPTURE


def _accept(report: Report) -> None:
    """A bank is moving the money already: ask whether we want it, and store the answer (P3)."""
    wanted = _is_wanted(report)
    _move(report, "processing", data={"accepted": wanted}, accepted=wanted, method=report.truth.method)


def _is_wanted(report: Report) -> bool:
    if report.payment.status == "capturing":
        return True  # we decided so before
    try:
        check_capture(report.payment, report.document, report.request)
    except NotPayable:
        return False
    return True


def _fail(report: Report) -> None:
    code = report.truth.code or "not_completed"
    _move(
        report,
        "failed",
        data={"code": code, "words": report.truth.words[:300]},
        failure_code=code,
        failure_words=report.truth.words[:300],
        settled_at=report.now,
    )


def _cancel(report: Report) -> None:
    _move(report, "canceled", settled_at=report.now)


def _release(report: Report) -> Act:
    """It was authorized while we were closing it: nothing is captured, the hold is given back."""
    _move(report, "releasing", check_at=report.now + SOON)
    return Act.CLOSE


def _capture_again(_: Report) -> Act:
    return Act.CAPTURE


def _close_again(_: Report) -> Act:
    return Act.CLOSE


def _move(report: Report, to: str, data: dict[str, object] | None = None, **columns: object) -> Event:
    figures = {"amount_minor": report.payment.amount_minor, "currency": report.payment.currency}
    return move(report.payment, to, by=report.by, now=report.now, data={**figures, **(data or {})}, **columns)


# Money came in


def _settle(report: Report) -> None:
    """Captured: book it against the document if we wanted it, else as the customer's credit."""
    captured = report.truth.captured
    if report.payment.status in ("pending", "closing"):
        _accept(report)
    if captured is None:
        _flag_silence(report)
    elif not captured:
        _flag_difference(report, captured)
        _fail(report)
    else:
        _book(report, captured, wanted=report.payment.is_committed)


def _settle_late(report: Report) -> None:
    """Captured after we had given it up: true all the same, but it is credit, and a human is told (P3)."""
    captured = report.truth.captured
    if captured is None:
        _flag_silence(report)
        return
    if report.payment.status == "releasing":
        _move(report, "canceled", settled_at=report.now)
    if captured:
        _book(report, captured, wanted=False)


def _book(report: Report, captured: Money, *, wanted: bool) -> None:
    """Book what the gateway took, end the request, tell everybody: all in this transaction (D6, M4, R6)."""
    payment = report.payment
    wanted = wanted and _is_whole(report, captured)
    stages = _reckon(report, captured, wanted)
    event = _move(
        report,
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
        method=report.truth.method or payment.method,
        accepted=wanted,
        settled_at=report.now,
        failure_code="",
        failure_words="",
    )
    if wanted and isinstance(report.document, Invoice):
        allocated = stages["allocated_minor"]
        allocations.put_counted(payment, report.document, allocated, cause="payment", now=report.now)
        _end_requests(report, report.document, allocated)
        _end_invoice(report, report.document)
    credit_minor = captured.amount_minor - stages["allocated_minor"] - stages.get("deposit_minor", 0)
    _flag_surprise(report, captured, credit_minor)
    outbox.queue_receipt(payment, event, stages)


def _is_whole(report: Report, captured: Money) -> bool:
    """A part of a deposit is no deposit: it is credit, and the deposit stays due (D1)."""
    if not isinstance(report.document, Quote):
        return True
    deposit = report.document.deposit
    return captured.currency == deposit.currency and not captured < deposit


def _reckon(report: Report, captured: Money, wanted: bool) -> dict[str, int]:
    """How much of the money goes where: the stages a receipt tells of, in minor units.

    A deposit waits unallocated for the invoice made from its quote (D2), and so does what nobody wanted, as credit.
    """
    if isinstance(report.document, Quote):
        quote = report.document
        deposit = {"deposit_minor": quote.deposit_minor} if wanted else {}
        return {"total_minor": quote.total_minor, "paid_before_minor": 0, "allocated_minor": 0, **deposit}
    invoice = report.document
    allocated = allocations.fitting(invoice, captured) if wanted else 0
    return {
        "total_minor": invoice.total_minor,
        "paid_before_minor": invoice.amount_paid_minor,
        "allocated_minor": allocated,
        "amount_due_minor": invoice.amount_due_minor - allocated,
    }


def _end_invoice(report: Report, invoice: Invoice) -> None:
    if invoice.status == "sent" and invoice.amount_due_minor == 0:
        move(invoice, "paid", by=report.by, now=report.now, paid_at=report.now)


def _end_requests(report: Report, invoice: Invoice, allocated_minor: int) -> None:
    """The request that was paid is paid, whatever was taken; one that Pay Now overtook is canceled (R6)."""
    if report.request is not None:
        if report.request.status == "open":
            asked = report.request
            data = {"amount_minor": asked.amount_requested_minor, "currency": asked.currency}
            move(asked, "paid", by=report.by, now=report.now, data=data, ended_at=report.now)
        return
    overtaken = payment_requests.current(invoice)
    # Money that could not be put on the invoice, being in another currency, has overtaken nothing.
    if overtaken is not None and allocated_minor:
        reason = "invoice_paid" if invoice.amount_due_minor == 0 else "invoice_changed"
        payment_requests.end(overtaken, "canceled", reason=reason, by=report.by, now=report.now)


def _flag_surprise(report: Report, captured: Money, credit_minor: int) -> None:
    if captured != report.payment.amount:
        _flag_difference(report, captured)
    elif credit_minor:
        words = f"{captured} came in after it was no longer wanted. It is the customer's credit: refund it or use it."
        raise_flag("unwanted_payment", report.payment, words=words, now=report.now)


def _flag_difference(report: Report, captured: Money) -> None:
    asked = report.payment.amount
    words = f"{captured} was taken where {asked} was asked. It is booked as taken: check it with the gateway."
    raise_flag("amount_differs", report.payment, words=words, now=report.now)


def _flag_silence(report: Report) -> None:
    """Taken, and nobody says how much: nothing can be booked, so it is asked again, and a human is told."""
    asked = report.payment.amount
    words = f"{asked} was asked and money was taken, but the payment service does not say how much: check it there."
    raise_flag("amount_missing", report.payment, words=words, now=report.now)


# The table: (our state, the gateway's) → what to do. What is not in it is stale and ignored.

_STEPS: dict[tuple[str, Status], Callable[[Report], Act | None]] = {
    ("pending", Status.OPEN): _note_decline,
    ("pending", Status.AUTHORIZED): _decide,
    ("pending", Status.PROCESSING): _accept,
    ("pending", Status.CAPTURED): _settle,
    ("pending", Status.CLOSED): _fail,
    ("pending", Status.FAILED): _fail,
    ("authorized", Status.AUTHORIZED): _decide,
    ("authorized", Status.CLOSED): _decide,
    ("capturing", Status.AUTHORIZED): _capture_again,
    ("capturing", Status.PROCESSING): _accept,
    ("capturing", Status.CAPTURED): _settle,
    ("capturing", Status.CLOSED): _fail,
    ("capturing", Status.FAILED): _fail,
    ("processing", Status.CAPTURED): _settle,
    ("processing", Status.CLOSED): _fail,
    ("processing", Status.FAILED): _fail,
    ("closing", Status.OPEN): _close_again,
    ("closing", Status.AUTHORIZED): _release,
    ("closing", Status.PROCESSING): _accept,
    ("closing", Status.CAPTURED): _settle,
    ("closing", Status.CLOSED): _cancel,
    ("closing", Status.FAILED): _cancel,
    ("releasing", Status.OPEN): _close_again,
    ("releasing", Status.AUTHORIZED): _close_again,
    ("releasing", Status.CAPTURED): _settle_late,
    ("releasing", Status.CLOSED): _cancel,
    ("releasing", Status.FAILED): _cancel,
    ("failed", Status.CAPTURED): _settle_late,
    ("canceled", Status.CAPTURED): _settle_late,
}
