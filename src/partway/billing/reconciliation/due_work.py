"""Does what is due by time: refreshes payments, retries callbacks, expires requests and quotes (DESIGN P5, P7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from partway.gateways.protocol import OutcomeUnknown, Refused
from partway.lib.clock import RunningClock

from .. import alerts, events, outbox
from ..checkouts.payability import EXPIRY_GRACE_PERIOD
from ..claims import ClaimableRows, back_off
from ..documents import quotes
from ..events import CLOCK
from ..models import Callback, Dispute, Payment, PaymentRequest, Quote, Refund
from ..payments import refund_booking
from ..payments.callbacks import mark_callback_unmatched, process_callback
from ..payments.refresh import refresh_payment
from ..payments.refunds import refresh_refund
from ..requests import payment_requests

log = structlog.get_logger(__name__)

UNSETTLED_PAYMENTS = ClaimableRows(
    Payment.objects.unsettled(), due_at="next_refresh_at", count="refresh_count"
)
PENDING_REFUNDS = ClaimableRows(
    Refund.objects.pending().select_related("payment"), due_at="next_refresh_at", count="refresh_count"
)
DISPUTES_TO_REMIND = ClaimableRows(
    Dispute.objects.open().select_related("payment__invoice", "payment__quote"), due_at="remind_at"
)
PENDING_CALLBACKS = ClaimableRows(
    Callback.objects.filter(status="pending").select_related("gateway_account"),
    due_at="next_attempt_at",
    count="attempt_count",
)

# The first interval of the back-off. Short where a call of ours waits for its outcome; longer while the customer
# types a card number or a bank moves the money.
_FIRST_INTERVALS = {"pending": timedelta(minutes=2), "processing": timedelta(hours=1)}
_FIRST_INTERVAL = timedelta(seconds=10)
_LONGEST_INTERVAL = timedelta(hours=6)
_LONGEST_CALLBACK_INTERVAL = timedelta(hours=1)
_MAX_CALLBACK_ATTEMPTS = 12
# From this age on an unsettled payment raises an alert: a checkout ends after half an hour, a bank debit within days.
_OVERDUE_AFTER = {"processing": timedelta(days=10)}
_OVERDUE_AFTER_ELSE = timedelta(hours=24)
# From then on after the moment at which the gateway expected the outcome: banks report in the course of a day.
_SETTLING_GRACE_PERIOD = timedelta(days=1)
_REFUND_OVERDUE_AFTER = timedelta(days=10)  # a refund to a card takes up to that


def refresh_unsettled_payments(*, now: datetime, limit: int = 20) -> int:
    """Refreshes the unsettled payments that are due; returns how many."""

    def wait(payment: Payment) -> timedelta:
        first = _FIRST_INTERVALS.get(payment.status, _FIRST_INTERVAL)
        longest = _LONGEST_INTERVAL
        if payment.authorized_until is not None:
            # An authorization is captured or released in time, however long the gateway was silent: the nearer its end,
            # the more often that is tried.
            longest = max(first, min(longest, (payment.authorized_until - now) / 8))
        return back_off(payment.refresh_count, first=first, longest=longest)

    refreshed = 0
    for payment, at in UNSETTLED_PAYMENTS.take(now, limit=limit, wait=wait):
        refreshed += 1
        try:
            refresh_payment(payment, now=at)
        except Refused as refusal:
            # A repeat is refused too, and until a member acts the invoice cannot be paid online.
            amount, message = payment.amount, refusal.message[:300]
            alerts.raise_for_payment(
                "gateway_refused", payment, now=at, amount=amount, gateway_message=message
            )
        except OutcomeUnknown as error:
            log.warning("gateway_outcome_unknown", payment=payment.pk, error=str(error))
        # The refresh works on a row of its own, read under the lock.
        payment.refresh_from_db(fields=["status", "settles_by"])
        overdue_at = payment.created_at + _OVERDUE_AFTER.get(payment.status, _OVERDUE_AFTER_ELSE)
        is_processing = payment.status == "processing"
        if is_processing and payment.settles_by is not None:
            overdue_at = payment.settles_by + _SETTLING_GRACE_PERIOD
        if payment.is_unsettled and at > overdue_at:
            # Until it is settled its invoice can hardly be paid in another way, so a member must know.
            params: dict[str, Any] = {"amount": payment.amount}
            if is_processing:
                params["reason"] = "processing"
            alerts.raise_for_payment("payment_unsettled", payment, now=at, **params)
    return refreshed


def refresh_pending_refunds(*, now: datetime, limit: int = 20) -> int:
    """Asks the gateway what became of pending refunds, and sends those that it never received; returns how many."""

    def wait(refund: Refund) -> timedelta:
        # One that the gateway has named takes as long as a bank does; of another we do not know that it was sent.
        first = refund_booking.FIRST_REFRESH if refund.gateway_ref else _FIRST_INTERVAL
        return back_off(refund.refresh_count, first=first, longest=_LONGEST_INTERVAL)

    refreshed = 0
    for refund, at in PENDING_REFUNDS.take(now, limit=limit, wait=wait):
        refreshed += 1
        try:
            refund = refresh_refund(refund, now=at)
        except (Refused, OutcomeUnknown) as error:
            log.warning("refund_outcome_unknown", refund=refund.pk, error=str(error))
        if refund.status == "pending" and at > refund.created_at + _REFUND_OVERDUE_AFTER:
            # Until it ends the customer waits for money, and it counts as given back in the books.
            alerts.raise_for_payment(
                "refund_unsettled", refund.payment, now=at, amount=refund.amount, refund=refund.pk
            )
    return refreshed


def process_pending_callbacks(*, now: datetime, limit: int = 20) -> int:
    """Retries callbacks that could not be booked, and raises an alert after the last attempt; returns how many."""

    def wait(callback: Callback) -> timedelta:
        return back_off(callback.attempt_count, first=_FIRST_INTERVAL, longest=_LONGEST_CALLBACK_INTERVAL)

    processed = 0
    for callback, at in PENDING_CALLBACKS.take(now, limit=limit, wait=wait):
        processed += 1
        # Unmatched only after hours: the callback can be faster than our own commit of the checkout it names
        # (P7).
        if not process_callback(callback, now=at) and callback.attempt_count >= _MAX_CALLBACK_ATTEMPTS:
            mark_callback_unmatched(callback, now=at)
    return processed


def remind_of_evidence(*, now: datetime, limit: int = 20) -> int:
    """Mails that the time for the evidence of a dispute ends soon, once; returns how many."""
    reminded = 0
    for dispute, at in DISPUTES_TO_REMIND.take(now, limit=limit, wait=lambda _dispute: _LONGEST_INTERVAL):
        with transaction.atomic(durable=True):
            # Compare-and-set: it may have been decided, or another last day reported, since it was claimed.
            still_open = Dispute.objects.open().filter(pk=dispute.pk, version=dispute.version)
            if still_open.update(remind_at=None):
                event = events.record("dispute.reminded", dispute, by=CLOCK, now=at, data=dispute.details)
                outbox.queue_dispute_notice(dispute, event, "dispute_reminder")
                reminded += 1
    return reminded


def expire_payment_requests(*, now: datetime, limit: int = 20) -> int:
    """Expires the open requests whose time is over; returns how many."""
    over = PaymentRequest.objects.open().filter(expires_at__lte=now)
    # A request that a payment keeps open, perhaps for days, must not take the place of others in every round.
    kept_open = Payment.objects.committed() | Payment.objects.under_way().filter(
        payment_request__expires_at__gt=now - EXPIRY_GRACE_PERIOD
    )
    due = over.exclude(payments__in=kept_open).order_by("expires_at")[:limit]
    clock = RunningClock(now)
    return sum(payment_requests.expire(request, now=clock.now()) for request in due)


def expire_quotes(*, now: datetime, limit: int = 20) -> int:
    """Expires the sent quotes whose last day is over; returns how many."""
    # No time zone is more than a day behind UTC; `expire` compares with the organization's own date.
    due = Quote.objects.past_valid_until(now.date() + timedelta(days=1)).order_by("valid_until")[:limit]
    clock = RunningClock(now)
    return sum(quotes.expire(quote, now=clock.now()) for quote in due)
