"""The changes of the books by disputes: an open one moves nothing, a lost one takes the money (DESIGN M3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from django.db.models import Sum

from partway.accounts.models import Organization

from ..models import Dispute, Event
from . import accounts
from .calendar import Calendar
from .changes import Change, PaymentFacts, Sums, difference, of_payment

_EVENTS = ("dispute.opened", "dispute.updated", "dispute.lost", "dispute.won", "dispute.loss_covered")


def changes(payments: Mapping[str, PaymentFacts], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by the disputes of these payments, those of each dispute in order."""
    rows = Dispute.objects.filter(payment__in=list(payments)).order_by("pk")
    events: dict[str, list[Event]] = defaultdict(list)
    of_payments = Event.objects.filter(payment__in={row.payment_id for row in rows})
    for event in of_payments.filter(type__in=_EVENTS):
        events[event.data["dispute"]].append(event)
    for dispute in rows:
        payment = payments[dispute.payment_id]
        is_lost, amount, lost, before = False, 0, 0, dict[str, int]()
        for event in sorted(events[dispute.pk], key=lambda event: event.pk):
            is_lost = {"dispute.lost": True, "dispute.won": False}.get(event.type, is_lost)
            # Of a loss that is covered the event says how much of it that was.
            if event.type != "dispute.loss_covered":
                amount = event.data["amount_minor"]
            lost = event.data.get("lost_minor", lost)
            after = (
                {accounts.CREDIT: amount - lost, accounts.LOSSES: lost, payment.money: -amount}
                if is_lost
                else {}
            )
            if amounts := difference(before, after):
                yield of_payment(
                    payment,
                    calendar,
                    amounts,
                    at=event.created_at,
                    kind="dispute_lost" if is_lost else "dispute_won",
                    fact=event.pk,
                    act=dispute.pk,
                )
            before = after


def standing(organization: Organization, currency: str) -> Sums:
    """Yields the money that lost disputes took; `payments.standing` has taken it off credit."""
    lost = Dispute.objects.for_organization(organization).lost().order_by()
    of_gateway = lost.filter(payment__captured_currency=currency).values_list(
        "payment__gateway_account__gateway"
    )
    for gateway, minor, beyond in of_gateway.annotate(Sum("amount_minor"), Sum("lost_minor")):
        yield f"transit:{gateway}", -minor
        yield accounts.LOSSES, beyond
