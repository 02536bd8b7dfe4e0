"""Reads the gateway's own list of checkouts, and books payments that only the gateway knows (DESIGN P5, P6).

A crash between a call and its response leaves a payment without the id of its checkout; a restored backup leaves
checkouts without a payment. The list has both, under the reference that we gave them.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.db.models import Q

from partway.accounts.models import GatewayAccount
from partway.gateways.protocol import CheckoutStatus, CheckoutSummary, OutcomeUnknown, Refused
from partway.lib.clock import RunningClock

from .. import alerts
from ..checkouts import gateway_calls
from ..claims import ClaimableRows
from ..models import Payment
from ..payments import dispute_booking, fee_booking, refund_booking
from ..payments.refresh import record_checkout, refresh_payment
from .list_readings import ListReading

log = structlog.get_logger(__name__)

GATEWAY_ACCOUNTS = ClaimableRows(GatewayAccount.objects.all(), due_at="reconcile_at")

_INTERVAL = timedelta(minutes=5)
# Clocks differ, and a change may be listed a little late: each reading goes back this far.
_OVERLAP = timedelta(hours=1)
_READING = ListReading(
    alert="gateway_list_unavailable",
    due_at="reconcile_at",
    read_until="reconciled_until",
    overdue_after=timedelta(days=1),  # payments that were not reported are found in no other way
    is_needed=lambda account: (
        account.is_current or Payment.objects.unsettled().filter(gateway_account=account).exists()
    ),
)
# A fetch that gets no answer takes this long when the gateway is silent, and an instant when one checkout is broken.
# After a silent one the reading ends, so that the lists of other accounts do not wait for a hundred more.
SILENCE_SECONDS = 5
_BATCH = 100
_TAKEN = (CheckoutStatus.AUTHORIZED, CheckoutStatus.PROCESSING, CheckoutStatus.CAPTURED)


def reconcile_gateway_lists(*, now: datetime, limit: int = 5) -> int:
    """Reads the lists that are due; returns how many payments differed from what we knew."""
    taken = GATEWAY_ACCOUNTS.take(now, limit=limit, wait=lambda _account: _INTERVAL)
    return sum(_reconcile_account(account, at) for account, at in taken)


def _reconcile_account(account: GatewayAccount, now: datetime) -> int:
    """Reads the list since the last complete reading; returns how many payments differed."""
    since = (account.reconciled_until or account.created_at) - _OVERLAP
    differing = unreadable = 0
    clock = RunningClock(now)

    def read() -> str:
        nonlocal differing, unreadable
        summaries = gateway_calls.gateway_for_account(account).list_since(since)
        while batch := list(islice(summaries, _BATCH)):
            batch_differing, batch_unreadable = _reconcile_batch(batch, account, clock)
            differing += batch_differing
            unreadable += batch_unreadable
        return "checkouts_unreadable" if unreadable else ""

    _READING.run(account, read, now=now)
    return differing


def _reconcile_batch(
    batch: list[CheckoutSummary], account: GatewayAccount, clock: RunningClock
) -> tuple[int, int]:
    """Compares summaries with our payments; returns how many differed, and how many states could not be fetched.

    Raises OutcomeUnknown when the gateway is silent.
    """
    # A payment is found by its checkout's id, or by our reference where we never learned the id.
    refs, references = [summary.ref for summary in batch], [summary.reference for summary in batch]
    known = Q(checkout_ref__in=refs) | Q(checkout_ref="", pk__in=references)
    rows = Payment.objects.filter(known, gateway_account=account)
    payments = {payment.checkout_ref or payment.pk: payment for payment in rows}
    differing = unreadable = 0
    for summary in batch:
        payment = payments.get(summary.ref) or payments.get(summary.reference)
        began = time.monotonic()
        try:
            differing += _reconcile(summary, payment, account, clock.now())
        except (Refused, OutcomeUnknown) as error:
            log.warning("checkout_fetch_failed", checkout_ref=summary.ref, error=str(error))
            if time.monotonic() - began > SILENCE_SECONDS:
                raise
            unreadable += 1
    return differing, unreadable


def _reconcile(
    summary: CheckoutSummary, payment: Payment | None, account: GatewayAccount, now: datetime
) -> bool:
    """Settles what differs between a summary and our payment; returns whether something did."""
    status = summary.state.status
    if payment is not None and not payment.checkout_ref:  # an earlier summary may have brought the id
        payment.refresh_from_db(fields=["status", "checkout_ref"])
    if payment is None or payment.checkout_ref not in ("", summary.ref):
        return _alert_unmatched_checkout(summary, account, now)
    if payment.status == "succeeded":
        return _compare(summary, payment, now)
    if payment.is_unsettled or status == CheckoutStatus.CAPTURED:
        return _refresh(summary, payment, now)
    if status in (CheckoutStatus.OPEN, CheckoutStatus.AUTHORIZED):
        # The checkout exists although its start had failed here, so it must not be payable.
        record_checkout(payment, ref=summary.ref)
        gateway_calls.close(payment, now=now)
        return True
    return False


def _refresh(summary: CheckoutSummary, payment: Payment, now: datetime) -> bool:
    """Books the state of a payment's checkout; returns whether that changed the payment."""
    is_open = summary.state.status == CheckoutStatus.OPEN
    if payment.checkout_ref and is_open:
        return False  # it waits for its customer, as we knew
    before = payment.status, payment.checkout_ref
    # Without an id the refresh repeats the start under its key, which returns the id and the URL of the same checkout.
    # Once the customer has acted there, that URL is of no use, and the list has the id.
    if not payment.checkout_ref and not is_open:
        record_checkout(payment, ref=summary.ref)
    fresh = refresh_payment(payment, now=now)
    return (fresh.status, fresh.checkout_ref) != before


def _alert_unmatched_checkout(summary: CheckoutSummary, account: GatewayAccount, now: datetime) -> bool:
    """Alerts to money under a reference of ours, on a checkout that no payment here has or can still have.

    As after a restored backup, or when a second checkout was opened under the reference of the first.
    """
    if summary.state.status not in _TAKEN or not summary.reference.startswith("pay_"):
        return False
    # The same account may be connected twice, by two organizations, or at two installations: then the payment is
    # another's.
    if summary.organization not in ("", account.organization_id):
        return False
    known = Q(checkout_ref=summary.ref) | Q(pk=summary.reference, checkout_ref="")
    if Payment.objects.filter(known).exists():
        return False
    captured = summary.state.captured
    alerts.raise_for_organization(
        "unmatched_checkout",
        account.organization_id,
        subject=summary.ref,
        now=now,
        reason="captured" if captured else "begun",
        captured=captured,
        reference=summary.reference,
        checkout_ref=summary.ref,
    )
    return True


def _compare(summary: CheckoutSummary, payment: Payment, now: datetime) -> bool:
    """Books unheard-of refunds, disputes and fees, and alerts to another captured amount; returns whether it did."""
    state, booked = summary.state, payment.captured
    differs = state.captured is not None and state.captured != booked
    if differs:
        alerts.raise_for_payment(
            "booked_amount_mismatch", payment, now=now, booked=booked, captured=state.captured
        )
    is_news = fee_booking.is_news(payment, state.fee) or (
        state.refunds and refund_booking.changes(payment, state.refunds)
    )
    if not is_news and not dispute_booking.changes(payment, state.disputes):
        return differs
    refresh_payment(payment, now=now)
    return True
