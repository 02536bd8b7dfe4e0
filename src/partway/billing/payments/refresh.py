"""Brings a payment up to date with its gateway: asks what is true, books it, and carries out what was decided.

callback ─┐
return  ──┼─ refresh_payment ─> ask the gateway ─> booking.apply (locked) ─> capture or close ─> ask again
worker  ──┘
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from partway.gateways.protocol import CheckoutState, CloseOutcome, OutcomeUnknown, Refused

from .. import events
from ..checkouts import gateway_calls, payability
from ..checkouts.gateway_calls import CallInProgress
from ..models import Callback, Payment, Quote
from ..states import move
from . import booking
from .booking import BookingContext, GatewayAction

log = structlog.get_logger(__name__)

# One refresh asks, decides, acts and asks again; more turns than this mean that it contradicts itself.
_MAX_TURNS = 5


def close_orphan(payment: Payment, ref: str, *, now: datetime) -> None:
    """A checkout we had given up for never opened is there after all: learn its name, and make it unpayable."""
    record_checkout_ref(payment, ref)
    gateway_calls.close(payment, now=now)


def record_checkout_ref(payment: Payment, ref: str) -> None:
    """Book the gateway's name for a checkout that nobody will open any more, as its list tells it."""
    record_checkout(payment, ref, "")


def record_checkout(payment: Payment, ref: str, url: str) -> None:
    """The gateway's name for it is a fact, whatever became of the payment meanwhile."""
    payment.checkout_url = url
    sealed = payment.sealed_checkout_url
    Payment.objects.filter(pk=payment.pk, checkout_ref="").update(
        checkout_ref=ref, sealed_checkout_url=sealed
    )
    payment.refresh_from_db(fields=["status", "checkout_ref", "sealed_checkout_url"])


@transaction.atomic(durable=True)
def book_refused_start(payment: Payment, refusal: Refused, now: datetime) -> None:
    payability.document_for_update(payment)
    payment.refresh_from_db(fields=["status", "checkout_ref"])
    to = {"pending": "failed", "closing": "canceled"}.get(payment.status)
    if to is None or payment.checkout_ref:  # another try opened it, so a customer may be paying there
        return
    data = {"code": refusal.code, "message": refusal.message[:300]}
    columns = {"failure_code": refusal.code, "failure_message": refusal.message[:300], "settled_at": now}
    actor = events.gateway_actor(gateway_calls.gateway_account_for(payment).gateway)
    move(payment, to, by=actor, now=now, data=data, **columns)


def refresh_payment(payment: Payment, *, now: datetime, callback: Callback | None = None) -> Payment:
    """Ask the gateway and book what is new, capturing or closing as decided; safe at any time, any number of times.

    A `callback` is marked done in the transaction that books it (P7). Raises Unknown when the gateway is silent.
    """
    fresh = _with_account(payment.pk)
    if not fresh.checkout_ref:
        fresh = _learn_start(fresh, now)
    state = gateway_calls.fetch_state(fresh) if fresh.checkout_ref else None
    for _ in range(_MAX_TURNS):
        if state is None:
            break
        act, fresh = _apply(fresh, state, now, callback)
        if act is None:
            return fresh
        state = _carry_out(act, fresh, now)
    return _with_account(payment.pk)


def _with_account(payment_id: str) -> Payment:
    return Payment.objects.select_related("gateway_account", "organization", "invoice", "quote").get(
        pk=payment_id
    )


def _learn_start(payment: Payment, now: datetime) -> Payment:
    """A start whose answer we never got: the same key and body tell what became of it."""
    try:
        checkout = gateway_calls.start(payment, now=now)
    except Refused as refusal:
        book_refused_start(payment, refusal, now)
    else:
        record_checkout(payment, checkout.ref, checkout.url)
    return _with_account(payment.pk)


@transaction.atomic(durable=True)
def _apply(
    payment: Payment, state: CheckoutState, now: datetime, callback: Callback | None
) -> tuple[GatewayAction | None, Payment]:
    """Book the truth under the document's lock; answers what to do next, and the payment as it is then."""
    document = payability.document_for_update(payment)
    rows = Payment.objects.select_related("gateway_account", "organization", "payment_request")
    fresh = rows.get(pk=payment.pk)
    if isinstance(document, Quote):
        fresh.quote = document
    else:
        fresh.invoice = document
    by = events.gateway_actor(gateway_calls.gateway_account_for(fresh).gateway)
    act = booking.apply(BookingContext(fresh, document, fresh.payment_request, state, by, now))
    if callback is not None:
        Callback.objects.filter(pk=callback.pk, status="waiting").update(status="done", processed_at=now)
    return act, fresh


def _carry_out(act: GatewayAction, payment: Payment, now: datetime) -> CheckoutState | None:
    """Tell the gateway what was decided; answers what is true after that, or None where the worker must ask later."""
    try:
        if act == GatewayAction.CAPTURE:
            return gateway_calls.capture(payment, now=now)
        taken = gateway_calls.close(payment, now=now) == CloseOutcome.TOO_LATE
        return gateway_calls.fetch_state(payment) if taken else None
    except CallInProgress:
        return None
    except Refused:
        return gateway_calls.fetch_state(payment)  # it may have lapsed: then the gateway says so
    except OutcomeUnknown:
        log.warning("gateway gave no answer", payment=payment.pk, act=act)
        return None  # a time-out is not a failure (P5)
