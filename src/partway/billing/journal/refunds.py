"""The changes of the books by refunds: taken off credit when they begin, off the money when they succeed (M5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..models import Event, Refund
from ..models.refunds import COUNTED_STATUSES
from . import accounts
from .calendar import Calendar
from .changes import Change, difference, of_payment
from .payments import money_account

# The status that each event of a refund leads to.
_STATUSES = {
    "refund.started": "pending",
    "refund.reported": "pending",
    "refund.succeeded": "succeeded",
    "refund.failed": "failed",
    "refund.reversed": "reversed",
}
_KINDS = {"failed": "refund_failed", "reversed": "refund_reversed", "succeeded": "refund"}


def changes(payments: Iterable[str], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by the refunds of these payments, those of each refund in order."""
    refunds = Refund.objects.filter(payment__in=list(payments)).order_by("pk")
    rows = refunds.select_related(*(f"payment__{name}" for name in ("gateway_account", "invoice", "quote")))
    events: dict[str, list[Event]] = defaultdict(list)
    of_payments = Event.objects.filter(payment__in={row.payment_id for row in rows})
    for event in of_payments.filter(type__in=_STATUSES | {"refund.loss_covered": ""}):
        events[event.data["refund"]].append(event)
    for refund in rows:
        payment = refund.payment
        money = f"mode:{refund.method}" if refund.mode == "offline" else money_account(payment)
        status, lost, before = "", 0, dict[str, int]()
        for event in sorted(events[refund.pk], key=lambda event: event.pk):
            status = _STATUSES.get(event.type, status)
            # Of one at the gateway's dashboard beyond the payment; a later event says how much is covered since.
            lost = event.data.get("lost_minor", lost)
            gone_from = money if status == "succeeded" else accounts.REFUNDS_UNDER_WAY
            after = {
                accounts.CREDIT: refund.amount_minor - lost,
                accounts.LOSSES: lost,
                gone_from: -refund.amount_minor,
            }
            amounts = difference(before, before := after if status in COUNTED_STATUSES else {})
            # A member types the day on which money was given back by hand, not that of a mistake.
            typed = {("offline", "succeeded"): refund.refunded_on}
            if amounts:
                change = of_payment(
                    payment,
                    calendar,
                    amounts,
                    at=event.created_at,
                    kind=_KINDS.get(status, "refund_started"),
                    fact=event.pk,
                    act=refund.pk,
                    happened_on=typed.get((refund.mode, status)),
                )
                yield replace(change, detail=refund.method)
