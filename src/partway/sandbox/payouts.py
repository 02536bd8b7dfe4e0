"""The balance of an account, and its payouts: what customers paid, less refunds and fees."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from partway.lib.clock import now
from partway.sandbox import callbacks
from partway.sandbox.errors import ApiError, not_found
from partway.sandbox.models import BalanceEntry, Checkout, Dispute, Payout
from partway.sandbox.settings import PAYOUT_EVERY_SECONDS, SETTLE_AFTER_SECONDS

MAX_ENTRIES = 500  # of one payout; the next one takes the rest


def add_entry(
    checkout: Checkout, kind: str, amount_minor: int, *, fee_minor: int = 0, source: str = ""
) -> None:
    """Adds what a checkout has earned to the balance of its account, or takes it away, in the captured currency."""
    BalanceEntry.objects.create(
        account_id=checkout.account_id,
        checkout=checkout,
        kind=kind,
        source=source,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        currency=checkout.captured_currency,
    )


def add_dispute_entry(checkout: Checkout, dispute: Dispute) -> None:
    """Adds what a dispute takes now, less what it has taken before: all of it when it is opened, nothing once won."""
    before = BalanceEntry.objects.filter(source=dispute.id).aggregate(
        amount=Coalesce(Sum("amount_minor"), 0), fee=Coalesce(Sum("fee_minor"), 0)
    )
    taken = 0 if dispute.status == "won" else -dispute.amount_minor
    amount_minor, fee_minor = taken - before["amount"], dispute.fee_minor - before["fee"]
    if amount_minor or fee_minor:
        add_entry(checkout, "dispute", amount_minor, fee_minor=fee_minor, source=dispute.id)


def pay_out(account_id: str, *, settle: bool) -> list[Payout]:
    """Sends what is waiting to the bank, each currency by itself; a balance below zero waits for more.

    settle: whether they arrive by themselves after some seconds.
    """
    waiting = BalanceEntry.objects.filter(account_id=account_id, payout=None)
    made = []
    for currency in sorted(set(waiting.values_list("currency", flat=True))):
        entries = list(waiting.filter(currency=currency)[:MAX_ENTRIES])
        amount_minor = sum(entry.amount_minor - entry.fee_minor for entry in entries)
        if amount_minor <= 0:
            continue
        at = now()
        payout = Payout.objects.create(
            account_id=account_id,
            amount_minor=amount_minor,
            currency=currency,
            arrives_on=(at + timedelta(days=1)).date(),
            settles_at=at + timedelta(seconds=SETTLE_AFTER_SECONDS) if settle else None,
        )
        waiting.filter(pk__in=[entry.pk for entry in entries]).update(payout=payout)
        callbacks.enqueue(payout, "created")
        made.append(payout)
    return made


def settle_payout(payout_id: str, account_id: str, outcome: str) -> Payout:
    """Ends a payout as `paid` or `failed`; one that was paid can come back, and its amount is in the balance again."""
    payout = Payout.objects.select_related("account").filter(id=payout_id, account_id=account_id).first()
    if payout is None:
        raise not_found()
    if payout.status in (outcome, "failed"):
        raise ApiError(409, "payout_settled", f"This payout is {payout.status}.")
    payout.status, payout.changed_at, payout.settles_at = outcome, now(), None
    if outcome == "paid":
        payout.arrives_on = payout.changed_at.date()
    payout.save(update_fields=["status", "changed_at", "settles_at", "arrives_on"])
    if outcome == "failed":
        BalanceEntry.objects.create(
            account_id=account_id,
            kind="other",
            source=payout.id,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
        )
    callbacks.enqueue(payout, outcome)
    return payout


def process_due() -> None:
    """Pays out what has waited long enough, and lets payouts arrive; the clock calls this every round."""
    at = now()
    if PAYOUT_EVERY_SECONDS:
        old = BalanceEntry.objects.filter(
            payout=None, created_at__lte=at - timedelta(seconds=PAYOUT_EVERY_SECONDS)
        )
        for account_id in set(old.values_list("account_id", flat=True)[:100]):
            with transaction.atomic():
                pay_out(account_id, settle=True)
    for payout in Payout.objects.filter(settles_at__lte=at)[:100]:
        # Another request may have settled it meanwhile.
        with transaction.atomic(), suppress(ApiError):
            settle_payout(payout.id, payout.account_id, "paid")
