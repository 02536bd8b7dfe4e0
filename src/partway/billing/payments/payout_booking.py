"""Books a payout as the gateway reports it: the only place that writes payouts (DESIGN P6, M4).

Monotone: a payout that has ended is the same after the same reports in any order. It makes no call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
_COLUMNS = ("gateway_ref", "kind", "amount_minor", "fee_minor", "net_minor", "checkout_ref", "source_ref")


@transaction.atomic(durable=True)
def apply(account: GatewayAccount, report: protocol.Payout, *, now: datetime) -> bool:
    """Books what is new in the report of a payout; returns whether something was.

    One that is on its way is replaced by each report. Once it has ended it is a fact: another report of what it is made
    of changes nothing and is an alert. Its items are linked to our payments, refunds and disputes in any case, as soon
    as those are booked.
    """
    by = events.gateway_actor(account.gateway)
    money = {"amount_minor": report.amount.amount_minor, "currency": report.amount.currency}
    facts = {**money, "arrives_on": report.arrives_on}
    # Locked, since a second worker may bring another report of it at the same time.
    payout, is_new = Payout.objects.select_for_update().get_or_create(
        gateway_account=account,
        gateway_ref=report.ref,
        defaults={"organization_id": account.organization_id, "created_at": now, **facts},
    )
    if _ORDER.index(report.status) < _ORDER.index(payout.status):
        return False
    stored = payout.amount, list(payout.items.order_by("position").values_list(*_COLUMNS))
    differs = is_new or stored != (report.amount, _reported_items(report))
    is_news = differs or payout.status != report.status or payout.arrives_on != report.arrives_on
    if payout.status == "pending" and is_news:
        for name, value in facts.items():
            setattr(payout, name, value)
        payout.save(update_fields=list(facts))
        _replace_items(payout, report, now)
        if is_new or report.status == "pending":  # else the event of its end says it
            event_type = "payout.reported" if is_new else "payout.changed"
            events.record(event_type, payout, by=by, now=now, data=payout.event_data)
    elif differs:
        alerts.raise_for_organization("payout_changed", **_about(payout, now))
    _link_items(payout, now)
    if payout.status != report.status:
        move(payout, report.status, by=by, now=now, data=payout.event_data)
        if report.status == protocol.PayoutStatus.FAILED:
            alerts.raise_for_organization("payout_failed", **_about(payout, now))
    return is_news


def _about(payout: Payout, now: datetime) -> dict[str, Any]:
    """Returns the arguments of an alert about a payout."""
    named = {"amount": payout.amount, "payout": payout.pk, "payout_ref": payout.gateway_ref}
    return {"organization_id": payout.organization_id, "subject": payout.pk, "now": now, **named}


def _reported_items(report: protocol.Payout) -> list[tuple[object, ...]]:
    """Returns the items as rows of _COLUMNS."""
    return [
        (
            *(item.ref, str(item.kind)),
            *(money.amount_minor for money in (item.amount, item.fee, item.net)),
            *(item.checkout_ref, item.source_ref),
        )
        for item in report.items
    ]


def _replace_items(payout: Payout, report: protocol.Payout, now: datetime) -> None:
    """Stores the reported items; raises an alert when they do not add up, for nothing is rounded away (M4)."""
    payout.items.all().delete()
    owner: dict[str, Any] = {"payout": payout, "currency": payout.currency}
    items = [
        PayoutItem(**owner, position=position, **dict(zip(_COLUMNS, row, strict=True)))
        for position, row in enumerate(_reported_items(report))
    ]
    PayoutItem.objects.bulk_create(items)
    items_sum = Money(sum(item.net_minor for item in items), payout.currency)
    fits = all(item.amount_minor - item.fee_minor == item.net_minor for item in items)
    if items_sum != payout.amount or not fits:
        reason = "sum" if items_sum != payout.amount else "item"
        alerts.raise_for_organization(
            "payout_does_not_add_up", **_about(payout, now), reason=reason, items=items_sum
        )


def _link_items(payout: Payout, now: datetime) -> None:
    """Links the items to our rows, of which some may have been booked after the payout."""
    without_row = Q(kind__in=("refund", "dispute"), refund__isnull=True, dispute__isnull=True)
    unlinked = payout.items.exclude(checkout_ref="").filter(Q(payment__isnull=True) | without_row)
    account, refs = payout.gateway_account_id, unlinked.values("checkout_ref")
    found = Payment.objects.filter(gateway_account=account, checkout_ref__in=refs)
    payments = {payment.checkout_ref: payment for payment in found}
    rows: dict[tuple[str, str, str], Refund | Dispute] = {}
    for kind, model in (("refund", Refund), ("dispute", Dispute)):
        named = model.objects.filter(payment__in=payments.values()).exclude(gateway_ref="")
        rows |= {(kind, row.payment_id, row.gateway_ref): row for row in named}
    for item in unlinked:
        item.payment = payments.get(item.checkout_ref)
        if item.payment is None:
            continue
        if row := rows.get((item.kind, item.payment.pk, item.source_ref)):
            setattr(item, item.kind, row)  # the column has the name of the kind
        item.save(update_fields=["payment", "refund", "dispute"])
        booked = item.payment.fee
        if item.kind == "payment" and booked is not None and booked != item.fee:
            alerts.raise_for_payment("fee_mismatch", item.payment, now=now, booked=booked, reported=item.fee)
