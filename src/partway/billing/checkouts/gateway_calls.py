"""Calls the gateway: start, fetch, capture, close, refund; each change is a row before it is sent (P4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from partway.accounts.models import GatewayAccount, Organization
from partway.accounts.prepared import Prepared, insert, update
from partway.gateways import protocol
from partway.gateways.protocol import (
    Checkout,
    CheckoutRequest,
    CheckoutState,
    CloseOutcome,
    FoundCheckout,
    Gateway,
    OutcomeUnknown,
    Refused,
)
from partway.gateways.registry import GATEWAYS, open_gateway
from partway.lib.bulkheads import GATEWAY_CALLS, BulkheadFull
from partway.lib.money import Money
from partway.lib.sealing import Unsealable

from .. import links
from ..events import CLOCK, Actor
from ..models import GatewayCall, Payment, Refund
from ..models.gateway_calls import GatewayCallOutcome, GatewayOperation
from ..states import move
from .payability import CHECKOUT_LIFETIME, document_for_update

T = TypeVar("T")

# After a decision the worker refreshes the payment soon, in case this process is killed before the response.
FOLLOW_UP_DELAY = timedelta(seconds=15)

# A gateway keeps a key for a day. In its last hour nothing is sent under it any more, so that all that was is over, and
# listed, before another key is used.
_KEY_LIFETIME = timedelta(hours=24)
_KEY_IS_REPEATED_FOR = timedelta(hours=23)

# The state that an uncommitted payment gets when it must not go on.
CANCEL_TRANSITIONS = {"pending": "closing", "authorized": "releasing"}


current_accounts = Prepared(GatewayAccount.objects.current)


class CallInProgress(Exception):
    """Another thread or process is making the same call right now."""


def gateway_for_account(account: GatewayAccount) -> Gateway:
    """Returns the gateway, opened with this account's credentials.

    Raises Refused for a test account on a live installation, and for one that moves money on one that is not live;
    OutcomeUnknown when the credentials cannot be decrypted.
    """
    try:
        credentials = {**account.credentials, "account": account.account_ref}
    except Unsealable as error:
        # Without the key the gateway cannot be called, so the outcome of its payments is unknown.
        raise OutcomeUnknown(str(error)) from error
    urls, live = settings.PARTWAY_GATEWAY_URLS, settings.PARTWAY_LIVE
    platforms = settings.PARTWAY_GATEWAY_PLATFORMS
    return open_gateway(account.gateway, credentials, urls=urls, platforms=platforms, live=live)


def test_gateway_of(account: GatewayAccount) -> str:
    """Returns the code of the account's gateway where no real money moves through it, else an empty text.

    Raises Unsealable.
    """
    definition = GATEWAYS[account.gateway]
    return "" if definition.account_moves_money(account.credentials) else account.gateway


def current_gateway(organization: Organization) -> Gateway | None:
    """Returns the gateway that new payments go through; None while it cannot be opened, or there is none."""
    account = current_accounts.first(organization.pk)
    try:
        return gateway_for_account(account) if account else None
    except (Refused, OutcomeUnknown):  # the sandbox of a live installation, unreadable credentials
        return None


def is_current_checkout_page(payment: Payment) -> bool:
    """Returns whether a payment's checkout is of the origin that the page with its Pay button names in its policy."""
    account, parts = payment.gateway_account, urlsplit(payment.checkout_url)
    is_current = account is not None and account.is_current
    gateway = gateway_for(payment) if is_current else current_gateway(payment.organization)
    return gateway is not None and f"{parts.scheme}://{parts.netloc}" == gateway.checkout_origin


@contextmanager
def calling_gateway() -> Iterator[None]:
    """Holds a place in the bulkhead of gateway calls; raises OutcomeUnknown when it is full.

    Around the row of a call too, for a call that was never made must not look like one that got no answer. What could
    not be asked now, the worker asks: callers have that path for a gateway that is silent.
    """
    try:
        with GATEWAY_CALLS.enter():
            yield
    except BulkheadFull as full:
        raise OutcomeUnknown(str(full)) from full


def gateway_account_for(payment: Payment) -> GatewayAccount:
    """Returns the payment's gateway account; raises Refused for an offline payment, which has none."""
    if payment.gateway_account is None:
        raise Refused("offline", "This payment was recorded by a member; no gateway has it.")
    return payment.gateway_account


def step_of(payment: Payment) -> Money:
    """Returns the amount that each refund of an online payment must be a multiple of, in its captured currency.

    The smallest unit where the gateway cannot be opened: then the refund waits for that, and it says itself.
    """
    step_minor = 1
    with suppress(Refused, OutcomeUnknown):
        step_minor = gateway_for(payment).step(payment.captured_currency)
    return Money(step_minor, payment.captured_currency)


def callback_url(account: GatewayAccount) -> str:
    """Returns the URL to which this account's gateway sends its callbacks; a platform has one for all accounts."""
    if account.is_of_platform:
        return f"{settings.PARTWAY_URL}/callbacks/platforms/{account.gateway}/"
    return f"{settings.PARTWAY_URL}/callbacks/{account.pk}/"


@calling_gateway()
def fetch_state(payment: Payment) -> CheckoutState:
    """Returns the gateway's present state of the payment's checkout; raises Refused or OutcomeUnknown."""
    return gateway_for(payment).fetch(payment.checkout_ref)


@calling_gateway()
def find_checkout(account: GatewayAccount, object_ref: str) -> FoundCheckout | None:
    """Returns the checkout that an object at the gateway belongs to, None for another application's.

    Raises Refused or OutcomeUnknown.
    """
    return gateway_for_account(account).find_checkout(object_ref)


@calling_gateway()
def start(payment: Payment, *, now: datetime) -> Checkout:
    """Opens the checkout, or returns the one that an unanswered call has opened: same key, same body.

    Raises Refused or OutcomeUnknown.
    """
    noun = "invoice" if payment.invoice_id else "deposit of quote"
    body = {
        "amount_minor": str(payment.amount_minor),
        "currency": payment.currency,
        "description": f"{payment.organization.name}: {noun} {payment.document.number}",
        "reference": payment.pk,
        "return_url": links.receipt_url(payment),
        "callback_url": callback_url(gateway_account_for(payment)),
        "expires_at": (payment.created_at + CHECKOUT_LIFETIME).isoformat(),
        # The page that the customer came from: who returns without paying finds the amount and the button again.
        "cancel_url": links.payment_url(payment.source),
        "customer_email": payment.document.customer.email,
        "locale": payment.organization.locale,
        "statement": payment.document.number or "",
        "methods": " ".join(gateway_account_for(payment).methods),
        "application_fee_minor": str(_application_fee(payment).amount_minor),
        "organization": payment.organization_id,
    }
    # Two clicks, or one after a lost response, send the same key and get the same checkout.
    call = _insert_call(payment, GatewayOperation.START, 1, now, body) or GatewayCall.objects.get(
        payment=payment, operation=GatewayOperation.START, attempt=1
    )
    # From the stored row, not from the payment: a gateway refuses a repeated key with another body, and the
    # number of the document or the name of the organization may have changed since (P4).
    body = call.body
    request = CheckoutRequest(
        key=call.idempotency_key,
        amount=Money(int(body["amount_minor"]), body["currency"]),
        description=body["description"],
        reference=body["reference"],
        return_url=body["return_url"],
        callback_url=body["callback_url"],
        expires_at=datetime.fromisoformat(body["expires_at"]),
        cancel_url=body["cancel_url"],
        customer_email=body["customer_email"],
        locale=body["locale"],
        statement=body["statement"],
        methods=tuple(body["methods"].split()),
        application_fee=Money(int(body["application_fee_minor"]), body["currency"]),
        organization=body.get("organization", ""),  # none in a call of an earlier version
    )
    gateway = gateway_for(payment)
    return _send(call, now, lambda: gateway.start(request))


def operator_fee(payment: Payment) -> Money | None:
    """Returns the part of a payment's fee that is the operator's: what its checkout was opened with, None for nothing.

    The gateway takes it with its own fee, and never more than it captures.
    """
    call = payment.gateway_calls.filter(operation=GatewayOperation.START).first()
    asked = Money(int(call.body.get("application_fee_minor", 0)) if call else 0, payment.currency)
    captured = payment.captured
    if not asked or captured is None or captured.currency != asked.currency:
        return None
    return min(asked, captured)


def _application_fee(payment: Payment) -> Money:
    """Returns what the operator takes of a payment, by the settings of now; nothing outside a platform."""
    account = gateway_account_for(payment)
    if not account.is_of_platform or account.gateway not in settings.PARTWAY_GATEWAY_PLATFORMS:
        return Money(0, payment.currency)
    step = gateway_for_account(account).step(payment.currency)
    return settings.PARTWAY_GATEWAY_PLATFORMS[account.gateway].fee.of(payment.amount, step)


@calling_gateway()
def capture(payment: Payment, *, now: datetime) -> CheckoutState:
    """Captures an authorized payment; call it only when the gateway's state is still authorized.

    Raises Refused, OutcomeUnknown, or CallInProgress.
    """
    call = _create_next_attempt(payment, GatewayOperation.CAPTURE, now)
    gateway = gateway_for(payment)
    return _send(
        call, now, lambda: gateway.capture(payment.checkout_ref, payment.amount, call.idempotency_key)
    )


def close(payment: Payment, *, now: datetime) -> CloseOutcome:
    """Closes the checkout of a closing or releasing payment, and moves the payment to canceled when that worked.

    Never raises for the gateway's sake: after an unknown outcome the payment keeps its state, and the worker retries.
    """
    if not payment.checkout_ref:
        return CloseOutcome.UNKNOWN
    try:
        with calling_gateway():
            call = _create_next_attempt(payment, GatewayOperation.CLOSE, now)
            gateway = gateway_for(payment)
            outcome = _send(call, now, lambda: gateway.close(payment.checkout_ref, call.idempotency_key))
    # Swallowed on purpose: the payment is in closing or releasing, which the worker refreshes until the gateway
    # has answered. The member's act has committed already and must not look as if it had failed (R4).
    except (Refused, OutcomeUnknown, CallInProgress):
        return CloseOutcome.UNKNOWN
    # Another refresh may have booked the payment between the call and this lock, so the state is read again.
    if outcome == CloseOutcome.CLOSED:
        with transaction.atomic(durable=True):
            document_for_update(payment)
            fresh = Payment.objects.get(pk=payment.pk)
            if fresh.status in ("closing", "releasing"):
                move(fresh, "canceled", by=CLOCK, now=now, settled_at=now)
    return outcome


@calling_gateway()
def refund(row: Refund, *, now: datetime) -> protocol.Refund:
    """Sends a pending refund to the gateway; call it only while the gateway's state does not list it.

    Raises Refused, OutcomeUnknown, or CallInProgress while an earlier attempt may still take effect.
    """
    gateway = gateway_for(row.payment)
    body = {"amount_minor": str(row.amount_minor), "currency": row.currency}
    call = _create_next_attempt(row.payment, GatewayOperation.REFUND, now, body, row)
    try:
        return _send(
            call, now, lambda: gateway.refund(row.payment.checkout_ref, row.amount, call.idempotency_key)
        )
    except Refused as refusal:
        # An earlier version of Partway has sent it with other details under this key: it may have been made.
        if refusal.code == "idempotency_key_reused":
            raise OutcomeUnknown(refusal.message) from refusal
        raise


def begin_cancel(payment: Payment, *, by: Actor, now: datetime) -> bool:
    """Decides, under the document's lock, that an uncommitted payment ends; True if its checkout must be closed.

    The decision is stored before the gateway is called (DESIGN section 4): call `close` after the commit.
    """
    to = CANCEL_TRANSITIONS.get(payment.status)
    if to is not None:
        move(payment, to, by=by, now=now, next_refresh_at=now + FOLLOW_UP_DELAY)
    return payment.status in ("closing", "releasing")


def gateway_for(payment: Payment) -> Gateway:
    """Returns the gateway of the payment's account; raises as `gateway_account_for` and `gateway_for_account` do."""
    return gateway_for_account(gateway_account_for(payment))


def _create_next_attempt(
    payment: Payment,
    operation: GatewayOperation,
    now: datetime,
    body: dict[str, str] | None = None,
    of: Refund | None = None,
) -> GatewayCall:
    """Writes the row of the next attempt; raises CallInProgress while an earlier one may still be in progress.

    A refund is no new attempt while the gateway keeps the key of the last one: that is sent again.
    """
    # Mostly it is the first one, which its insert finds out.
    if (first := _insert_call(payment, operation, 1, now, body or {}, of)) is not None:
        return first
    last = payment.gateway_calls.filter(operation=operation, refund=of).order_by("-attempt")[0]
    if may_take_effect(last, now=now):
        raise CallInProgress
    if of is None or now >= last.started_at + _KEY_LIFETIME:
        call = _insert_call(payment, operation, last.attempt + 1, now, body or {}, of)
        if call is None:
            raise CallInProgress
        return call
    # Under another key it would be a second refund, were the gateway still at work on the first one: a capture cannot
    # happen twice, a refund can. Compare-and-set, for one process to repeat it.
    same = GatewayCall.objects.filter(pk=last.pk, repeated_at=last.repeated_at, outcome=last.outcome)
    again = {"repeated_at": now, "outcome": GatewayCallOutcome.IN_PROGRESS, "answered_at": None}
    if now >= last.started_at + _KEY_IS_REPEATED_FOR or not same.update(**again):
        raise CallInProgress
    return last


def may_take_effect(call: GatewayCall, *, now: datetime) -> bool:
    """Returns whether the gateway may act by this call yet, though its state does not show that."""
    running = [GatewayCallOutcome.IN_PROGRESS]
    if call.operation in (GatewayOperation.CAPTURE, GatewayOperation.REFUND):
        # A process that fetched the state before a capture succeeded must not capture again.
        running.append(GatewayCallOutcome.SUCCEEDED)
    if call.operation == GatewayOperation.REFUND:
        # One that was cut off may still be at work there, and its money may be disputed meanwhile.
        running.append(GatewayCallOutcome.UNKNOWN)
    timeout = timedelta(seconds=settings.PARTWAY_GATEWAY_CALL_LEASE_SECONDS)
    # The row of a killed process stays in progress for ever, so it counts only for as long as a call can take.
    return call.outcome in running and (call.repeated_at or call.started_at) + timeout > now


def _insert_call(
    payment: Payment,
    operation: GatewayOperation,
    attempt: int,
    now: datetime,
    body: dict[str, str],
    of: Refund | None = None,
) -> GatewayCall | None:
    """Writes the row of an attempt, or returns None where there is one: the unique attempt lets one process make it."""
    call = GatewayCall(payment=payment, refund=of, operation=operation, attempt=attempt, started_at=now)
    call.body = body
    # Outside a transaction, so that the row is committed before the call (P4).
    return call if insert(call, ignores_conflicts=True) else None


def _send(call: GatewayCall, now: datetime, send: Callable[[], T]) -> T:
    """Makes the call and stores its outcome; raises what the gateway raises."""
    try:
        result = send()
    except Refused as error:
        _record_outcome(call, GatewayCallOutcome.REFUSED, f"{error.code}: {error.message}", now)
        raise
    except OutcomeUnknown as error:
        # Not a failure: the gateway may have acted before the connection broke, so the next step is to fetch, not
        # to repeat.
        _record_outcome(call, GatewayCallOutcome.UNKNOWN, error.message, now)
        raise
    _record_outcome(call, GatewayCallOutcome.SUCCEEDED, "", now)
    return result


def _record_outcome(call: GatewayCall, outcome: GatewayCallOutcome, message: str, now: datetime) -> None:
    update(call, {"outcome": outcome, "message": message[:300], "answered_at": now})
