"""Where the deposit of a quote stands, and taking it offline: always the whole of it (DESIGN D1)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db import transaction

from partway.lib import clock

from .. import events, outbox
from ..checkouts import gateway_calls
from ..errors import Conflict, Invalid, PaymentInProgress, TooLate
from ..events import Actor
from ..models import Payment, Quote
from ..people import payment_modes

_IN_PROGRESS = "The deposit is being paid right now. Wait until that is settled, then try again."


def deposit_status(quote: Quote) -> str:
    """Derived: none, due, processing or paid; asks no database when the quote's payments were fetched with it."""
    if quote.deposit_minor == 0:
        return "none"
    payments = list(quote.payments.all())
    if any(payment.is_deposit for payment in payments):
        return "paid"
    return "processing" if any(payment.is_committed for payment in payments) else "due"


def deposit_payment(quote: Quote) -> Payment | None:
    """The payment that paid the deposit, if one did."""
    return quote.payments.deposits().first()


@dataclass(frozen=True, slots=True)
class OfflineDeposit:
    """A deposit that came by cash, check or transfer, as a member records it; it names no amount."""

    method: str
    paid_on: date
    reference: str = ""
    note: str = ""
    idempotency_key: str | None = None


def record_deposit(quote: Quote, *, deposit: OfflineDeposit, by: Actor, now: datetime) -> Payment:
    """Book a deposit paid offline, in full; an open checkout for it is closed.

    Raises Invalid, PaymentInProgress while an online payment is committed, TooLate when it was paid already,
    Conflict when none is asked for now.
    """
    payment, to_close = _record(quote, deposit, by, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return payment


@transaction.atomic(durable=True)
def _record(
    quote: Quote, deposit: OfflineDeposit, by: Actor, now: datetime
) -> tuple[Payment, Payment | None]:
    quote = Quote.objects.locked(quote.pk)
    key, owner = deposit.idempotency_key, quote.organization_id
    made = key and Payment.objects.filter(organization=owner, idempotency_key=key).first()
    if made and (made.quote_id != quote.pk or made.status != "succeeded"):
        raise Conflict("This form was used already. Open it again to record the deposit.")
    if made:
        return made, None
    _check_moment(quote)
    _check_typed(quote, deposit, now)
    to_close = cancel_checkout(quote, by, now)
    payment = _written(quote, deposit, now)
    figures = {"amount_minor": quote.deposit_minor, "currency": quote.currency, "method": deposit.method}
    stages = {
        "total_minor": quote.total_minor,
        "paid_before_minor": 0,
        "allocated_minor": 0,
        "deposit_minor": quote.deposit_minor,
    }
    data = {**figures, **stages, "from": "pending", "to": "succeeded"}
    event = events.record("payment.recorded", payment, by=by, now=now, data=data)
    outbox.queue_receipt(payment, event, stages)
    return payment, to_close


def _check_moment(quote: Quote) -> None:
    if deposit_payment(quote) is not None:
        raise TooLate("This deposit was already paid.")
    if quote.deposit_minor == 0:
        raise Conflict("This quote asks for no deposit.")
    if quote.status == "invoiced":
        raise TooLate("An invoice was made of this quote without a deposit; record the payment there.")
    if quote.status != "accepted":
        raise Conflict("A deposit can be recorded once the quote is accepted.")


def unavailable_reason(quote: Quote) -> str:
    """What stands in the way of recording the deposit now, in words; empty when nothing does."""
    try:
        _check_moment(quote)
    except Conflict as error:
        return error.message
    return _IN_PROGRESS if deposit_status(quote) == "processing" else ""


def _check_typed(quote: Quote, deposit: OfflineDeposit, now: datetime) -> None:
    today = clock.today(now, quote.organization.time_zone)
    typed = asdict(deposit)
    del typed["idempotency_key"]
    errors = payment_modes.detail_errors(quote.organization, today=today, **typed)
    if errors:
        raise Invalid(errors)


def _written(quote: Quote, deposit: OfflineDeposit, now: datetime) -> Payment:
    return Payment.objects.create(
        organization=quote.organization,
        quote=quote,
        status="succeeded",
        accepted=True,
        amount_minor=quote.deposit_minor,
        currency=quote.currency,
        captured_minor=quote.deposit_minor,
        captured_currency=quote.currency,
        method=deposit.method,
        paid_on=deposit.paid_on,
        reference=deposit.reference,
        note=deposit.note,
        idempotency_key=deposit.idempotency_key,
        created_at=now,
        settled_at=now,
        next_refresh_at=now,
    )


def cancel_checkout(quote: Quote, by: Actor, now: datetime) -> Payment | None:
    """Under the quote's lock, end a payment that only waits; answers the one to close at the gateway after the commit.

    Raises PaymentInProgress while one is committed.
    """
    payment = quote.payments.unsettled().select_related("gateway_account").first()
    if payment is None:
        return None
    if payment.is_committed:
        raise PaymentInProgress(_IN_PROGRESS)
    return payment if gateway_calls.begin_cancel(payment, by=by, now=now) else None
