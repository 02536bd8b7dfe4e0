"""Talks to the gateway about one payment: starts, asks, captures, closes; each call is a row before it is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction

from partway.accounts.models import GatewayAccount
from partway.gateways.protocol import (
    Checkout,
    CheckoutRequest,
    CheckoutState,
    CloseOutcome,
    Gateway,
    OutcomeUnknown,
    Refused,
)
from partway.gateways.registry import open_gateway
from partway.lib.money import Money
from partway.lib.sealing import Unsealable

from .. import links
from ..events import CLOCK, Actor
from ..models import GatewayCall, Payment
from ..states import move
from .payability import CHECKOUT_LIFETIME, document_for_update

T = TypeVar("T")

# After a decision the worker looks soon, in case whoever decided was killed before the call was answered.
FOLLOW_UP_DELAY = timedelta(seconds=15)

# What becomes of an uncommitted payment that shall not happen.
CANCEL_TRANSITIONS = {"pending": "closing", "authorized": "releasing"}


class CallInProgress(Exception):
    """The same call is being made by another thread or process right now."""


def gateway_for_account(account: GatewayAccount) -> Gateway:
    """The gateway, opened with this account's credentials; raises Refused or Unknown.

    Refused for the sandbox on a live installation, Unknown when the credentials cannot be read any more.
    """
    if account.gateway == "sandbox" and settings.PARTWAY_LIVE:
        raise Refused("sandbox_when_live", "The sandbox moves no money, and this installation is live.")
    try:
        credentials = account.credentials
    except Unsealable as error:
        # Nobody can ask the gateway until the key is back, so nobody knows what became of its payments.
        raise OutcomeUnknown(str(error)) from error
    return open_gateway(account.gateway, credentials, endpoints={"sandbox": settings.PARTWAY_SANDBOX_URL})


def gateway_account_for(payment: Payment) -> GatewayAccount:
    """The account a payment goes through; raises Refused for an offline payment, which goes through none."""
    if payment.gateway_account is None:
        raise Refused("offline", "This payment was recorded by a member; there is nobody to ask.")
    return payment.gateway_account


def gateway_for_payment(payment: Payment) -> Gateway:
    """The gateway that a payment goes through."""
    return gateway_for_account(gateway_account_for(payment))


def callback_url(account: GatewayAccount) -> str:
    """Where this account's gateway reports to."""
    return f"{settings.PARTWAY_URL}/callbacks/{account.pk}/"


def fetch_state(payment: Payment) -> CheckoutState:
    """What the gateway knows about this payment now; raises Unknown."""
    return gateway_for_payment(payment).fetch(payment.checkout_ref)


def start(payment: Payment, *, now: datetime) -> Checkout:
    """Open the checkout, or learn of the one that an unanswered try has opened (same key, same body).

    Raises Refused or Unknown.
    """
    call = payment.gateway_calls.filter(act="start").first() or _begin(
        payment, "start", now, _order_body(payment)
    )
    gateway = gateway_for_payment(payment)
    return _answered(call, now, lambda: gateway.start(_order(call, payment)))


def capture(payment: Payment, *, now: datetime) -> CheckoutState:
    """Take what was authorized. Ask first: only call this when the gateway says it is still only authorized.

    Raises Refused, Unknown, or CallInProgress.
    """
    call = _next_attempt(payment, "capture", now)
    gateway = gateway_for_payment(payment)
    return _answered(call, now, lambda: gateway.capture(payment.checkout_ref, payment.amount, call.key))


def close(payment: Payment, *, now: datetime) -> CloseOutcome:
    """Make a closing or releasing payment unpayable at the gateway, and book it as canceled when that worked.

    Never raises for the gateway's sake: what is unknown stays with the payment, and the worker asks again.
    """
    if not payment.checkout_ref:
        return CloseOutcome.UNKNOWN
    try:
        call = _next_attempt(payment, "close", now)
        gateway = gateway_for_payment(payment)
        answer = _answered(call, now, lambda: gateway.close(payment.checkout_ref, call.key))
    except (Refused, OutcomeUnknown, CallInProgress):
        return CloseOutcome.UNKNOWN
    if answer == CloseOutcome.CLOSED:
        _book_closed(payment, now)
    return answer


@transaction.atomic(durable=True)
def _book_closed(payment: Payment, now: datetime) -> None:
    document_for_update(payment)
    fresh = Payment.objects.get(pk=payment.pk)
    if fresh.status in ("closing", "releasing"):
        move(fresh, "canceled", by=CLOCK, now=now, settled_at=now)


def begin_cancel(payment: Payment, *, by: Actor, now: datetime) -> bool:
    """Under the invoice's lock, decide that an uncommitted payment shall not happen; True if the gateway must be told.

    The decision is stored before anyone is told (DESIGN section 4); tell the gateway with `close` after the commit.
    """
    to = CANCEL_TRANSITIONS.get(payment.status)
    if to is not None:
        move(payment, to, by=by, now=now, next_refresh_at=now + FOLLOW_UP_DELAY)
    return payment.status in ("closing", "releasing")


def _order_body(payment: Payment) -> dict[str, str]:
    return {
        "amount_minor": str(payment.amount_minor),
        "currency": payment.currency,
        "description": _description(payment),
        "reference": payment.pk,
        "return_url": links.receipt_url(payment),
        "callback_url": callback_url(gateway_account_for(payment)),
        "expires_at": (payment.created_at + CHECKOUT_LIFETIME).isoformat(),
    }


def _description(payment: Payment) -> str:
    what = (
        f"invoice {payment.invoice.number}"
        if payment.invoice
        else f"deposit of quote {payment.document.number}"
    )
    return f"{payment.organization.name}: {what}"


def _order(call: GatewayCall, payment: Payment) -> CheckoutRequest:
    body = call.body
    return CheckoutRequest(
        key=call.key,
        amount=Money(int(body["amount_minor"]), body["currency"]),
        description=body["description"],
        reference=body["reference"],
        return_url=body["return_url"],
        callback_url=body["callback_url"],
        expires_at=datetime.fromisoformat(body["expires_at"]),
    )


def _begin(payment: Payment, act: str, now: datetime, body: dict[str, str], attempt: int = 1) -> GatewayCall:
    call = GatewayCall(payment=payment, act=act, attempt=attempt, started_at=now)
    call.body = body
    try:
        with transaction.atomic():
            call.save(force_insert=True)
    except IntegrityError:
        if act == "start":  # two clicks at once: both ask with the same key, and get the same checkout
            return GatewayCall.objects.get(payment=payment, act=act, attempt=attempt)
        raise CallInProgress from None
    return call


def _next_attempt(payment: Payment, act: str, now: datetime) -> GatewayCall:
    last = payment.gateway_calls.filter(act=act).order_by("-attempt").first()
    if last is None:
        return _begin(payment, act, now, {})
    patience = timedelta(seconds=settings.PARTWAY_CALL_SECONDS)
    # Whoever looked at the truth before a capture was answered must not try to capture once more.
    under_way = ("", "done") if act == "capture" else ("",)
    if last.outcome in under_way and last.started_at + patience > now:
        raise CallInProgress
    return _begin(payment, act, now, {}, attempt=last.attempt + 1)


def _answered(call: GatewayCall, now: datetime, make: Callable[[], T]) -> T:
    try:
        answer = make()
    except Refused as error:
        _note(call, "refused", f"{error.code}: {error.message}", now)
        raise
    except OutcomeUnknown as error:
        _note(call, "unknown", error.message, now)
        raise
    _note(call, "done", "", now)
    return answer


def _note(call: GatewayCall, outcome: str, message: str, now: datetime) -> None:
    GatewayCall.objects.filter(pk=call.pk).update(outcome=outcome, message=message[:300], answered_at=now)
