"""The changes of the books by payouts: from what a gateway has in transit to the bank, and back where one fails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from django.db.models import Sum

from partway.accounts.models import Organization

from ..models import Event, Payout, PayoutItem
from ..models.payouts import PayoutItemKind
from . import accounts
from .calendar import Calendar
from .changes import Change, Sums, difference


def changes(payouts: Iterable[str], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by these payouts; one that is on its way changes nothing."""
    rows = Payout.objects.filter(pk__in=list(payouts)).select_related("gateway_account").order_by("pk")
    events: dict[str, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(payout__in=rows, type__in=("payout.paid", "payout.failed")):
        events[event.payout_id or ""].append(event)
    for payout in rows.prefetch_related("items"):
        # What the gateway charges for the account itself is of no payment, and is first heard of here.
        fees = -sum(item.net_minor for item in payout.items.all() if item.kind == PayoutItemKind.FEE)
        transit = f"transit:{payout.gateway_account.gateway}"
        paid = {accounts.BANK: payout.amount_minor, accounts.FEES: fees, transit: -payout.amount_minor - fees}
        before: dict[str, int] = {}
        for event in sorted(events[payout.pk], key=lambda event: event.pk):
            is_paid = event.type == "payout.paid"
            recorded_on = calendar.day(event.created_at)
            # It arrives on a day that the gateway says beforehand, never after the day on which it says that it has.
            arrived_on = min(date.fromisoformat(event.data["arrives_on"]), recorded_on)
            happened_on = arrived_on if is_paid else recorded_on
            # What failed is with the gateway again, but not what that charges.
            after = paid if is_paid else {accounts.FEES: fees, transit: -fees}
            amounts, before = difference(before, after), after
            if amounts:
                yield Change(
                    day=calendar.booking_day(happened_on, event.created_at, event.pk),
                    happened_on=happened_on,
                    at=event.created_at,
                    of=payout.pk,
                    act=payout.pk,
                    fact=event.pk,
                    kind="payout" if is_paid else "payout_failed",
                    document=("payout", payout.pk),
                    number=payout.gateway_ref,
                    party="",
                    customer="",
                    currency=payout.currency,
                    amounts=amounts,
                )


def standing(organization: Organization, currency: str) -> Sums:
    """Yields what arrived at the bank, and the fees of payouts; those of one that came back are not given back."""
    ended = Payout.objects.for_organization(organization).filter(
        currency=currency, status__in=("paid", "failed")
    )
    gateway = "gateway_account__gateway"
    paid = ended.filter(status="paid").order_by().values_list(gateway).annotate(sum=Sum("amount_minor"))
    charged = PayoutItem.objects.filter(payout__in=ended, kind=PayoutItemKind.FEE).order_by()
    fees = charged.values_list(f"payout__{gateway}").annotate(sum=Sum("net_minor"))
    for account, sums in ((accounts.BANK, paid), (accounts.FEES, [(name, -minor) for name, minor in fees])):
        for name, minor in sums:
            yield account, minor
            yield f"transit:{name}", -minor
