"""The acts on a checkout. Each is one compare-and-set that stores its callback in the same transaction."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from partway.lib.clock import now
from partway.lib.money import EXPONENTS
from partway.sandbox import callbacks, faults, payouts
from partway.sandbox.errors import ApiError, not_found
from partway.sandbox.instruments import (
    CONFIRMATION_DECLINED,
    DEBITS,
    DISPUTE_BEHAVIORS,
    EXPIRED,
    LAPSED,
    REFUND_BEHAVIORS,
    TOO_MANY_DECLINES,
    Instrument,
)
from partway.sandbox.models import Checkout, Dispute, Refund
from partway.sandbox.settings import SETTLE_AFTER_SECONDS

Status = Checkout.Status

# More declines than this in one checkout look like card testing.
MAX_DECLINES = 5

# The fee of a payment: 14 thousandths of it, rounded half up, and a fixed part in minor units by the currency's number
# of decimals. It is kept when the payment is refunded; a refund itself costs nothing.
_FEE_PER_MILLE = 14
_FIXED_FEE = {0: 25, 2: 25, 3: 80}

# Until when evidence can be submitted, and what a dispute costs in minor units; it comes back when it is won.
EVIDENCE_DAYS = 7
DISPUTE_FEE = 1500

# The bank account that the fault close_too_late pays with, just before the close.
_GOOD_DEBIT = "000123456789"


def locked(checkout_id: str, account_id: str = "") -> Checkout:
    """Returns the checkout as it is now, closed if its time is over; no other process writes until the commit.

    Call it inside a transaction: transactions begin IMMEDIATE here, so there is one writer at a time.
    """
    owned = {"account_id": account_id} if account_id else {}
    checkout = Checkout.objects.select_related("account").filter(id=checkout_id, **owned).first()
    if checkout is None:
        raise not_found()
    if checkout.status == Status.OPEN and checkout.expires_at <= now():
        _move(checkout, Status.CLOSED, "closed", code=EXPIRED[0], message=EXPIRED[1])
    return checkout


def _move(checkout: Checkout, status: str, kind: str, **fields: object) -> None:
    """Changes the row if its status is still the one read, and stores a callback; raises `conflict` otherwise."""
    fields = {"status": status, "changed_at": now(), "code": "", "message": "", "confirmation": "", **fields}
    if not Checkout.objects.filter(id=checkout.id, status=checkout.status).update(**fields):
        raise ApiError(409, "conflict", "This checkout was changed by another request at the same time.")
    for name, value in fields.items():
        setattr(checkout, name, value)
    callbacks.enqueue(checkout, kind)


def pay_by_card(checkout: Checkout, card: Instrument) -> None:
    """Authorizes the amount on a card, declines it, or asks for a confirmation first."""
    if card.code:
        _decline(checkout, card.code, card.message)
    elif card.confirms:
        # Nothing has happened yet that needs a callback.
        checkout.confirmation = secrets.token_urlsafe(16)
        checkout.save(update_fields=["confirmation"])
    else:
        _authorize(checkout, lapses=card.lapses, refunds=card.refunds, disputes=card.disputes)


def confirm(checkout: Checkout, confirmation: str, agreed: bool) -> None:
    """Authorizes when the customer `agreed` to the confirmation, declines otherwise."""
    if not confirmation or checkout.confirmation != confirmation:
        raise ApiError(409, "confirmation_over", "This confirmation is over. Please enter the card again.")
    if agreed:
        _authorize(checkout)
    else:
        _decline(checkout, *CONFIRMATION_DECLINED)


def _authorize(checkout: Checkout, **card: object) -> None:
    """Holds the amount; `card` are the columns of how the card behaves later."""
    amount = {"authorized_minor": checkout.amount_minor}
    _move(checkout, Status.AUTHORIZED, "authorized", method="card", **amount, **card)


def _decline(checkout: Checkout, code: str, message: str) -> None:
    """Leaves the checkout open for another card, until MAX_DECLINES closes it."""
    declines = checkout.declines + 1
    if declines < MAX_DECLINES:
        reason = {"code": code, "message": message}
        _move(checkout, Status.OPEN, "declined", method="card", declines=declines, **reason)
    else:
        code, message = TOO_MANY_DECLINES
        _move(checkout, Status.CLOSED, "closed", declines=declines, code=code, message=message)


def pay_by_debit(checkout: Checkout, debit: Instrument) -> None:
    """Starts a bank debit, whose outcome is known when it settles."""
    wait = timedelta(days=debit.days) or timedelta(seconds=SETTLE_AFTER_SECONDS)
    outcome = Status.FAILED if debit.code else Status.CAPTURED
    planned = {"settles_at": now() + wait, "settle_outcome": outcome, "settle_message": debit.message}
    planned["disputes"] = debit.disputes
    _move(checkout, Status.PROCESSING, "processing", method="bank_debit", **planned)


def settle(checkout: Checkout, outcome: str = "") -> None:
    """Settles a bank debit with `outcome`, else with that of its account number."""
    if checkout.status != Status.PROCESSING:
        raise ApiError(409, "not_processing", "Only a payment that is processing can settle.")
    if (outcome or checkout.settle_outcome) == Status.CAPTURED:
        _capture(checkout, checkout.amount_minor)
    else:
        failure = next(debit for debit in DEBITS.values() if debit.code)
        message = checkout.settle_message or failure.message
        _move(checkout, Status.FAILED, "failed", code=failure.code, message=message)


def capture(checkout: Checkout, amount_minor: int) -> None:
    """Captures what was authorized, once."""
    if checkout.status == Status.CAPTURED:
        raise _already_captured()
    if checkout.code == LAPSED[0]:
        raise ApiError(409, *LAPSED)
    if checkout.status != Status.AUTHORIZED:
        raise ApiError(409, "not_authorized", f"Nothing to capture: this checkout is {checkout.status}.")
    if amount_minor > (checkout.authorized_minor or 0):
        raise ApiError(422, "amount_too_large", "More than was authorized.")
    if checkout.lapses:
        lapse(checkout)
        raise ApiError(409, *LAPSED)
    _capture(checkout, amount_minor)
    if faults.consume(checkout.account, faults.AFTER_CAPTURE):
        raise _already_captured()


def _already_captured() -> ApiError:
    return ApiError(409, "already_captured", "This payment has already been captured.")


def lapse(checkout: Checkout) -> None:
    """Releases the authorization, as a bank does after some days."""
    if checkout.status != Status.AUTHORIZED:
        raise ApiError(409, "not_authorized", f"Nothing to let go of: this checkout is {checkout.status}.")
    _move(checkout, Status.CLOSED, "closed", authorized_minor=None, code=LAPSED[0], message=LAPSED[1])


def _capture(checkout: Checkout, amount_minor: int) -> None:
    fault = faults.consume(checkout.account, faults.ON_CAPTURE)
    currency = checkout.currency
    if fault and fault.kind == "wrong_amount":
        amount_minor = max(0, amount_minor + fault.delta)
    elif fault:
        currency = fault.currency
    percentage = (amount_minor * _FEE_PER_MILLE + 500) // 1000
    # Nothing captured costs nothing. A test may choose a currency that is none.
    fee_minor = percentage + _FIXED_FEE[EXPONENTS.get(currency, 2)] if amount_minor else 0
    disputed = checkout.disputes and amount_minor
    disputed_at = now() + timedelta(seconds=SETTLE_AFTER_SECONDS) if disputed else None
    _move(
        checkout,
        Status.CAPTURED,
        "captured",
        captures=checkout.captures + 1,
        captured_minor=amount_minor,
        captured_currency=currency,
        disputed_at=disputed_at,
        fee_minor=fee_minor,
    )
    payouts.add_entry(checkout, "payment", amount_minor, fee_minor=fee_minor)


def close(checkout: Checkout) -> None:
    """Closes the checkout and releases an authorization; a captured amount stays captured."""
    if checkout.status == Status.OPEN and faults.consume(checkout.account, faults.ON_CLOSE):
        pay_by_debit(checkout, DEBITS[_GOOD_DEBIT])
    if checkout.status in (Status.OPEN, Status.AUTHORIZED):
        _move(checkout, Status.CLOSED, "closed", authorized_minor=None)


def refund(checkout: Checkout, amount_minor: int, reference: str) -> Refund:
    """Refunds part or all of what was captured."""
    left = (checkout.captured_minor or 0) - checkout.refunded_minor
    if checkout.status != Status.CAPTURED:
        raise ApiError(409, "not_captured", "Nothing was captured.")
    if not 0 < amount_minor <= left:
        raise ApiError(422, "amount_too_large", f"Only {left} can still be refunded.")
    status, outcome = REFUND_BEHAVIORS[checkout.refunds]
    fault = faults.consume(checkout.account, faults.ON_REFUND)
    if fault and fault.kind == "refund_refused":
        raise ApiError(409, "refund_refused", "This payment cannot be refunded: the card was closed.")
    if fault:
        status, outcome = "pending", ""  # until a test settles it
    refund_row = Refund.objects.create(
        checkout=checkout,
        amount_minor=amount_minor,
        reference=reference,
        status=status,
        settles_at=now() + timedelta(seconds=SETTLE_AFTER_SECONDS) if outcome else None,
        settle_outcome=outcome,
    )
    refunded = checkout.refunded_minor + amount_minor
    _move(checkout, Status.CAPTURED, "refunded", refunded_minor=refunded)
    payouts.add_entry(checkout, "refund", -amount_minor, source=refund_row.id)
    return refund_row


def settle_refund(refund_id: str, account_id: str, outcome: str) -> Refund:
    """Settles a pending refund; one that succeeded can still fail, as with real banks."""
    refund_row = Refund.objects.filter(id=refund_id).first()
    if refund_row is None:
        raise not_found()
    checkout = locked(refund_row.checkout_id, account_id)
    if refund_row.status == "failed" or refund_row.status == outcome:
        raise ApiError(409, "refund_settled", f"This refund has {refund_row.status}.")
    refund_row.status, refund_row.settles_at = outcome, None
    refund_row.save(update_fields=["status", "settles_at"])
    back = refund_row.amount_minor if outcome == "failed" else 0
    kind = "refund_failed" if outcome == "failed" else "refunded"
    _move(checkout, Status.CAPTURED, kind, refunded_minor=checkout.refunded_minor - back)
    if back:
        payouts.add_entry(checkout, "refund", back, source=refund_row.id)
    return refund_row


def dispute(
    checkout: Checkout,
    amount_minor: int,
    reason: str,
    *,
    evidence_days: int = EVIDENCE_DAYS,
    outcome: str = "",
) -> Dispute:
    """Opens a dispute of part or all of what was captured, refunded or not; `outcome` decides it seconds later.

    A returned debit is lost from the beginning: no evidence can be submitted.
    """
    if checkout.status != Status.CAPTURED:
        raise ApiError(409, "not_captured", "Nothing was captured.")
    if not 0 < amount_minor <= (checkout.captured_minor or 0):
        raise ApiError(422, "amount_too_large", f"Only {checkout.captured_minor} was captured.")
    is_returned = reason == "debit_returned"
    row = Dispute.objects.create(
        checkout=checkout,
        status="lost" if is_returned else "open",
        amount_minor=amount_minor,
        reason=reason,
        evidence_due_at=None if is_returned else now() + timedelta(days=evidence_days),
        fee_minor=DISPUTE_FEE,
        settles_at=now() + timedelta(seconds=SETTLE_AFTER_SECONDS) if outcome else None,
        settle_outcome=outcome,
    )
    _move(checkout, Status.CAPTURED, "dispute_closed" if is_returned else "dispute_opened")
    payouts.add_dispute_entry(checkout, row)
    return row


def update_dispute(dispute_id: str, account_id: str, *, amount_minor: int, evidence_days: int) -> Dispute:
    """Changes what a dispute is about: banks do while they look at it, and correct what they took once it is lost."""
    row, checkout = _locked_dispute(dispute_id, account_id)
    if row.status == "won":
        raise ApiError(409, "dispute_decided", f"This dispute is {row.status}.")
    if not 0 < amount_minor <= (checkout.captured_minor or 0):
        raise ApiError(422, "amount_too_large", f"Only {checkout.captured_minor} was captured.")
    row.amount_minor, row.evidence_due_at = amount_minor, now() + timedelta(days=evidence_days)
    row.save(update_fields=["amount_minor", "evidence_due_at"])
    _move(checkout, Status.CAPTURED, "dispute_updated")
    payouts.add_dispute_entry(checkout, row)
    return row


def decide_dispute(dispute_id: str, account_id: str, outcome: str) -> Dispute:
    """Decides a dispute as won or lost, also against an earlier decision; the fee of one that is won comes back."""
    row, checkout = _locked_dispute(dispute_id, account_id)
    if row.status == outcome:
        raise ApiError(409, "dispute_decided", f"This dispute is {row.status}.")
    row.status, row.settles_at, row.fee_minor = outcome, None, 0 if outcome == "won" else DISPUTE_FEE
    row.save(update_fields=["status", "settles_at", "fee_minor"])
    _move(checkout, Status.CAPTURED, "dispute_closed")
    payouts.add_dispute_entry(checkout, row)
    return row


def _locked_dispute(dispute_id: str, account_id: str) -> tuple[Dispute, Checkout]:
    row = Dispute.objects.filter(id=dispute_id).first()
    if row is None:
        raise not_found()
    checkout = locked(row.checkout_id, account_id)
    row.checkout = checkout
    return row, checkout


def pass_days(checkout: Checkout, days: int) -> None:
    """Brings what the banks have planned for a checkout nearer by this many days; the clock does what is due then."""
    step = timedelta(days=days)
    planned = {"settles_at__isnull": False}
    for rows in (
        Checkout.objects.filter(id=checkout.id, **planned),
        Refund.objects.filter(checkout=checkout, **planned),
        Dispute.objects.filter(checkout=checkout, **planned),
    ):
        rows.update(settles_at=F("settles_at") - step)
    disputed = Checkout.objects.filter(id=checkout.id, disputed_at__isnull=False)
    disputed.update(disputed_at=F("disputed_at") - step)
    callbacks.wake_event.set()


def process_due() -> None:
    """Closes what has expired and settles what is due; the clock calls this every round."""
    at = now()
    overdue = Checkout.objects.filter(status=Status.OPEN, expires_at__lte=at)
    for checkout_id in overdue.values_list("id", flat=True)[:100]:
        with transaction.atomic():
            locked(checkout_id)
    due = Checkout.objects.filter(status=Status.PROCESSING, settles_at__lte=at)
    for checkout_id in due.values_list("id", flat=True)[:100]:
        with transaction.atomic():
            checkout = locked(checkout_id)
            if checkout.status == Status.PROCESSING:
                settle(checkout)
    for refund_row in Refund.objects.filter(settles_at__lte=at).select_related("checkout")[:100]:
        # Another request may have settled it meanwhile.
        with transaction.atomic(), suppress(ApiError):
            settle_refund(refund_row.id, refund_row.checkout.account_id, refund_row.settle_outcome)
    for checkout in Checkout.objects.filter(disputed_at__lte=at)[:100]:
        behavior = DISPUTE_BEHAVIORS[checkout.disputes]
        with transaction.atomic():
            checkout = locked(checkout.id)
            if checkout.disputed_at is not None:
                checkout.disputed_at = None
                checkout.save(update_fields=["disputed_at"])
                disputed = max(1, (checkout.captured_minor or 0) * behavior.percent // 100)
                dispute(checkout, disputed, behavior.reason, outcome=behavior.outcome)
    for row in Dispute.objects.filter(settles_at__lte=at).select_related("checkout")[:100]:
        with transaction.atomic(), suppress(ApiError):
            decide_dispute(row.id, row.checkout.account_id, row.settle_outcome)
