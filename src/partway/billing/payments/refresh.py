"""Brings a payment up to date with its gateway: fetches the state, books it, and carries out the decision.

callback ─┐                                                 booking.apply
return  ──┼─ refresh_payment ─> fetch from the gateway ─>   refund_booking.apply (locked) ─> capture or close ─┐
worker  ──┘                          ^            dispute_booking.apply                                         │
                                     └──────────────────────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction

from partway.accounts.prepared import Prepared, update
from partway.gateways.protocol import CheckoutState, CheckoutStatus, CloseOutcome, OutcomeUnknown, Refused
from partway.gateways.registry import GATEWAYS

from .. import events
from ..checkouts import gateway_calls, payability
from ..checkouts.gateway_calls import CallInProgress
from ..models import Callback, Invoice, Payment
from ..receivables.offline_payments import lock_invoices
from ..states import move
from . import booking, dispute_booking, refund_booking
from .booking import GatewayAction

log = structlog.get_logger(__name__)

# Fetch, decide, act, fetch again: more turns than this mean that the gateway contradicts itself.
_MAX_TURNS = 5

# The rows that `refresh_payment` reads a payment with.
RELATED = ("gateway_account", "organization", "invoice", "quote")
_with_documents = Prepared(lambda pk: Payment.objects.select_related(*RELATED).filter(pk=pk))
_to_book = Prepared(
    lambda pk: Payment.objects.select_related("gateway_account", "organization", "payment_request").filter(
        pk=pk
    )
)


def refresh_payment(
    payment: Payment, *, now: datetime, callback: Callback | None = None, is_fresh: bool = False
) -> Payment:
    """Fetches the gateway's state and books what is new, then captures or closes as decided; returns the fresh payment.

    Safe at any time and any number of times (DESIGN P6). A `callback` is marked processed in the transaction that
    books it (P7). is_fresh: the payment was read just now, with its RELATED rows.
    Raises OutcomeUnknown when the gateway does not answer, Refused when it refuses to.
    """
    fresh = payment if is_fresh else _with_documents.get(payment.pk)
    if fresh.is_unsettled and settings.PARTWAY_LIVE:
        account = gateway_calls.gateway_account_for(fresh)
        if gateway_calls.test_gateway_of(account):
            return _end_test_payment(fresh, now)
    if not fresh.checkout_ref:  # its start got no response: the same key and body return the same checkout
        try:
            checkout = gateway_calls.start(fresh, now=now)
        except Refused as refusal:
            book_refused_start(fresh, refusal, now=now)
        else:
            record_checkout(fresh, ref=checkout.ref, url=checkout.url)
        fresh = _with_documents.get(payment.pk)
    # What is known before the state is fetched, so that an older state is not booked after a newer one.
    known = dispute_booking.versions(fresh) if fresh.status == "succeeded" else {}
    # Never from the callback or the query of the return URL: both pass through hands other than the gateway's,
    # and may be old. Only the state that is fetched now is booked (P6).
    state = gateway_calls.fetch_state(fresh) if fresh.checkout_ref else None
    for _ in range(_MAX_TURNS):
        if state is None:
            break
        action, fresh = _book(fresh, state, known, now, callback)
        if action is None:
            return fresh
        state = _carry_out(action, fresh, now)
    return _with_documents.get(payment.pk)


@transaction.atomic(durable=True)
def _end_test_payment(payment: Payment, now: datetime) -> Payment:
    """Ends a payment that was under way in a test account when the installation was marked live.

    A live installation never calls that account, so nothing could close the checkout there, and the document could
    never be paid (P1). There is no money in it that could be lost or charged twice.
    """
    payment.document = payability.document_for_update(payment)
    payment.refresh_from_db(fields=["status"])
    account = gateway_calls.gateway_account_for(payment)
    status = CheckoutStatus.FAILED if payment.status == "processing" else CheckoutStatus.CLOSED
    state = CheckoutState(status, None, None, payment.method, "test_gateway_when_live", "")
    capabilities = GATEWAYS[account.gateway].open("", account.credentials)
    booking.apply(payment, state=state, capabilities=capabilities, by=events.CLOCK, now=now)
    return payment


@transaction.atomic(durable=True)
def _book(
    payment: Payment,
    state: CheckoutState,
    known: Mapping[str, int],
    now: datetime,
    callback: Callback | None,
) -> tuple[GatewayAction | None, Payment]:
    """Books a state under the document's lock; returns the next action at the gateway and the payment as booked."""
    # The document is locked before its payment is read: every act takes locks in this order, and a payment read
    # before the wait could be in a state that another booking has left meanwhile.
    # Refunds and disputes change every invoice that the payment is on, so they are all locked, in the order of those
    # acts.
    goes_back = bool(state.refunds or state.disputes)
    invoices = lock_invoices(payment) if goes_back else {}
    document = payability.document_for_update(payment)
    fresh = _to_book.get(payment.pk)
    fresh.document = document
    by = events.gateway_actor(gateway_calls.gateway_account_for(fresh).gateway)
    gateway = gateway_calls.gateway_for(fresh)
    action = booking.apply(fresh, state=state, capabilities=gateway, by=by, now=now)
    if goes_back:
        if isinstance(document, Invoice):  # the row that the booking has changed in memory
            invoices[document.pk] = document
        refund_booking.apply(fresh, state.refunds, invoices, by=by, now=now)
        dispute_booking.apply(fresh, state.disputes, invoices, known, by=by, now=now)
    if callback is not None and callback.status == "pending":
        # In the same transaction as the booking: a crash leaves either both or neither, and then the callback is
        # retried (P7).
        update(callback, {"status": "processed", "processed_at": now}, expected={"status": "pending"})
        callback.status = "processed"
    return action, fresh


def _carry_out(action: GatewayAction, payment: Payment, now: datetime) -> CheckoutState | None:
    """Captures or closes; returns the state after that, or None where the worker must refresh the payment later."""
    try:
        if action == GatewayAction.CAPTURE:
            return gateway_calls.capture(payment, now=now)
        # A customer can finish paying while we close. The gateway decides that race; if it captured, the money is
        # booked.
        too_late = gateway_calls.close(payment, now=now) == CloseOutcome.TOO_LATE
        return gateway_calls.fetch_state(payment) if too_late else None
    # The process that makes the call books its outcome. Waiting here would hold a web worker for as long as the
    # gateway.
    except CallInProgress:
        return None
    except Refused:
        return gateway_calls.fetch_state(payment)  # the authorization may have lapsed: the state says so
    except OutcomeUnknown:
        log.warning("gateway_outcome_unknown", payment=payment.pk, action=action)
        return None  # a timeout is not a failure (P5)


@transaction.atomic(durable=True)
def book_refused_start(payment: Payment, refusal: Refused, *, now: datetime) -> None:
    """Ends a payment whose checkout the gateway refused to open: failed, or canceled if it was closing."""
    payability.document_for_update(payment)
    payment.refresh_from_db(fields=["status", "checkout_ref"])
    to = {"pending": "failed", "closing": "canceled"}.get(payment.status)
    if to is None or payment.checkout_ref:  # another call opened it, so a customer may be paying there
        return
    code, message = refusal.code, refusal.message[:300]
    actor = events.gateway_actor(gateway_calls.gateway_account_for(payment).gateway)
    move(
        payment,
        to,
        by=actor,
        now=now,
        data={"code": code, "message": message},
        failure_code=code,
        failure_message=message,
        settled_at=now,
    )


def record_checkout(payment: Payment, *, ref: str, url: str = "") -> None:
    """Stores the gateway's id and page of the checkout, whatever state the payment has reached meanwhile.

    Without `url` for a checkout that the gateway's list names and that no customer will be sent to.
    """
    payment.checkout_url = url
    columns = {"checkout_ref": ref, "sealed_checkout_url": payment.sealed_checkout_url}
    if update(payment, columns, expected={"checkout_ref": "", "status": payment.status}):
        payment.checkout_ref = ref
        return
    # Canceled or booked meanwhile, or started by another click. A second answer to the same start names the same
    # checkout, and must not overwrite an id under which callbacks already arrive.
    update(payment, columns, expected={"checkout_ref": ""})
    payment.refresh_from_db(fields=["status", "checkout_ref", "sealed_checkout_url"])
