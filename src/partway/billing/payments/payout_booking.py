"""Books a payout as the gateway reports it: the only place that writes payouts (DESIGN P6, M4).

Monotone: a payout that has ended is the same after the same reports in any order. It makes no call.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from partway.accounts.models import GatewayAccount
from partway.gateways import protocol
from partway.lib.money import Money

from .. import alerts, events
from ..models import Dispute, Payment, Payout, PayoutItem, Refund
from ..states import move

# A report of an earlier status arrived late, and is ignored (P6).
_ORDER = ("pending", "paid", "failed")


@transaction.atomic(durable=True)
def apply(account: GatewayAccount, report: protocol.Payout, *, now: datetime) -> bool:
    """Books what is new in the report of a payout; returns whether something was.

    One that is on its way is replaced by each report. Once it has ended it is a fact: another report of what it is made
    of changes nothing and is an alert. Its items are linked to our payments and refunds in any case, as soon as those
    are booked.
    """
    by = events.gateway_actor(account.gateway)
    money = {"amount_minor": report.amount.amount_minor, "currency": report.amount.currency}
    facts = {**money, "arrives_on": report.arrives_on}
    owner = {"organization_id": account.organization_id, "created_at": now}
    # Locked, since a second worker may bring another report of it at the same time.
    payout, is_new = Payout.objects.select_for_update().get_or_create(
        gateway_account=account, gateway_ref=report.ref, defaults={**owner, **facts}
    )
    if _ORDER.index(report.status) < _ORDER.index(payout.status):
        return False
    differs = is_new or payout.amount != report.amount or _stored_items(payout) != _reported_items(report)
    is_news = is_new or payout.status != report.status
    if payout.status != "pending":
        if differs:
            alerts.raise_for_organization(
                "payout_changed", account.organization_id, subject=payout.pk, now=now, **_named(payout)
            )
    elif differs or payout.arrives_on != report.arrives_on:
        is_news = True
        for name, value in facts.items():
            setattr(payout, name, value)
        payout.save(update_fields=list(facts))
        _replace_items(payout, report, now)
        if is_new or report.status == "pending":  # else the event of its end says it
            event_type = "payout.reported" if is_new else "payout.changed"
            events.record(event_type, payout, by=by, now=now, data=payout.event_data)
    _link_items(payout, now)
    if payout.status != report.status:
        move(payout, report.status, by=by, now=now, data=payout.event_data)
        if report.status == protocol.PayoutStatus.FAILED:
            alerts.raise_for_organization(
                "payout_failed", account.organization_id, subject=payout.pk, now=now, **_named(payout)
            )
    return is_news


def _named(payout: Payout) -> dict[str, object]:
    """The params by which the sentences of alerts name a payout."""
    return {"amount": payout.amount, "payout": payout.pk, "payout_ref": payout.gateway_ref}


def _reported_items(report: protocol.Payout) -> list[tuple[object, ...]]:
    return [
        (
            item.ref,
            str(item.kind),
            *(money.amount_minor for money in (item.amount, item.fee, item.net)),
            item.checkout_ref,
            item.source_ref,
        )
        for item in report.items
    ]


_COLUMNS = ("gateway_ref", "kind", "amount_minor", "fee_minor", "net_minor", "checkout_ref", "source_ref")


def _stored_items(payout: Payout) -> list[tuple[object, ...]]:
    return list(payout.items.order_by("position").values_list(*_COLUMNS))


def _replace_items(payout: Payout, report: protocol.Payout, now: datetime) -> None:
    """Stores the reported items; raises an alert when they do not add up, for nothing is rounded away (M4)."""
    payout.items.all().delete()
    rows = [dict(zip(_COLUMNS, item, strict=True)) for item in _reported_items(report)]
    items = [
        PayoutItem(payout=payout, position=position, currency=payout.currency, **row)
        for position, row in enumerate(rows)
    ]
    PayoutItem.objects.bulk_create(items)
    items_sum = Money(sum(item.net_minor for item in items), payout.currency)
    fits = all(item.amount_minor - item.fee_minor == item.net_minor for item in items)
    if items_sum != payout.amount or not fits:
        alerts.raise_for_organization(
            "payout_does_not_add_up",
            payout.organization_id,
            subject=payout.pk,
            now=now,
            reason="item" if items_sum == payout.amount else "sum",
            items=items_sum,
            **_named(payout),
        )


def _link_items(payout: Payout, now: datetime) -> None:
    """Links the items to our rows, of which some may have been booked after the payout."""
    without_row = {"refund__isnull": True, "dispute__isnull": True}
    unlinked = payout.items.exclude(checkout_ref="").filter(
        Q(payment__isnull=True) | Q(kind__in=("refund", "dispute"), **without_row)
    )
    refs = {item.checkout_ref for item in unlinked}
    payments = {
        payment.checkout_ref: payment
        for payment in Payment.objects.filter(
            gateway_account=payout.gateway_account_id, checkout_ref__in=refs
        )
    }
    refunds, disputes = (
        {
            (row.payment_id, row.gateway_ref): row
            for row in model.objects.filter(payment__in=payments.values())
        }
        for model in (Refund, Dispute)
    )
    for item in unlinked:
        payment = payments.get(item.checkout_ref)
        if payment is None:
            continue
        item.payment, source = payment, (payment.pk, item.source_ref)
        item.refund = refunds.get(source) if item.kind == "refund" else None
        item.dispute = disputes.get(source) if item.kind == "dispute" else None
        item.save(update_fields=["payment", "refund", "dispute"])
        fee = payment.fee
        if item.kind == "payment" and fee is not None and fee != item.fee:
            alerts.raise_for_payment("fee_mismatch", payment, now=now, booked=fee, reported=item.fee)
