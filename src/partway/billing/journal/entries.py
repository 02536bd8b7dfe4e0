"""The entries of a period, and what stands on each account before and after it: the sums of the changes of facts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TypeVar

from django.db.models import Min, Q

from partway.accounts.models import Organization
from partway.lib import clock
from partway.lib.money import Money

from ..models import Allocation, Dispute, Event, Invoice, Party, Payment, Payout, Refund
from ..models.payments import RECEIVED_STATUSES
from . import disputes, fees, invoices, payments, payouts, refunds
from .accounts import in_order
from .calendar import ZONE_SLACK, Calendar
from .changes import Change

DAY = timedelta(days=1)

_PART = 1_000  # documents that are replayed at once
_FIRST_WINDOW, _LONGEST_WINDOW = 7, 31  # days

# What an entry is called where an act has changes of several kinds: the first of these. All others come after them.
_LEADING_KINDS = (
    *("invoice_sent", "invoice_edited", "invoice_voided", "deposit", "payment_reversed"),
    *(
        "dispute_lost",
        "dispute_won",
        "refund_failed",
        "refund_reversed",
        "refund",
        "refund_started",
        "payment",
    ),
)

_RANK = {kind: position for position, kind in enumerate(_LEADING_KINDS)}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Documents:
    """The ids of the rows whose facts are replayed."""

    invoices: Iterable[str]
    payments: Iterable[str]
    payouts: Iterable[str]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line: the key of an account, and its debit or its credit."""

    account: str
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, balanced: its debits add up to its credits.

    count: its place among the entries of its day and currency, from 1. fact: the id of what it follows from.
    `belongs_to` is the day on which it happened, where that was closed when it was recorded; `day` is the first open
    one then.
    """

    day: date
    currency: str
    count: int
    kind: str
    detail: str
    fact: str
    document: tuple[str, str]
    document_number: str
    customer: str
    customer_name: str
    lines: tuple[EntryLine, ...]
    belongs_to: date | None = None

    @property
    def number(self) -> str:
        """The day, the currency and the count, as 20261130-USD-001: each number is of one entry only."""
        return f"{self.day:%Y%m%d}-{self.currency}-{self.count:03}"


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account before, in and after a period; a balance is positive where it is debit."""

    account: str
    opening: Money
    debit: Money
    credit: Money
    closing: Money


def currencies(organization: Organization) -> list[str]:
    """Returns the currencies of the books, in order; the organization's where nothing was booked."""
    issued = Invoice.objects.for_organization(organization).filter(sent_at__isnull=False)
    received = Payment.objects.for_organization(organization).filter(status__in=RECEIVED_STATUSES)
    used = {
        *issued.values_list("currency", flat=True).distinct(),
        *received.values_list("captured_currency", flat=True).distinct(),
    }
    # A gateway may pay out in a currency in which nothing was invoiced or paid.
    arrived = Payout.objects.for_organization(organization).exclude(status="pending")
    used |= set(arrived.values_list("currency", flat=True).distinct())
    for charged in (Payment, Refund, Dispute):
        with_fee = charged.objects.for_organization(organization).exclude(fee_currency="")
        used |= set(with_fee.values_list("fee_currency", flat=True).distinct())
    return sorted(used) or [organization.currency]


def entries(organization: Organization, *, currency: str, since: date, until: date) -> Iterator[Entry]:
    """Yields the entries that are booked on the days from `since` to `until`, both included, in their order.

    Reads the documents that were changed in the period, in windows of days, and of them all facts.
    """
    calendar = Calendar.of(organization)
    # No window is read for days before the first fact and after today.
    since, until = max(since, _first_day(organization)), min(until, clock.now().date() + ZONE_SLACK)
    days = _FIRST_WINDOW
    while since <= until:
        last = min(until, since + timedelta(days=days - 1))
        touched = _touched(organization, calendar, since, last)
        of_window = [
            change
            for change in _changes(touched, calendar)
            if since <= change.day <= last and change.currency == currency
        ]
        yield from _grouped(of_window, currency)
        since, days = last + timedelta(days=1), min(2 * days, _LONGEST_WINDOW)


def _first_day(organization: Organization) -> date:
    """Returns a day before which nothing is booked; the last possible one where there is no fact at all."""
    firsts = ((Event, "created_at"), (Payment, "paid_on"), (Refund, "refunded_on"), (Payout, "arrives_on"))
    found = (
        model._default_manager.filter(organization=organization).aggregate(first=Min(column))["first"]
        for model, column in firsts
    )
    # The time of the first event becomes a day here: the database would do that with each of its rows before.
    days = (first.date() if isinstance(first, datetime) else first for first in found if first)
    return min((day - ZONE_SLACK for day in days), default=date.max)


def trial_balance(
    organization: Organization, *, currency: str, since: date, until: date
) -> list[AccountBalance]:
    """Returns each account that something stands on, or that changes in the period, in order.

    The sum of all balances is zero on every day. Takes what stands now, and goes back from there by the changes since:
    it reads the documents that were changed since the period began.
    """
    since, closing = max(since, _first_day(organization)), standing(organization, currency)
    debit: dict[str, int] = defaultdict(int)
    credit: dict[str, int] = defaultdict(int)
    # By act, as entries are: what only passes through an account within one is neither debit nor credit of it.
    moved: dict[tuple[date, datetime, str, str], int] = defaultdict(int)
    calendar, begin = Calendar.of(organization), clock.end_of_day(since - DAY, organization.time_zone)
    # Nothing is booked later than on the day after the one on which it was recorded.
    recorded = _recorded(organization, Q(created_at__gte=begin - ZONE_SLACK))
    for change in _changes(_with_invoices(recorded), calendar):
        if change.currency == currency and change.day >= since:
            for key, minor in change.amounts.items():
                if change.day > until:
                    closing[key] -= minor
                else:
                    moved[change.day, change.at, change.act, key] += minor
    for (*_, key), minor in moved.items():
        debit[key] += max(minor, 0)
        credit[key] += max(-minor, 0)
    used = {key for sums in (closing, debit, credit) for key, minor in sums.items() if minor}
    return [
        AccountBalance(
            key,
            Money(closing[key] - debit[key] + credit[key], currency),
            Money(debit[key], currency),
            Money(credit[key], currency),
            Money(closing[key], currency),
        )
        for key in in_order(used)
    ]


def standing(organization: Organization, currency: str) -> Counter[str]:
    """Returns what stands on each account now, from what is stored of each kind of fact; the sum is zero."""
    sums: Counter[str] = Counter()
    for facts in (invoices, payments, refunds, disputes, fees, payouts):
        for key, minor in facts.standing(organization, currency):
            sums[key] += minor
    return sums


def recent_facts(organization: Organization, calendar: Calendar, since: datetime, through: date) -> list[str]:
    """Returns the ids of the facts that were recorded from this moment on and are booked up to this day."""
    recorded = _with_invoices(_recorded(organization, Q(created_at__gte=since)))
    found = _changes(recorded, calendar)
    return sorted({change.fact for change in found if change.at >= since and change.day <= through})


def _changes(documents: Documents, calendar: Calendar) -> Iterator[Change]:
    """Yields every change by these documents; a new kind of fact is one more function here."""
    for part in _parts(documents.invoices):
        yield from invoices.changes(part, calendar)
    for part in _parts(documents.payments):
        found = payments.by_id(part)
        for facts in (payments, refunds, disputes, fees):
            yield from facts.changes(found, calendar)
    for part in _parts(documents.payouts):
        yield from payouts.changes(part, calendar)


def _parts(rows: Iterable[T]) -> Iterator[list[T]]:
    part: list[T] = []
    for row in rows:
        part.append(row)
        if len(part) == _PART:
            yield part
            part = []
    if part:
        yield part


def _touched(organization: Organization, calendar: Calendar, since: date, until: date) -> Documents:
    """Returns the documents of which a fact can be booked in these days."""
    begin = clock.end_of_day(since - DAY, organization.time_zone) - ZONE_SLACK
    end = clock.end_of_day(until, organization.time_zone) + ZONE_SLACK
    found = _recorded(organization, Q(created_at__gte=begin, created_at__lt=end))
    # What was recorded later with an earlier day; where such a day was closed, from any day before.
    moved_here = any(since <= one.through + timedelta(days=1) <= until for one in calendar.closings)
    first = date.min if moved_here else since
    later = {"organization": organization, "created_at__gte": end}
    paid = Payment.objects.filter(paid_on__range=(first, until), **later)
    # What was given back by mistake was not from its day on, whenever that was found.
    given_back = Refund.objects.filter(
        Q(status="reversed") | Q(created_at__gte=end), organization=organization
    )
    given_back = given_back.filter(mode="offline", refunded_on__range=(first, until))
    # Of a payout only its first report is that old; there are few.
    arrived = Payout.objects.filter(organization=organization, arrives_on__range=(first, until))
    payment_ids = {
        *found.payments,
        *paid.values_list("pk", flat=True),
        *given_back.values_list("payment", flat=True),
    }
    payout_ids = {*found.payouts, *arrived.values_list("pk", flat=True)}
    return _with_invoices(Documents(found.invoices, payment_ids, payout_ids))


def _with_invoices(documents: Documents) -> Documents:
    """Returns these documents, and the invoices that their payments are on.

    A payment or a refund that was recorded changes every invoice that it is on, and that by an allocation only.
    """
    invoice_ids = set(documents.invoices)
    for part in _parts(documents.payments):
        invoice_ids |= set(Allocation.objects.filter(payment__in=part).values_list("invoice", flat=True))
    return Documents(invoice_ids, documents.payments, documents.payouts)


def _recorded(organization: Organization, when: Q) -> Documents:
    """Returns the documents that have an event of this time."""
    recorded = Event.objects.for_organization(organization).filter(when)
    invoice_ids, payment_ids, payout_ids = (
        set(recorded.filter(**{f"{noun}__isnull": False}).values_list(noun, flat=True).distinct())
        for noun in ("invoice", "payment", "payout")
    )
    # An invoice that takes a deposit ends it: what it does not need is credit, by a change of the payment.
    for part in _parts(invoice_ids):
        taken = Allocation.objects.filter(invoice__in=part, cause="deposit")
        payment_ids |= set(taken.values_list("payment", flat=True))
    return Documents(invoice_ids, payment_ids, payout_ids)


def _grouped(changes: Collection[Change], currency: str) -> Iterator[Entry]:
    """Yields one entry for the changes of each act, numbered within their day."""
    names = dict(Party.objects.filter(pk__in={change.party for change in changes}).values_list("pk", "name"))
    in_time = sorted(changes, key=lambda change: (change.day, change.at, change.act))
    for _, of_day in groupby(in_time, key=lambda change: change.day):
        acts = (list(of_act) for _, of_act in groupby(of_day, key=lambda change: (change.at, change.act)))
        booked = [(act, lines) for act in acts if (lines := _lines(act, currency))]
        for count, (act, lines) in enumerate(booked, 1):
            # The change that the entry is called after and refers to.
            first = min(
                act,
                key=lambda change: (
                    _RANK.get(change.kind, len(_RANK)),
                    change.fact != change.act,
                    change.fact,
                ),
            )
            happened_on = min(change.happened_on for change in act)
            yield Entry(
                day=first.day,
                currency=currency,
                count=count,
                kind=first.kind,
                detail=first.detail,
                fact=first.fact,
                document=first.document,
                document_number=first.number,
                customer=first.customer,
                customer_name=names.get(first.party, ""),
                lines=lines,
                belongs_to=happened_on if happened_on < first.day else None,
            )


def _lines(act: Collection[Change], currency: str) -> tuple[EntryLine, ...]:
    """Returns the debits of an act, then its credits; an account that nets to zero has no line."""
    sums: dict[str, int] = defaultdict(int)
    for change in act:
        for key, minor in change.amounts.items():
            sums[key] += minor
    keys = [key for key in in_order(sums) if sums[key]]
    debits = [EntryLine(key, Money(sums[key], currency), None) for key in keys if sums[key] > 0]
    credits_ = [EntryLine(key, None, Money(-sums[key], currency)) for key in keys if sums[key] < 0]
    return (*debits, *credits_)
