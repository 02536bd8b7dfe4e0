"""Derives the status of a quote's deposit, and records one paid offline: always in full (DESIGN D1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from partway.accounts.permissions import Permission, needs
from partway.lib import clock

from .. import outbox
from ..checkouts.closing import cancel_payment, closes_checkouts
from ..errors import Conflict, Invalid, PaymentInProgress, TooLate, field_error
from ..events import Actor
from ..models import Payment, Quote
from ..receivables import offline_payments
from ..receivables.offline_payments import OfflineDetails, write_received


def deposit_status(quote: Quote) -> str:
    """Returns none, due, processing or paid; runs no query when the quote's payments are prefetched."""
    if quote.deposit_minor == 0:
        return "none"
    payments = list(quote.payments.all())
    if any(payment.is_deposit for payment in payments):
        return "paid"
    return "processing" if any(payment.is_committed for payment in payments) else "due"


def deposit_payment(quote: Quote) -> Payment | None:
    """Returns the payment that paid the deposit, or None."""
    return quote.payments.deposits().first()


def waiting_deposit(quote: Quote) -> Payment | None:
    """Returns the payment that waits for the invoice of this quote; None once an invoice has taken it (DESIGN D2)."""
    return quote.payments.waiting_deposits().first()


def is_credit(quote: Quote) -> bool:
    """Returns whether the paid deposit of an accepted quote was on an invoice that is void now: it waits for none."""
    paid = quote.status == "accepted" and deposit_status(quote) == "paid"
    return paid and waiting_deposit(quote) is None


def unavailable_reason(quote: Quote) -> Conflict | None:
    """Returns the error that `record_deposit` raises now for any deposit, or None."""
    if not_due := _not_due_error(quote):
        return not_due
    return PaymentInProgress(reason="deposit") if deposit_status(quote) == "processing" else None


def _not_due_error(quote: Quote) -> Conflict | None:
    if deposit_payment(quote) is not None:
        return TooLate(reason="deposit_paid")
    if quote.deposit_minor == 0:
        return Conflict(reason="no_deposit")
    if quote.status == "invoiced":
        return TooLate(reason="deposit_of_invoiced_quote")
    if quote.status in ("declined", "expired", "withdrawn"):
        return TooLate(reason="deposit_of_ended_quote")
    return Conflict(reason="deposit_before_acceptance") if quote.status != "accepted" else None


@dataclass(frozen=True, slots=True)
class OfflineDeposit(OfflineDetails):
    """A deposit that a member received; its amount is the quote's."""


@needs(Permission.RECORD_PAYMENTS)
@closes_checkouts
def record_deposit(quote: Quote, *, deposit: OfflineDeposit, by: Actor, now: datetime) -> Payment:
    """Books a deposit that was paid offline, in full, and cancels an open checkout for it.

    The same `idempotency_key` again returns the payment it recorded (P8), or raises Conflict when that was reversed.
    Raises Invalid (with fields), PaymentInProgress while an online payment is committed, TooLate when it was paid
    already, Conflict when no deposit is due now.
    """
    quote = Quote.objects.locked(quote.pk)
    if previous := offline_payments.previous_payment(deposit, quote.organization):
        if previous.quote_id != quote.pk or previous.status != "succeeded":
            raise Conflict(reason="deposit_form_used")
        return previous
    if not_due := _not_due_error(quote):
        raise not_due
    today = clock.today(now, quote.organization.time_zone)
    errors = offline_payments.detail_errors(deposit, quote.organization, today)
    issued_on = clock.today(quote.sent_at or quote.created_at, quote.organization.time_zone)
    if not errors and deposit.paid_on < issued_on and not deposit.paid_before_issue:
        errors["paid_on"] = field_error("paid_before_issue.quote", issued_on=issued_on)
    if errors:
        raise Invalid(errors)
    # Before the row is written: two unsettled or two paid deposits of a quote are refused by the database.
    cancel_checkout(quote, by=by, now=now)
    stages = {
        "total_minor": quote.total_minor,
        "paid_before_minor": 0,
        "allocated_minor": 0,
        "deposit_minor": quote.deposit_minor,
    }
    payment, event = write_received(quote, deposit, quote.deposit, stages=stages, by=by, now=now)
    outbox.queue_receipt(payment, event, stages, is_announced=True)
    return payment


def cancel_checkout(quote: Quote, *, by: Actor, now: datetime) -> None:
    """Cancels an uncommitted payment of the deposit, under the quote's lock; it is closed after the commit.

    Raises PaymentInProgress while a payment is committed.
    """
    payment = quote.payments.under_way().select_related("gateway_account").first()
    if payment is not None and payment.is_committed:
        raise PaymentInProgress(reason="deposit")
    if payment is not None:
        cancel_payment(payment, by=by, now=now)
