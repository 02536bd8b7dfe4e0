"""Callbacks of gateways: verified, stored once, and processed until they are booked (DESIGN P7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction

from partway.accounts.models import GatewayAccount
from partway.gateways.protocol import OutcomeUnknown, Refused, VerifiedCallback

from .. import alerts
from ..checkouts import gateway_calls
from ..checkouts.gateway_calls import FOLLOW_UP_DELAY
from ..models import Callback, Payment
from .refresh import refresh_payment

log = structlog.get_logger(__name__)


def receive_callback(
    gateway_account: GatewayAccount, *, body: bytes, headers: Mapping[str, str], now: datetime
) -> Callback:
    """Verify a callback on its raw body, store it once, and try to book it; raises BadCallback when it is not genuine.

    Once this returns the callback is stored: what cannot be booked yet is retried by the worker (P7).
    """
    facts = gateway_calls.gateway_for_account(gateway_account).read_callback(body, headers)
    callback = _store(gateway_account, facts, body, now)
    if callback.status == "waiting":
        process_callback(callback, now=now)
    return callback


def _store(account: GatewayAccount, facts: VerifiedCallback, body: bytes, now: datetime) -> Callback:
    row = Callback(
        gateway_account=account,
        event_id=facts.event_id,
        kind=facts.kind,
        checkout_ref=facts.checkout_ref,
        body=body.decode("utf-8", "replace"),
        received_at=now,
        next_attempt_at=now + FOLLOW_UP_DELAY,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return Callback.objects.get(gateway_account=account, event_id=facts.event_id)
    return row


def process_callback(callback: Callback, *, now: datetime) -> bool:
    """Book what a stored callback reports; False while it must wait for a payment or for the gateway."""
    payment = _payment_of(callback)
    if payment is None:
        return False
    try:
        refresh_payment(payment, now=now, callback=callback)
    except (OutcomeUnknown, Refused) as error:
        log.warning("callback waits", callback=callback.pk, why=str(error))
        return False
    return True


def _payment_of(callback: Callback) -> Payment | None:
    account_id, ref = callback.gateway_account_id, callback.checkout_ref
    return Payment.objects.filter(gateway_account=account_id, checkout_ref=ref).first()


@transaction.atomic
def mark_callback_unmatched(callback: Callback, *, now: datetime) -> None:
    """Nothing of ours fits this callback: hand it to a human instead of dropping it.

    One whose payment we know is never given up: only the gateway is silent, and will answer some day.
    """
    if _payment_of(callback) is not None:
        return
    Callback.objects.filter(pk=callback.pk, status="waiting").update(status="flagged", processed_at=now)
    message = f"The payment service reported “{callback.kind}” for a checkout Partway does not know: check it there."
    account = callback.gateway_account
    subject = f"{account.pk}:{callback.checkout_ref}"[:200]  # one entry, however much is reported about it
    alerts.raise_for_organization(
        "unmatched_callback", subject, account.organization_id, message=message, now=now
    )
