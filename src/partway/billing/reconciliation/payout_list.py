"""Reads the gateway's list of payouts, and books what is new in it (DESIGN P5, P6).

A callback about a payout makes its account due at once; the list has the truth.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from partway.accounts.models import GatewayAccount
from partway.gateways import protocol
from partway.gateways.protocol import OutcomeUnknown, PayoutItemKind, Refused
from partway.lib.clock import RunningClock

from ..checkouts import gateway_calls
from ..claims import ClaimableRows
from ..models import Dispute, Payment, Payout, Refund
from ..payments import payout_booking
from ..payments.refresh import refresh_payment
from . import gateway_list
from .list_readings import ListReading

log = structlog.get_logger(__name__)

PAYOUT_ACCOUNTS = ClaimableRows(GatewayAccount.objects.all(), due_at="payouts_due_at")

_INTERVAL = timedelta(hours=1)
# Each reading goes back this far, so that the items of a payout are linked to payments and refunds that are booked days
# after it.
_OVERLAP = timedelta(days=7)
_READING = ListReading(
    alert="payout_list_unavailable",
    due_at="payouts_due_at",
    read_until="payouts_read_until",
    overdue_after=timedelta(days=3),  # payouts are on their way for days, and no payment waits for them
    is_needed=lambda account: account.is_current,
)


def read_payouts(*, now: datetime, limit: int = 5) -> int:
    """Reads the lists of payouts that are due; returns how many payouts brought something new."""
    taken = PAYOUT_ACCOUNTS.take(now, limit=limit, wait=lambda _account: _INTERVAL)
    return sum(_read_account(account, at) for account, at in taken)


def _read_account(account: GatewayAccount, now: datetime) -> int:
    """Reads the list since the last complete reading; returns how many payouts brought something new."""
    since = (account.payouts_read_until or account.created_at) - _OVERLAP
    news = 0
    clock = RunningClock(now)

    def read() -> str:
        nonlocal news
        for said in gateway_calls.gateway_for_account(account).payouts_since(since):
            report = _with_checkouts(account, said)
            _refresh_payments(account, report, clock)
            news += payout_booking.apply(account, report, now=clock.now())
        return ""

    _READING.run(account, read, now=now)
    return news


def _with_checkouts(account: GatewayAccount, report: protocol.Payout) -> protocol.Payout:
    """Returns the payout with the checkout of each item of which the gateway says our payment instead."""
    named = {item.reference for item in report.items if not item.checkout_ref} - {""}
    if not named:
        return report
    payments = Payment.objects.filter(gateway_account=account, pk__in=named)
    refs = dict(payments.values_list("pk", "checkout_ref"))
    items = [
        replace(item, checkout_ref=item.checkout_ref or refs.get(item.reference, "")) for item in report.items
    ]
    return replace(report, items=tuple(items))


def _refresh_payments(account: GatewayAccount, report: protocol.Payout, clock: RunningClock) -> None:
    """Books what a payout shows that we have not heard of: a payment, its fee, a refund or a dispute of it.

    Once for each status of a payout: a gateway that never says a fee is not asked in every reading. Raises
    OutcomeUnknown when the gateway is silent.
    """
    if Payout.objects.filter(gateway_account=account, gateway_ref=report.ref, status=report.status).exists():
        return
    items = [item for item in report.items if item.checkout_ref]
    payments = Payment.objects.filter(
        gateway_account=account, checkout_ref__in={item.checkout_ref for item in items}
    )
    columns = ("payment__checkout_ref", "gateway_ref")
    refunds = Refund.objects.filter(payment__in=payments).exclude(status="pending").values_list(*columns)
    disputes = Dispute.objects.filter(payment__in=payments).values_list(*columns)
    booked = {*refunds, *disputes}
    unheard = {
        item.checkout_ref
        for item in items
        if item.kind in (PayoutItemKind.REFUND, PayoutItemKind.DISPUTE)
        and (item.checkout_ref, item.source_ref) not in booked
    }
    for payment in payments.filter(
        Q(checkout_ref__in=unheard) | ~Q(status="succeeded") | Q(fee_minor__isnull=True)
    ):
        began = time.monotonic()
        try:
            refresh_payment(payment, now=clock.now())
        # The payout is booked all the same: its items are linked once the payment can be fetched. But a silent gateway
        # is not waited for again with each payment.
        except (Refused, OutcomeUnknown) as error:
            log.warning("payment_of_payout_unreadable", payment=payment.pk, error=str(error))
            if time.monotonic() - began > gateway_list.SILENCE_SECONDS:
                raise
