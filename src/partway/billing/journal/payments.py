"""The changes of the books by payments: money that came in, as credit or deposit, and offline ones that bounced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from django.db.models import F, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from partway.accounts.models import Organization

from ..models import Allocation, Event, Payment
from ..models.payments import RECEIVED_STATUSES
from . import accounts
from .calendar import Calendar
from .changes import Change, PaymentFacts, Sums, of_payment


def by_id(payments: Iterable[str]) -> dict[str, PaymentFacts]:
    """Returns these payments by their ids, in order."""
    columns: tuple[str | Combinable, ...] = (
        *("pk", "status", "accepted", "method", F("gateway_account__gateway"), "captured_minor"),
        *("captured_currency", "paid_on", Coalesce("settled_at", "created_at"), "invoice", "quote"),
        *(Coalesce(f"invoice__{column}", f"quote__{column}") for column in ("number", "customer")),
        Coalesce("issued_to", "invoice__issued_to", "quote__issued_to"),
    )
    rows = Payment.objects.filter(pk__in=list(payments)).order_by("pk").values_list(*columns)
    return {row[0]: PaymentFacts(*row) for row in rows}


def changes(payments: Mapping[str, PaymentFacts], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by these payments: all of it is the customer's credit or a deposit.

    What is allocated of it changes the books by the invoice, in the same entry where it is one act.
    """
    ends = ends_of_deposits(payments)
    bounced_ones = [pk for pk, payment in payments.items() if payment.status == "reversed"]
    reversed_by = Event.objects.filter(type="payment.reversed", payment__in=bounced_ones)
    reversals = {event.payment_id: event for event in reversed_by.order_by("pk")}
    for payment in payments.values():
        if payment.status not in RECEIVED_STATUSES:
            continue
        captured = payment.captured_minor or 0
        kind, liability = (
            ("deposit", accounts.DEPOSITS)
            if payment.quote and payment.accepted
            else ("payment", accounts.CREDIT)
        )
        received = {payment.money: captured, liability: -captured}
        change_of = partial(of_payment, payment, calendar)
        # The day that a member typed is that of the receipt, and of nothing that comes after it.
        changes_of = [
            change_of(
                received,
                at=payment.at,
                kind=kind,
                fact=payment.pk,
                act=payment.pk,
                happened_on=payment.paid_on,
            )
        ]
        if end := ends.get(payment.pk):
            # What no invoice took of it when it ended is credit.
            rest, liability = captured - end.taken_minor, accounts.CREDIT
            ended = {accounts.DEPOSITS: rest, accounts.CREDIT: -rest}
            changes_of.append(
                change_of(
                    ended,
                    at=end.at,
                    kind="deposit_applied",
                    fact=end.fact,
                    act=end.act,
                    happened_on=end.happened_on,
                )
            )
        if bounced := reversals.get(payment.pk):
            taken_back = {payment.money: -captured, liability: captured}
            changes_of.append(
                change_of(
                    taken_back,
                    at=bounced.created_at,
                    kind="payment_reversed",
                    fact=bounced.pk,
                    act=payment.pk,
                )
            )
        yield from (replace(change, detail=payment.method) for change in changes_of)


def standing(organization: Organization, currency: str) -> Sums:
    """Yields what came in by payments, and as credit and deposits what of it is on no invoice and did not go back."""
    received = Payment.objects.for_organization(organization).succeeded().filter(captured_currency=currency)
    by_way = received.order_by().values_list("gateway_account__gateway", "method")
    for gateway, method, minor in by_way.annotate(sum=Sum("captured_minor")):
        yield f"transit:{gateway}" if gateway else f"mode:{method}", minor
    unallocated = Sum(
        F("captured_minor") - F("refunded_minor") - F("lost_minor") - F("allocated_minor"), default=0
    )
    waiting = received.filter(quote__isnull=False).waiting_deposits()
    deposits, left = (rows.aggregate(sum=unallocated)["sum"] for rows in (waiting, received))
    yield accounts.DEPOSITS, -deposits
    yield accounts.CREDIT, deposits - left


@dataclass(frozen=True, slots=True)
class DepositEnd:
    """The act by which a deposit waits no more: an invoice took so much of it, or money of it went back.

    `happened_on` is the day that a member typed for a refund by hand.
    """

    at: datetime
    fact: str
    act: str
    taken_minor: int = 0
    happened_on: date | None = None

    def day(self, calendar: Calendar) -> date:
        """Returns the day on which it is booked."""
        return calendar.booking_day(self.happened_on or calendar.day(self.at), self.at, self.fact)


def ends_of_deposits(payments: Collection[str]) -> dict[str, DepositEnd]:
    """Returns the end of each of these payments that was a deposit and is none any more (DESIGN D2)."""
    # By a refund or a lost dispute. An invoice takes no deposit after that, so where one has, that was the end: an act
    # takes its time before it waits for the lock, and one that is lost after the sending can have the earlier time.
    of_deposits = Event.objects.filter(payment__in=payments, payment__quote__isnull=False)
    ended = of_deposits.filter(data__ends_deposit=True).order_by("-created_at")
    ends = {}
    for event in ended:
        typed = date.fromisoformat(event.data["refunded_on"]) if "refunded_on" in event.data else None
        act = event.data.get("refund") or event.data["dispute"]
        ends[event.payment_id or ""] = DepositEnd(event.created_at, event.pk, act, happened_on=typed)
    taken = Allocation.objects.filter(payment__in=payments, cause="deposit")
    columns = taken.values_list("payment", "created_at", "pk", "amount_minor")
    return ends | {payment: DepositEnd(at, pk, payment, minor) for payment, at, pk, minor in columns}
