"""The changes of the books by disputes: an open one moves nothing, a lost one takes the money (DESIGN M3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..models import Dispute, Event
from . import accounts
from .calendar import Calendar
from .changes import Change, difference, of_payment
from .payments import money_account

_EVENTS = ("dispute.opened", "dispute.updated", "dispute.lost", "dispute.won", "dispute.loss_covered")


def changes(payments: Iterable[str], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by the disputes of these payments, those of each dispute in order."""
    disputes = Dispute.objects.filter(payment__in=list(payments)).order_by("pk")
    rows = disputes.select_related(*(f"payment__{name}" for name in ("gateway_account", "invoice", "quote")))
    events: dict[str, list[Event]] = defaultdict(list)
    of_payments = Event.objects.filter(payment__in={row.payment_id for row in rows})
    for event in of_payments.filter(type__in=_EVENTS):
        events[event.data["dispute"]].append(event)
    for row in rows:
        yield from _of_dispute(row, events[row.pk], calendar)


def _of_dispute(dispute: Dispute, events: Iterable[Event], calendar: Calendar) -> Iterator[Change]:
    money = money_account(dispute.payment)
    is_lost, amount, lost, before = False, 0, 0, dict[str, int]()
    for event in sorted(events, key=lambda event: (event.created_at, event.pk)):
        if event.type in ("dispute.lost", "dispute.won"):
            is_lost = event.type == "dispute.lost"
        if event.type != "dispute.loss_covered":
            amount = event.data["amount_minor"]
        lost = event.data.get("lost_minor", lost)
        after = {accounts.CREDIT: amount - lost, accounts.LOSSES: lost, money: -amount} if is_lost else {}
        amounts, before = difference(before, after), after
        if amounts:
            yield of_payment(
                dispute.payment,
                calendar,
                amounts,
                at=event.created_at,
                kind="dispute_lost" if is_lost else "dispute_won",
                fact=event.pk,
                act=dispute.pk,
            )
