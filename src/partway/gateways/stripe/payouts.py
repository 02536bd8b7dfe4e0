"""Reads Stripe's payouts with the entries of its balance that each is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import stripe

from ..protocol import Payout, PayoutItem, PayoutItemKind, PayoutStatus, Refused
from .amounts import from_stripe, payout_step
from .client import calling
from .connection import PAYOUT_EVENT_TYPES
from .listing import rows
from .reading import Json, Unreadable, expanded, id_of, moment, reading, text, unix_time
from .states import reference_of

_STATUS = {
    "pending": PayoutStatus.PENDING,
    "in_transit": PayoutStatus.PENDING,
    "paid": PayoutStatus.PAID,
    "failed": PayoutStatus.FAILED,
    "canceled": PayoutStatus.FAILED,
}
# The type of a balance transaction → the kind. docs.stripe.com/reports/balance-transaction-types
_KINDS = {
    "charge": PayoutItemKind.PAYMENT,
    "payment": PayoutItemKind.PAYMENT,
    "refund": PayoutItemKind.REFUND,
    "payment_refund": PayoutItemKind.REFUND,
    "refund_failure": PayoutItemKind.REFUND,
    "payment_failure_refund": PayoutItemKind.REFUND,
    "stripe_fee": PayoutItemKind.FEE,
    "stripe_fx_fee": PayoutItemKind.FEE,
    "network_cost": PayoutItemKind.FEE,
    "tax_fee": PayoutItemKind.FEE,
}
# A payout fails within five business days, and Stripe keeps events for thirty days.
_CHANGES_FOR = timedelta(days=14)
# Some time after an automatic payout is made, Stripe knows what it is made of, and refuses to list it before. One that
# is not known after two weeks, as none has been, is reported without that: it is in the bank account all the same.
_RECONCILED_WITHIN = timedelta(days=14)
_EVENT_TYPES = [*PAYOUT_EVENT_TYPES, "payout.canceled", "payout.reconciliation_completed"]


def payouts_since(api: stripe.StripeClient, at: datetime, now: datetime) -> Iterator[Payout]:
    """Yields the payouts that were created or that ended at or after `at`, oldest first.

    Their list is sorted by creation, so one that ended since comes from its event. Before the time for which events are
    kept, all of the last two weeks are yielded. One that Stripe has not reconciled yet is left out, until its event
    says so or two weeks have passed. One that cannot be read does not keep the others from being yielded; it is raised
    at the end.
    """
    since = at - _CHANGES_FOR if at < now - timedelta(days=29) else at
    listed = {"created": {"gte": unix_time(since - _RECONCILED_WITHIN - timedelta(days=7))}}
    found: dict[str, Json] = {
        payout["id"]: payout
        for payout in rows(api.v1.payouts.list, listed)
        if payout["created"] >= unix_time(since) or payout["reconciliation_status"] == "in_progress"
    }
    events = {"created": {"gte": unix_time(since)}, "types": _EVENT_TYPES}
    for event in rows(api.v1.events.list, events):
        found.setdefault(event["data"]["object"]["id"], {})
    intents: dict[str, str] = {}
    unreadable: Refused | Unreadable | None = None
    for ref, payout in reversed(found.items()):
        try:
            with calling():
                row = payout or api.v1.payouts.retrieve(ref).to_dict()
            if read := _payout(api, row, intents, now):
                yield read
        except (Refused, Unreadable) as error:
            unreadable = error
    if unreadable is not None:
        raise unreadable


def _payout(api: stripe.StripeClient, row: Json, intents: dict[str, str], now: datetime) -> Payout | None:
    """Returns a payout with its entries; None while Stripe is about to say them."""
    with reading():
        is_reconciling = row["reconciliation_status"] == "in_progress"
        if is_reconciling and row["created"] > unix_time(now - _RECONCILED_WITHIN):
            return None
        amount = from_stripe(row["amount"], row["currency"])
        arrives_at = moment(row["arrival_date"])
        if arrives_at is None:
            raise ValueError("a payout without a day of arrival")
        zero = from_stripe(0, row["currency"])
        items: list[PayoutItem] = []
        if row["automatic"] and row["reconciliation_status"] == "completed":
            entries = rows(api.v1.balance_transactions.list, {"payout": row["id"], "expand": ["data.source"]})
            # The list has the payout itself as well, which takes all of them out of the balance.
            items = [_item(api, entry, intents) for entry in entries if id_of(entry["source"]) != row["id"]]
            items.reverse()
            rest = amount - sum((item.net for item in items), zero)
            if abs(rest.amount_minor) in range(1, payout_step(amount.currency)):
                # What is below a whole unit stays in the balance, and is in a later payout.
                items.append(PayoutItem(f"{row['id']}:rest", PayoutItemKind.OTHER, rest, zero, rest))
        else:
            # Of one that was asked for by hand Stripe does not say which entries it took: any of the balance.
            ref = id_of(row["balance_transaction"])
            items = [PayoutItem(ref, PayoutItemKind.OTHER, amount, zero, amount)]
        return Payout(text(row["id"]), _STATUS[row["status"]], amount, arrives_at.date(), tuple(items))


def _item(api: stripe.StripeClient, entry: Json, intents: dict[str, str]) -> PayoutItem:
    source: Json = expanded(entry["source"])
    kind = _KINDS.get(entry["type"], PayoutItemKind.OTHER)
    if source.get("object") == "dispute":
        kind = PayoutItemKind.DISPUTE  # an `adjustment` like others
    amount, fee, net = (from_stripe(entry[name], entry["currency"]) for name in ("amount", "fee", "net"))
    is_source = kind in (PayoutItemKind.REFUND, PayoutItemKind.DISPUTE)
    about = (PayoutItemKind.PAYMENT, PayoutItemKind.REFUND, PayoutItemKind.DISPUTE)
    return PayoutItem(
        ref=text(entry["id"]),
        kind=kind,
        amount=amount,
        fee=fee,
        net=net,
        source_ref=text(source["id"]) if is_source else "",
        reference=_reference(api, source, intents) if kind in about else "",
    )


def _reference(api: stripe.StripeClient, source: Json, intents: dict[str, str]) -> str:
    """Returns our id of the payment that a charge, a refund or a dispute is about; empty for another application's.

    Stripe copies the metadata of an intent to its charge, and ours is on the refunds that we made. Of a dispute, and a
    refund of the dashboard, the intent is asked for, once in each reading.
    """
    if source["object"] == "charge" or reference_of(source):
        return reference_of(source)
    intent_ref = id_of(source["payment_intent"])
    if intent_ref and intent_ref not in intents:
        with calling():
            intents[intent_ref] = reference_of(api.v1.payment_intents.retrieve(intent_ref).to_dict())
    return intents.get(intent_ref, "")
