"""The changes of the books by refunds: taken off credit when they begin, off the money when they succeed (M5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from django.db.models import Sum

from partway.accounts.models import Organization

from ..models import Event, Refund
from ..models.refunds import COUNTED_STATUSES
from . import accounts
from .calendar import Calendar
from .changes import Change, PaymentFacts, Sums, difference, of_payment
from .payments import DepositEnd, ends_of_deposits

# The status that each event of a refund leads to.
_STATUSES = {
    "refund.started": "pending",
    "refund.reported": "pending",
    "refund.succeeded": "succeeded",
    "refund.failed": "failed",
    "refund.reversed": "reversed",
}
_KINDS = {"failed": "refund_failed", "reversed": "refund_reversed", "succeeded": "refund"}


def changes(payments: Mapping[str, PaymentFacts], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by the refunds of these payments, those of each refund in order."""
    rows = Refund.objects.filter(payment__in=list(payments)).order_by("pk")
    events: dict[str, list[Event]] = defaultdict(list)
    refunded = [row.payment_id for row in rows]
    of_payments = Event.objects.filter(payment__in=refunded)
    for event in of_payments.filter(type__in=_STATUSES | {"refund.loss_covered": ""}):
        events[event.data["refund"]].append(event)
    ends = ends_of_deposits(refunded)
    for refund in rows:
        payment = payments[refund.payment_id]
        money = f"mode:{refund.method}" if refund.mode == "offline" else payment.money
        status, lost, before = "", 0, dict[str, int]()
        booked_on = date.min
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
            # A member types the day on which money was given back by hand; a mistake was none from that day on.
            typed = refund.refunded_on if refund.mode == "offline" else None
            if amounts:
                change = of_payment(
                    payment,
                    calendar,
                    amounts,
                    at=event.created_at,
                    kind=_KINDS.get(status, "refund_started"),
                    fact=event.pk,
                    act=refund.pk,
                    happened_on=typed,
                )
                # Where a period was opened again since, what takes it back is not booked before it.
                booked_on = max(booked_on, change.day)
                change = replace(change, day=booked_on)
                yield from _within_payment(replace(change, detail=refund.method), ends, calendar, payment)


def standing(organization: Organization, currency: str) -> Sums:
    """Yields what went back, or is under way back; `payments.standing` has taken it off credit."""
    counted = Refund.objects.for_organization(organization).counted().order_by()
    of_currency = counted.filter(payment__captured_currency=currency)
    by_way = of_currency.values_list("mode", "status", "method", "payment__gateway_account__gateway")
    for mode, status, method, gateway, minor, lost in by_way.annotate(Sum("amount_minor"), Sum("lost_minor")):
        money = f"mode:{method}" if mode == "offline" else f"transit:{gateway}"
        yield accounts.REFUNDS_UNDER_WAY if status == "pending" else money, -minor
        yield accounts.LOSSES, lost


def _within_payment(
    change: Change, ends: Mapping[str, DepositEnd], calendar: Calendar, payment: PaymentFacts
) -> Iterator[Change]:
    """Yields the change not before its payment is booked; what goes back while that is a deposit is taken off it.

    A member types the day of a refund, which can be before an invoice took the deposit, or before the first refund of
    it that was recorded; and where a period was opened again, before the day on which its payment is booked.
    """
    came_on = calendar.booking_day(payment.paid_on or calendar.day(payment.at), payment.at, payment.pk)
    change = replace(change, day=max(change.day, came_on))
    end, minor = ends.get(payment.pk), change.amounts.get(accounts.CREDIT, 0)
    if end is None or end.day(calendar) <= change.day:
        yield change
        return
    of_deposit = {
        accounts.DEPOSITS if key == accounts.CREDIT else key: each for key, each in change.amounts.items()
    }
    yield replace(change, amounts=of_deposit)
    # On the day on which the deposit ends, its rest is that much less.
    rest, day = {accounts.DEPOSITS: -minor, accounts.CREDIT: minor}, end.day(calendar)
    ended = replace(change, day=day, happened_on=day, at=end.at, act=end.act, amounts=rest)
    yield replace(ended, kind="deposit_applied")
