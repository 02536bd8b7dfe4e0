"""Callbacks of gateways: verified, stored once, and processed until they are booked (DESIGN P7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q

from partway.accounts.models import GatewayAccount
from partway.accounts.prepared import Prepared, insert
from partway.gateways.protocol import OutcomeUnknown, Refused, VerifiedCallback

from .. import alerts
from ..checkouts import gateway_calls
from ..checkouts.gateway_calls import FOLLOW_UP_DELAY
from ..errors import GatewayUnavailable
from ..models import Callback, Payment, Payout
from ..people import gateway_accounts
from .refresh import RELATED, refresh_payment

log = structlog.get_logger(__name__)


def receive_callback(
    gateway_account: GatewayAccount, *, body: bytes, headers: Mapping[str, str], now: datetime
) -> Callback:
    """Verifies a callback on its raw body, stores it once, and tries to book it; returns the stored row.

    Raises BadCallback when it is not genuine. Once this returns the callback is stored, and the worker retries what
    could not be booked yet (P7).
    """
    # On the raw bytes: parsing and serializing the JSON again would change what the signature covers.
    verified = gateway_calls.gateway_for_account(gateway_account).read_callback(body, headers)
    return store_callback(gateway_account, verified, body=body, now=now)


def store_callback(
    gateway_account: GatewayAccount, verified: VerifiedCallback, *, body: bytes, now: datetime
) -> Callback:
    """Stores a verified callback once, and tries to book it; returns the stored row."""
    callback = Callback(
        gateway_account=gateway_account,
        event_id=verified.event_id,
        event_type=verified.kind,
        checkout_ref=verified.checkout_ref,
        payout_ref=verified.payout_ref,
        object_ref=verified.object_ref,
        body=body.decode("utf-8", "replace"),
        received_at=now,
        next_attempt_at=now + FOLLOW_UP_DELAY,
    )
    if not insert(callback, ignores_conflicts=True):  # a repeat of one that is stored
        callback = Callback.objects.get(gateway_account=gateway_account, event_id=verified.event_id)
    # Also for a repeat: the first delivery may have been stored and then failed to book.
    if callback.status == "pending":
        process_callback(callback, now=now)
    return callback


def process_callback(callback: Callback, *, now: datetime) -> bool:
    """Books what a stored callback reports; returns False while its payment or the gateway's state is unknown."""
    if callback.payout_ref:
        return _process_payout(callback, now)
    if not (callback.checkout_ref or callback.object_ref):
        return _process_account(callback, now)
    try:
        payment = _payment_of(callback) or _find_payment(callback, now)
        if payment is not None:
            refresh_payment(payment, now=now, callback=callback, is_fresh=True)
    # Stored, so the gateway gets its 200 and the worker retries; answering with errors would make it give up or
    # disable the URL.
    except (OutcomeUnknown, Refused) as error:
        log.warning("callback_deferred", callback=callback.pk, error=str(error))
        return False
    return payment is not None or callback.status == "ignored"


def _find_payment(callback: Callback, now: datetime) -> Payment | None:
    """Asks the gateway for the checkout of a callback that names none of ours; ignores one of another application.

    Nothing of the callback is believed, so that the payment it leads to is the one that the gateway says.
    """
    account = callback.gateway_account
    found = gateway_calls.find_checkout(account, callback.object_ref or callback.checkout_ref)
    # The same account at the gateway may be connected twice, by two organizations, or at two installations: each hears
    # of all.
    if found is None or found.organization not in ("", account.organization_id):
        _ignore(callback, now)
        return None
    others = Payment.objects.exclude(gateway_account=account)
    if others.filter(Q(checkout_ref=found.ref) | Q(pk=found.reference)).exists():
        _ignore(callback, now)
        return None
    callback.checkout_ref = found.ref
    callback.save(update_fields=["checkout_ref"])
    # Its start got no response. Repeated under its key it returns the checkout, this one or, with an alert to follow,
    # another.
    starting = Payment.objects.filter(gateway_account=account, checkout_ref="", pk=found.reference).first()
    if starting is not None:
        refresh_payment(starting, now=now)
    return _payment_of(callback)


def _ignore(callback: Callback, now: datetime) -> bool:
    """Keeps a callback that no payment of ours is about; returns True."""
    pending = Callback.objects.filter(pk=callback.pk, status="pending")
    pending.update(status="ignored", processed_at=now)
    callback.status = "ignored"
    return True


def _process_account(callback: Callback, now: datetime) -> bool:
    """Asks about the account where its owner is being onboarded, or may have ended the connection at the gateway.

    An account with a key of its own is asked about where its report is shown.
    """
    if callback.gateway_account.is_of_platform:
        try:
            gateway_accounts.check(callback.gateway_account, now=now)
        except GatewayUnavailable as error:
            log.warning("callback_deferred", callback=callback.pk, error=str(error))
            return False
    return _ignore(callback, now)


def _process_payout(callback: Callback, now: datetime) -> bool:
    """Makes the list of payouts due, and returns whether a reading that began after the callback has brought it.

    The worker reads the list, so that a web thread does not wait for it and many callbacks are one reading.
    """
    account = GatewayAccount.objects.filter(pk=callback.gateway_account_id)
    was_read = account.filter(payouts_read_until__gte=callback.received_at).exists()
    owner = {"gateway_account": callback.gateway_account_id, "gateway_ref": callback.payout_ref}
    if was_read and Payout.objects.filter(**owner).exists():
        pending = Callback.objects.filter(pk=callback.pk, status="pending")
        pending.update(status="processed", processed_at=now)
        return True
    account.update(payouts_due_at=now)
    return False


@transaction.atomic
def mark_callback_unmatched(callback: Callback, *, now: datetime) -> None:
    """Gives up a callback that belongs to no payment of ours, and raises an alert instead of dropping it.

    One whose payment is known is never given up: only the gateway is silent, and it is asked again.
    """
    # Its start may have been answered after the last attempt, and only then was the id of the checkout stored.
    if _payment_of(callback) is not None:
        return
    pending = Callback.objects.filter(pk=callback.pk, status="pending")
    pending.update(status="unmatched", processed_at=now)
    account = callback.gateway_account
    alerts.raise_for_organization(
        "unmatched_callback",
        account.organization_id,
        # One alert per checkout, payout or other object.
        subject=f"{account.pk}:{callback.checkout_ref or callback.payout_ref or callback.object_ref}"[:200],
        now=now,
        event_type=callback.event_type,
    )


_by_checkout = Prepared(
    lambda account_id, ref: Payment.objects.select_related(*RELATED).filter(
        gateway_account=account_id, checkout_ref=ref
    )
)


def _payment_of(callback: Callback) -> Payment | None:
    account_id, ref = callback.gateway_account_id, callback.checkout_ref
    # One of a payout names no checkout, as a payment does whose start got no answer.
    return _by_checkout.first(account_id, ref) if ref else None
