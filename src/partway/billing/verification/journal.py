"""Checks that the journal, replayed from the facts, is balanced and ends at the stored amounts (DESIGN M2, M3, M6).

Each invoice and each payment is checked on its own: the trial balance is the sum of them, so that it is zero, and its
receivables are the list of open invoices, on every day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import chain, groupby, pairwise, product

from django.db.models import Exists, OuterRef, Q, Sum

from partway.accounts.models import Organization

from ..journal import accounts, disputes, fees, invoices, payments, refunds
from ..journal.calendar import Calendar
from ..journal.changes import Change
from ..models import Allocation, Closing, Dispute, Invoice, Payment, Refund
from ..models.payments import RECEIVED_STATUSES
from .checks import Findings, Rows, TableCheck, check, has_event, no_rows_where

_PART = 1_000
_DAY = timedelta(days=1)


def _wrong_invoices(rows: Rows) -> Findings:
    """Replays the invoices that were ever sent: what is due on each day, and in the end what is stored."""
    sent = rows.filter(sent_at__isnull=False)
    for calendar, part in _by_organization(sent.values_list("organization", "pk")):
        stored = Invoice.objects.in_bulk(part)
        replayed: dict[str, list[Change]] = defaultdict(list)
        for change in invoices.changes(part, calendar):
            replayed[change.of].append(change)
        deposits = _taken_deposits("invoice", part)
        for pk, invoice in stored.items():
            found, taken = replayed[pk], deposits[pk]
            expected = {
                accounts.RECEIVABLES: invoice.amount_due_minor if invoice.status == "sent" else 0,
                accounts.WRITE_OFFS: invoice.amount_due_minor if invoice.status == "written_off" else 0,
                accounts.DEPOSITS: taken,
                accounts.CREDIT: invoice.amount_paid_minor - taken,
            }
            yield from _unbalanced(found)
            for account, minor in expected.items():
                if _sum(found, account) != minor:
                    yield pk, f"{minor} is on {account}, the journal says {_sum(found, account)}"
            for day, standing in _by_day(found, accounts.RECEIVABLES):
                if standing < 0:
                    yield pk, f"the journal says that {standing} is due on {day}"


def _wrong_payments(rows: Rows) -> Findings:
    """Replays the payments that came in: what no invoice has of them is credit, or a deposit that waits."""
    # A payment of an invoice of which nothing went back has one change, or two that cancel each other.
    went_back = [Exists(rows_of.objects.filter(payment=OuterRef("pk"))) for rows_of in (Refund, Dispute)]
    is_replayed = Q(quote__isnull=False) | Q(*went_back, _connector=Q.OR)
    received = rows.filter(is_replayed, status__in=RECEIVED_STATUSES)
    for calendar, part in _by_organization(received.values_list("organization", "pk")):
        replayed: dict[str, list[Change]] = defaultdict(list)
        known = payments.by_id(part)
        for facts in (payments, refunds, disputes, fees):
            for change in facts.changes(known, calendar):
                replayed[change.of].append(change)
        deposits = _taken_deposits("payment", part)
        waiting = set(Payment.objects.waiting_deposits().filter(pk__in=part).values_list("pk", flat=True))
        pending = Refund.objects.pending().filter(payment__in=part).values_list("payment")
        under_way = dict(pending.annotate(sum=Sum("amount_minor")))
        for payment in Payment.objects.filter(pk__in=part):
            found = replayed[payment.pk]
            yield from _unbalanced(found)
            left = payment.unallocated_minor if payment.status == "succeeded" else 0
            kept = left if payment.pk in waiting else 0
            deposit = -_sum(found, accounts.DEPOSITS) - deposits[payment.pk]
            credit = -_sum(found, accounts.CREDIT) - payment.allocated_minor + deposits[payment.pk]
            if (deposit, credit) != (kept, left - kept):
                yield (
                    payment.pk,
                    f"{left - kept} is credit and {kept} waits, the journal says {credit} and {deposit}",
                )
            sent = -_sum(found, accounts.REFUNDS_UNDER_WAY)
            if sent != under_way.get(payment.pk, 0):
                yield payment.pk, f"{under_way.get(payment.pk, 0)} is under way back, the journal says {sent}"


def _overdrawn_payments(rows: Rows) -> Findings:
    """Replays the payments of which money was given back by hand, for which a member typed the day."""
    given_back = Refund.objects.filter(mode="offline").values("payment")
    for calendar, part in _by_organization(rows.filter(pk__in=given_back).values_list("organization", "pk")):
        allocated = Allocation.objects.filter(payment__in=part)
        payment_of = dict(allocated.values_list("pk", "payment"))
        on_invoices = invoices.changes(set(allocated.values_list("invoice", flat=True)), calendar)
        replayed: dict[str, list[Change]] = defaultdict(list)
        known = payments.by_id(part)
        for change in chain(
            *(facts.changes(known, calendar) for facts in (payments, refunds, disputes)),
            (one for one in on_invoices if one.fact in payment_of),
        ):
            replayed[payment_of.get(change.fact, change.of)].append(change)
        for pk, account in product(replayed, (accounts.CREDIT, accounts.DEPOSITS)):
            days = [*_by_day(replayed[pk], account), (date.max, 0)]
            for (day, standing), (next_day, _) in pairwise(days):
                # An act takes its moment before it waits for a lock: around midnight one that rests on another can be
                # of the day before.
                if standing > 0 and next_day > day + _DAY:
                    yield pk, f"the journal says that {-standing} is on {account} on {day}"


def _by_day(found: Iterable[Change], account: str) -> Iterator[tuple[date, int]]:
    """Yields each day on which something is booked, with what is on the account at its end."""
    standing = 0
    for day, of_day in groupby(sorted(found, key=lambda one: one.day), key=lambda one: one.day):
        standing += _sum(of_day, account)
        yield day, standing


def _taken_deposits(noun: str, part: list[str]) -> dict[str, int]:
    """Returns how much of a deposit each of these invoices, or payments, was allocated as such."""
    taken: dict[str, int] = defaultdict(int)
    rows = Allocation.objects.filter(**{f"{noun}__in": part}, cause="deposit")
    for pk, minor in rows.values_list(noun, "amount_minor"):
        taken[pk] += minor
    return taken


def _by_organization(rows: Rows) -> Iterator[tuple[Calendar, list[str]]]:
    """Yields the ids in parts of one organization, each with its calendar."""
    ids: dict[str, list[str]] = defaultdict(list)
    for organization, pk in rows.order_by("pk"):
        ids[organization].append(pk)
    for organization in Organization.objects.filter(pk__in=ids):
        calendar, of_one = Calendar.of(organization), ids[organization.pk]
        for start in range(0, len(of_one), _PART):
            yield calendar, of_one[start : start + _PART]


def _unbalanced(found: list[Change]) -> Findings:
    for change in found:
        if rest := sum(change.amounts.values()):
            yield change.fact, f"its entry of {change.day} is off by {rest}"


def _sum(found: Iterable[Change], key: str) -> int:
    return sum(change.amounts.get(key, 0) for change in found)


CHECKS = (
    check(
        "M6",
        "the journal is balanced, and its receivables are what is due on the invoices, on every day",
        TableCheck(Invoice, _wrong_invoices),
    ),
    check(
        "M6",
        "the journal's credit and deposits are what no invoice has of the payments, and its refunds those under way",
        TableCheck(Payment, _wrong_payments),
    ),
    check(
        "M6",
        "no credit and no deposit was given back before it was there: neither is below zero on any day",
        TableCheck(Payment, _overdrawn_payments),
    ),
    check(
        "M6",
        "each closing of the journal has the event that says so",
        no_rows_where(
            Closing,
            ~has_event(
                "organization",
                "organization.journal_closed",
                "organization.journal_reopened",
                of="organization",
                at="created_at",
                data_columns={"closing": "pk"},
            ),
            "closed through {through}, which no event says",
        ),
    ),
)
