"""Holds the journal against the books: balanced on each day, its receivables the list of open invoices of that day."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from partway.accounts.models import Organization
from partway.billing.journal import entries
from partway.billing.journal.entries import AccountBalance, Entry
from partway.billing.models import Adjustment, Allocation, Closing, Event, Invoice, Payment
from partway.lib.clock import now, today

DAY = timedelta(days=1)
STATUSES = ("invoice.sent", "invoice.voided", "invoice.written_off", "invoice.reopened", "invoice.paid")


def check_journal(organization: Organization, *, days: int, at: datetime | None = None) -> None:
    """Checks the journal of each currency on each of the last `days` days before `at`, or now.

    Knows nothing of acts that are under way while the journal is closed, in the five minutes before that.
    """
    last = today(at or now(), organization.time_zone)
    since = last - days * DAY
    for currency in entries.currencies(organization):
        booked = list(entries.entries(organization, currency=currency, since=since, until=last))
        assert [entry.number for entry in booked] == sorted({entry.number for entry in booked})
        for entry in booked:
            assert sum(amounts(entry).values()) == 0, entry
        invoices = Invoice.objects.for_organization(organization).filter(currency=currency)
        closings = list(organization.closings.order_by("created_at", "id"))
        open_invoices = [_due_by_day(one, closings) for one in invoices.filter(sent_at__isnull=False)]
        standing = Counter(
            {
                key: row.opening.amount_minor
                for key, row in balances(organization, currency, since, since).items()
            }
        )
        # On the days between nothing changes.
        for day in sorted({since, *(entry.day for entry in booked), last}):
            rows = balances(organization, currency, day, day)
            assert sum(row.closing.amount_minor for row in rows.values()) == 0, day
            for liability in ("credit", "deposits", "refunds_under_way"):
                assert closing(rows, liability) <= 0, (liability, day)
            debits: Counter[str] = Counter()
            credits_: Counter[str] = Counter()
            for entry in (entry for entry in booked if entry.day == day):
                debits.update({key: minor for key, minor in amounts(entry).items() if minor > 0})
                credits_.update({key: -minor for key, minor in amounts(entry).items() if minor < 0})
                standing.update(amounts(entry))
            assert +Counter({key: row.debit.amount_minor for key, row in rows.items()}) == debits, day
            assert +Counter({key: row.credit.amount_minor for key, row in rows.items()}) == credits_, day
            # The sum of the entries until then, and not only of what is stored.
            stands = {key: row.closing.amount_minor for key, row in rows.items() if row.closing}
            assert stands == {key: minor for key, minor in standing.items() if minor}, day
            due = sum(due for by_day in open_invoices for on, due in by_day.items() if on <= day)
            assert closing(rows, "receivables") == due, day
        assert closing(rows, "receivables") == sum(one.amount_due_minor for one in invoices.due())
        received = Payment.objects.for_organization(organization).succeeded()
        of_currency = received.filter(captured_currency=currency)
        kept, waiting = of_currency.without_waiting_deposits(), of_currency.waiting_deposits()
        assert -closing(rows, "credit") == sum(one.unallocated_minor for one in kept)
        assert -closing(rows, "deposits") == sum(one.unallocated_minor for one in waiting)


def balances(
    organization: Organization, currency: str, since: date, until: date
) -> dict[str, AccountBalance]:
    """The trial balance by the key of each account."""
    rows = entries.trial_balance(organization, currency=currency, since=since, until=until)
    return {row.account: row for row in rows}


def closing(rows: dict[str, AccountBalance], key: str) -> int:
    """The closing balance of an account in minor units, debit positive."""
    return rows[key].closing.amount_minor if key in rows else 0


def amounts(entry: Entry) -> dict[str, int]:
    """The amounts of an entry in minor units by account, debit positive."""
    return {
        line.account: line.debit.amount_minor if line.debit else -line.credit.amount_minor  # type: ignore[union-attr]
        for line in entry.lines
    }


def _due_by_day(invoice: Invoice, closings: list[Closing]) -> Counter[date]:
    """The changes of what is due on an invoice by day, computed from its rows one after the other."""
    zone, total, settled, status = invoice.organization.time_zone, 0, 0, "draft"
    rows = [
        *Event.objects.filter(invoice=invoice, type__in=(*STATUSES, "invoice.edited")),
        *Allocation.objects.filter(invoice=invoice),
        *Adjustment.objects.filter(invoice=invoice),
    ]
    added: Counter[date] = Counter()
    paid: Counter[date] = Counter()
    typed: tuple[datetime, date] | None = (
        None  # the moment of the last payment or refund, and the day it is put on
    )
    for row in sorted(rows, key=lambda row: (row.created_at, row.pk.partition("_")[2])):
        closed = [one.through for one in closings if one.created_at <= row.created_at]
        first_open = closed[-1] + DAY if closed else date.min
        day = recorded = max(today(row.created_at, zone), first_open)
        before = paid.copy()
        if isinstance(row, Event) and row.type == "invoice.edited":
            total = row.data["total_minor"]
        elif isinstance(row, Event):
            total, status = row.data.get("total_minor", total), row.data["to"]
        elif isinstance(row, Adjustment):
            settled += row.amount_minor
            if typed and typed[0] == row.created_at:
                day = max(typed[1], first_open)
                day = _first_that_fits(added, before, day, recorded, row.amount_minor, status)
        else:
            if row.cause == "payment":
                day = row.payment.paid_on or recorded
            if row.cause == "refunded" and row.refund.mode == "offline":
                day = row.refund.refunded_on
            day = max(day, first_open)
            day = _first_that_fits(added, before, day, recorded, row.amount_minor, status)
            paid[day] += row.amount_minor
            typed = row.created_at, day
        if status in ("draft", "void", "written_off"):
            added[day] -= added.total()
        else:
            added[day] += total - paid.total() - settled - added.total()
    return added


def _first_that_fits(
    added: Counter[date], paid: Counter[date], day: date, recorded: date, minor: int, status: str
) -> date:
    """The first day on which an allocation leaves no less than nothing due, and a refund no less than nothing paid."""
    while day < recorded:
        later = {day, *(on for on in (*added, *paid) if on > day)}
        room = added if minor > 0 else paid
        left = [sum(each for on, each in room.items() if on <= then) - abs(minor) for then in later]
        if status != "written_off" and min(left) >= 0:
            return day
        day += DAY
    return recorded
