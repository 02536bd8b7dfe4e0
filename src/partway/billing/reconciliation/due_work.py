"""What the clock does: asks about payments nobody reported on, retries callbacks, ends what is over (DESIGN P5, P7)."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db.models import F

from partway.gateways.protocol import OutcomeUnknown, Refused

from .. import alerts
from ..checkouts.payability import EXPIRY_GRACE_PERIOD
from ..documents import quotes
from ..models import Callback, Payment, PaymentRequest, Quote
from ..payments.callbacks import mark_callback_unmatched, process_callback
from ..payments.refresh import refresh_payment
from ..requests import payment_requests

log = structlog.get_logger(__name__)

# A decision waits for its answer: ask soon. A customer may just be looking for the card: ask seldom.
_FIRST = {"pending": timedelta(minutes=2), "processing": timedelta(hours=1)}
_SOON = timedelta(seconds=10)
_LONGEST = timedelta(hours=6)
_CALLBACK_TRIES = 12
# From here on a human should know: a checkout is over after half an hour, a bank takes a few working days.
_TOO_LONG = {"processing": timedelta(days=10)}
_TOO_LONG_ELSE = timedelta(hours=24)


def refresh_unsettled_payments(*, now: datetime, limit: int = 20) -> int:
    """Refresh the payments whose time to be asked about has come; answers how many were asked about."""
    due = Payment.objects.unsettled().filter(next_refresh_at__lte=now).order_by("next_refresh_at")[:limit]
    return sum(_ask(payment, now) for payment in due)


def _ask(payment: Payment, now: datetime) -> bool:
    if not _claim(payment, now):
        return False
    try:
        refresh_payment(payment, now=now)
    except Refused as refusal:
        # Asking again will not help, and until somebody looks this invoice cannot be paid online.
        message = f"The payment service refuses to say what became of {payment.amount}: {refusal.message} Check it there."
        alerts.raise_for_payment("gateway_refused", payment, message=message[:400], now=now)
    except OutcomeUnknown as error:
        log.warning("gateway gave no answer", payment=payment.pk, why=str(error))
    _tell_if_stuck(payment, now)
    return True


def _tell_if_stuck(payment: Payment, now: datetime) -> None:
    """While it is unsettled its invoice can hardly be paid in another way, so nobody may find out by chance."""
    payment.refresh_from_db(fields=["status"])
    if payment.is_unsettled and now > payment.created_at + _TOO_LONG.get(payment.status, _TOO_LONG_ELSE):
        message = (
            f"Nobody knows yet what became of {payment.amount}: the payment service has not settled it. "
        )
        alerts.raise_for_payment("payment_unsettled", payment, message=f"{message}Look it up there.", now=now)


def _claim(payment: Payment, now: datetime) -> bool:
    """Whoever raises `checks` asks; the next look is set before asking, so that a killed worker loses nothing."""
    wait = min(_FIRST.get(payment.status, _SOON) * 2 ** min(payment.refresh_count, 12), _LONGEST)
    mine = Payment.objects.filter(
        pk=payment.pk, refresh_count=payment.refresh_count, next_refresh_at=payment.next_refresh_at
    )
    return bool(mine.update(refresh_count=F("refresh_count") + 1, next_refresh_at=now + wait))


def work_off_callbacks(*, now: datetime, limit: int = 20) -> int:
    """Retry callbacks that could not be booked when they came; after the last try a human is told."""
    due = Callback.objects.filter(status="waiting", next_attempt_at__lte=now).select_related(
        "gateway_account"
    )
    return sum(_retry(callback, now) for callback in due.order_by("next_attempt_at")[:limit])


def _retry(callback: Callback, now: datetime) -> bool:
    wait = min(_SOON * 2 ** min(callback.attempt, 12), timedelta(hours=1))
    mine = Callback.objects.filter(pk=callback.pk, status="waiting", attempt=callback.attempt)
    if not mine.update(attempt=F("attempt") + 1, next_attempt_at=now + wait):
        return False
    if not process_callback(callback, now=now) and callback.attempt + 1 >= _CALLBACK_TRIES:
        mark_callback_unmatched(callback, now=now)
    return True


def expire_payment_requests(*, now: datetime, limit: int = 20) -> int:
    """End the open requests whose time is over; answers how many ended."""
    over = PaymentRequest.objects.open().filter(expires_at__lte=now)
    # One that a payment keeps open, perhaps for days, must not stand in front of the others round after round.
    kept_open = Payment.objects.committed() | Payment.objects.unsettled().filter(
        payment_request__expires_at__gt=now - EXPIRY_GRACE_PERIOD
    )
    due = over.exclude(payments__in=kept_open).order_by("expires_at")[:limit]
    return sum(payment_requests.expire(request, now=now) for request in due)


def expire_quotes(*, now: datetime, limit: int = 20) -> int:
    """End the sent quotes whose last day is over; answers how many ended."""
    # No place on earth is more than a day behind UTC; `expire` asks the organization's own calendar.
    due = Quote.objects.past_valid_until(now.date() + timedelta(days=1)).order_by("valid_until")[:limit]
    return sum(quotes.expire(quote, now=now) for quote in due)
