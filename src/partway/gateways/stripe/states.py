"""Translates Stripe's objects into the protocol's facts; plain functions, in which the PaymentIntent is what counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from partway.lib.money import Money

from ..protocol import (
    CheckoutState,
    CheckoutStatus,
    Dispute,
    DisputeStatus,
    Refund,
    RefundStatus,
)
from .amounts import from_stripe
from .capabilities import BANK_DEBIT, our_name
from .reading import Json, expanded, moment, text

# Of our ids, in the metadata of what we make at Stripe: our payment, its organization, and the idempotency key of our
# refund.
PAYMENT_KEY = "partway_payment"
ORGANIZATION_KEY = "partway_organization"
REFUND_KEY = "partway_refund"

_INTENT_STATUS = {
    "requires_capture": CheckoutStatus.AUTHORIZED,
    "processing": CheckoutStatus.PROCESSING,
    "succeeded": CheckoutStatus.CAPTURED,
    "canceled": CheckoutStatus.CLOSED,
}
_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")

_REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}

# An appeal follows a loss, so the money is with the customer until it is won.
_DISPUTE_STATUS = {
    "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN,
    "appeal_needs_response": DisputeStatus.LOST,
    "appeal_under_review": DisputeStatus.LOST,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}
# Of an inquiry (`warning_…`), and a dispute that was prevented, no money moves, and they are left out: a refund, which
# an open dispute would stop here, is the best answer to an inquiry. Where one moved money all the same, it is lost.
_NO_MONEY_MOVES = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented")
_DISPUTE_REASONS = {
    "fraudulent": "fraudulent",
    "unrecognized": "unrecognized",
    "duplicate": "duplicate",
    "product_not_received": "not_received",
    "product_unacceptable": "not_as_described",
    "subscription_canceled": "canceled",
    "credit_not_processed": "credit_not_processed",
    "bank_cannot_process": "debit_returned",
    "check_returned": "debit_returned",
    "customer_initiated": "debit_returned",
    "debit_not_authorized": "debit_returned",
    "incorrect_account_details": "debit_returned",
    "insufficient_funds": "debit_returned",
}

# Stripe's decline code → ours. All others, a stolen card among them, are `card_declined`: the bank does not want the
# one who holds the card to learn why, and Stripe's message for people does not say it either.
_DECLINES = {
    "insufficient_funds": "insufficient_funds",
    "expired_card": "expired_card",
    "incorrect_cvc": "incorrect_security_code",
    "invalid_cvc": "incorrect_security_code",
    "incorrect_number": "incorrect_number",
    "invalid_number": "incorrect_number",
    "processing_error": "processing_error",
    "authentication_required": "authentication_failed",
    "payment_intent_authentication_failure": "authentication_failed",
    "card_not_supported": "card_not_supported",
    "currency_not_supported": "card_not_supported",
    "card_velocity_exceeded": "limit_exceeded",
    "withdrawal_count_limit_exceeded": "limit_exceeded",
}
# Why an intent was canceled of which an authorization has lapsed.
CANCELED_BY_STRIPE = ("automatic", "expired")


def reference_of(row: Json) -> str:
    """Returns our id of the payment from the metadata of an object; empty for one of another application."""
    return text((row.get("metadata") or {}).get(PAYMENT_KEY, ""))


def organization_of(row: Json) -> str:
    """Returns our id of the organization from the metadata of an object; empty where it has none."""
    return text((row.get("metadata") or {}).get(ORGANIZATION_KEY, ""))


def checkout_state(
    session: Json, refunds: Sequence[Json] = (), disputes: Sequence[Json] = ()
) -> CheckoutState:
    """Returns the state of a session whose intent, latest charge and its balance transaction are expanded.

    `refunds` and `disputes` are those of the intent, newest first, as Stripe lists them. Raises KeyError, TypeError or
    ValueError when the objects are not as documented.
    """
    intent = expanded(session["payment_intent"])
    charge = expanded(intent["latest_charge"]) if intent else {}
    status = _status(session, intent)
    details = expanded(charge.get("payment_method_details"))
    method = our_name(text(details["type"], max_length=40)) if details else ""
    captured = authorized = fee = authorized_until = None
    if status == CheckoutStatus.CAPTURED:
        # What the intent says that it took, which need not be what was authorized: a member may have captured less
        # in Stripe's dashboard (M4).
        captured = _money(intent.get("amount_received"), intent["currency"])
        fee = _fee(charge)
    if status == CheckoutStatus.AUTHORIZED:
        authorized = _money(intent["amount_capturable"], intent["currency"])
        # Of a card, and of some other methods.
        authorized_until = moment(expanded(details[details["type"]]).get("capture_before"))
    code, message = _reason(session, intent, charge, status, method)
    return CheckoutState(
        status=status,
        captured=captured,
        authorized=authorized,
        method=method,
        code=code,
        message=message,
        refunds=tuple(refund(row) for row in reversed(refunds) if not _is_release(row, charge)),
        fee=fee,
        disputes=tuple(
            dispute(row)
            for row in reversed(disputes)
            if row["status"] not in _NO_MONEY_MOVES or _moved(row)[0] > _moved(row)[1]
        ),
        authorized_until=authorized_until,
    )


def _status(session: Json, intent: Json) -> CheckoutStatus:
    """Returns the status. A session that is complete says nothing: with manual capture it stays `unpaid`."""
    if intent and intent["status"] in _INTENT_STATUS:
        return _INTENT_STATUS[intent["status"]]
    if intent and intent["status"] not in _WAITING:
        raise ValueError(f"{intent['status']!r} is no status of a PaymentIntent")
    is_confirming = bool(intent) and intent["status"] == "requires_action"
    if session["status"] == "open" or is_confirming:
        # The customer may be at the bank's page, which ends in a payment also when the session has expired meanwhile.
        return CheckoutStatus.OPEN
    if session["status"] == "expired":
        return CheckoutStatus.CLOSED
    if session["status"] != "complete":
        raise ValueError(f"{session['status']!r} is no status of a Checkout Session")
    # A debit that failed goes back to the start, but its page is over: it cannot be paid any more.
    return CheckoutStatus.FAILED


def _reason(
    session: Json, intent: Json, charge: Json, status: CheckoutStatus, method: str
) -> tuple[str, str]:
    """Returns our code and Stripe's message for people, of the latest decline or the end."""
    error = expanded(intent.get("last_payment_error"))
    message = text(error.get("message") or "", max_length=300)
    if status == CheckoutStatus.FAILED:
        return ("bank_debit_failed" if method == BANK_DEBIT else decline_code(error)), message
    if status == CheckoutStatus.OPEN:
        return (decline_code(error), message) if error else ("", "")
    if status != CheckoutStatus.CLOSED:
        return "", ""
    was_authorized = charge.get("status") == "succeeded"
    if was_authorized and intent["cancellation_reason"] in CANCELED_BY_STRIPE:
        return "authorization_lapsed", message
    return ("checkout_expired", message) if session["status"] == "expired" else ("", message)


def decline_code(error: Json) -> str:
    """Returns our code for an error object of Stripe that is about a card or another method of payment."""
    for name in (error.get("decline_code"), error.get("code")):
        if name in _DECLINES:
            return _DECLINES[name]
    return "card_declined"


def _money(units: object, currency: str) -> Money | None:
    """Returns an amount that is not below zero; None where Stripe says none."""
    if units is None:
        return None
    amount = from_stripe(units, currency)
    if amount.amount_minor < 0:
        raise ValueError(f"{units} is not an amount")
    return amount


def _fee(row: Json, name: str = "balance_transaction") -> Money | None:
    """Returns the fee of a charge or a refund, in the currency in which the account settles; None until it is known."""
    booked = expanded(row.get(name))
    return from_stripe(booked["fee"], booked["currency"]) if booked else None


def refund(row: Json) -> Refund:
    """Returns a refund whose balance transactions are expanded."""
    fee, back = _fee(row), _fee(row, "failure_balance_transaction")
    amount = _money(row["amount"], row["currency"])
    if amount is None:
        raise ValueError("a refund without an amount")
    return Refund(
        ref=text(row["id"]),
        status=_REFUND_STATUS[row["status"]],
        amount=amount,
        reference=text((row.get("metadata") or {}).get(REFUND_KEY, "")),
        fee=fee + back if fee is not None and back is not None else fee,
    )


def _is_release(row: Json, charge: Json) -> bool:
    """Returns whether a refund is only the rest of an authorization of which a part was captured: no money went back.

    Stripe has listed such a rest as a refund. Unlike one of money, it is in no balance.
    """
    rest = charge["amount"] - charge["amount_captured"] if charge else 0
    is_ours = REFUND_KEY in (row.get("metadata") or {})
    is_in_no_balance = row["status"] == "succeeded" and row["balance_transaction"] is None
    return bool(rest) and not is_ours and is_in_no_balance and row["amount"] == rest


def dispute(row: Json) -> Dispute:
    """Returns a dispute; its fee is what all its balance transactions charge by now, None for nothing.

    One that is lost may have been won in part, as where a part had been refunded before: then its amount is what stayed
    with the customer. support.stripe.com/questions/dispute-for-full-charge-amount-after-a-partial-refund-was-issued
    """
    units, status = row["amount"], row["status"]
    is_lost = status in _NO_MONEY_MOVES or _DISPUTE_STATUS[status] == DisputeStatus.LOST
    taken, returned = _moved(row)
    if is_lost and 0 < returned < taken:
        # The account may settle in another currency than was paid, of which only the share is known.
        units = (2 * units * (taken - returned) + taken) // (2 * taken)
    amount = _money(units, row["currency"])
    if not amount:
        raise ValueError("a dispute without an amount")
    booked: list[Any] = row["balance_transactions"]
    fee = from_stripe(sum(one["fee"] for one in booked), booked[0]["currency"]) if booked else None
    return Dispute(
        ref=text(row["id"]),
        status=DisputeStatus.LOST if is_lost else _DISPUTE_STATUS[status],
        amount=amount,
        reason=_DISPUTE_REASONS.get(row["reason"], "unknown"),
        evidence_due_at=moment(expanded(row["evidence_details"]).get("due_by")),
        fee=fee or None,
    )


def _moved(row: Json) -> tuple[int, int]:
    """Returns how much a dispute took from the balance of the account, and how much it gave back.

    Counted since all was back for the last time: one that was won can be lost again, and then all is away anew.
    """
    taken = returned = 0
    for booked in row["balance_transactions"]:
        amount: int = booked["amount"]
        taken, returned = taken - min(amount, 0), returned + max(amount, 0)
        if 0 < taken <= returned:
            taken = returned = 0
    return taken, returned
