"""Closed periods of the journal: nothing that is recorded later changes them, and it says where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from partway.accounts.models import Organization
from partway.billing.documents import deposits, invoices
from partway.billing.documents.deposits import OfflineDeposit
from partway.billing.errors import Conflict, Invalid, Stale
from partway.billing.events import Actor
from partway.billing.journal import closing, entries
from partway.billing.journal.entries import Entry
from partway.billing.models import Closing, Customer, Event, Invoice, Refund
from partway.billing.people import organizations
from partway.billing.receivables import credit, offline_payments, refunds, settlements, write_offs
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.lib.clock import end_of_day, today
from partway.lib.money import Money
from tests.billing.journal.test_entries import check, deposit_of, edited, given_back, sent
from tests.support import personas
from tests.support.concurrency import meanwhile
from tests.support.days import DAY, NOW
from tests.support.journals import amounts, balances

CLOSED_AT = NOW - 25 * DAY


@pytest.fixture
def last(organization: Organization) -> date:
    """The last closed day: thirty days ago."""
    return today(NOW, organization.time_zone) - 30 * DAY


def close(organization: Organization, through: date, by: Actor, at: datetime = CLOSED_AT) -> Closing:
    return closing.close(organization, through=through, by=by, now=at)


def file(organization: Organization, until: date) -> list[Entry]:
    """All entries until this day."""
    found = entries.entries(organization, currency="USD", since=until - 60 * DAY, until=until)
    return list(found)


def moved(organization: Organization, last: date) -> list[tuple[str, int, int | None]]:
    """Each later entry: its kind, how many days after the closed ones it is, and how many it belongs before that."""
    found = entries.entries(organization, currency="USD", since=last + DAY, until=last + 60 * DAY)
    return [
        (one.kind, (one.day - last).days, (one.day - one.belongs_to).days if one.belongs_to else None)
        for one in found
    ]


def test_nothing_that_is_recorded_later_changes_a_closed_period(
    dana: Customer, alice: Actor, last: date
) -> None:
    organization = dana.organization
    paid, open_one, given_up = (sent(dana, alice, NOW - 50 * DAY) for _ in range(3))
    bounced = check(paid, 120_000, alice, NOW - 45 * DAY)
    write_offs.write_off(given_up, by=alice, now=NOW - 44 * DAY)
    settlements.settle(
        open_one, settlement=Settlement("fee", is_large_confirmed=True), by=alice, now=NOW - 43 * DAY
    )
    refund = OutsideRefund(Money(5_000, "USD"), "Cash", last - 5 * DAY)
    [mistake] = refunds.record(dana, refund=refund, payment=bounced, by=alice, now=NOW - 33 * DAY)
    quote = personas.accept_quote(personas.sent_quote(dana))
    close(organization, last, alice)
    before, rows = file(organization, last), balances(organization, "USD", last, last)

    at = NOW - 20 * DAY
    refunds.reverse(mistake, reason="A mistake.", by=alice, now=at)
    refunds.record(dana, refund=replace(refund, reference="2"), payment=bounced, by=alice, now=at)
    settlements.take_back(open_one.adjustments.get(), by=alice, now=at)
    check(open_one, 10_000, alice, at, paid=15)
    deposits.record_deposit(
        quote, deposit=OfflineDeposit("Cash", last, paid_before_issue=True), by=alice, now=at
    )
    edited(open_one, alice, at, 70_000)
    edited(paid, alice, at, 80_000)
    check(given_up, 10_000, alice, at, paid=28)
    write_offs.reopen(Invoice.objects.get(pk=given_up.pk), by=alice, now=at)
    credit.apply(given_up, amount=Money(5_000, "USD"), by=alice, now=at)
    invoices.void(sent(dana, alice, at), by=alice, now=NOW)
    personas.change_customer(dana)
    personas.change_organization(organization)
    invoices.correct_parties(
        Invoice.objects.get(pk=paid.pk),
        columns=("issued_by", "issued_to"),
        expected_version=Invoice.objects.get(pk=paid.pk).version,
        by=alice,
        now=NOW,
    )
    organization.refresh_from_db()
    assert file(organization, last) == before
    assert balances(organization, "USD", last, last) == rows
    late = dict.fromkeys(moved(organization, last))
    assert ("refund", 1, 6) in late
    assert ("deposit", 1, 1) in late
    assert [one[1:] for one in late if one[0] == "payment"][:2] == [(1, 6), (1, 19)]
    assert [was for kind, _, was in late if kind == "invoice_edited"] == [None]


def test_payment_recorded_late_is_booked_on_first_open_day_and_says_where_it_belongs(
    dana: Customer, alice: Actor, last: date
) -> None:
    invoice = sent(dana, alice, NOW - 50 * DAY)
    close(dana.organization, last, alice)
    payment = check(invoice, 40_000, alice, NOW - 20 * DAY, paid=15)
    [entry] = entries.entries(dana.organization, currency="USD", since=last + DAY, until=last + DAY)
    assert (entry.day, entry.belongs_to, entry.fact) == (last + DAY, last - 5 * DAY, payment.pk)
    assert amounts(entry) == {"mode:Check": 40_000, "receivables": -40_000}


def test_act_under_way_while_a_period_is_closed_is_booked_after_it(
    dana: Customer, alice: Actor, last: date
) -> None:
    invoice = sent(dana, alice, NOW - 50 * DAY)
    seen = check(invoice, 10_000, alice, CLOSED_AT - timedelta(minutes=1), paid=10)
    row = close(dana.organization, last, alice)
    assert seen.pk in row.included
    before = file(dana.organization, last)
    # Its moment is before that of the closing, its commit after it.
    late = check(invoice, 20_000, alice, CLOSED_AT - timedelta(minutes=2), paid=10)
    assert file(dana.organization, last) == before
    assert [entry.fact for entry in before] == [entry.fact for entry in before[:1]] + [seen.pk]
    [entry] = entries.entries(dana.organization, currency="USD", since=last + DAY, until=last + 9 * DAY)
    assert (entry.fact, entry.belongs_to) == (late.pk, late.paid_on)
    # A second closing sees what the first had seen.
    close_again = closing.close(
        dana.organization, through=last + DAY, expected=last, by=alice, now=CLOSED_AT + timedelta(minutes=1)
    )
    assert {seen.pk, late.pk} <= set(close_again.included)
    assert file(dana.organization, last) == before


@pytest.mark.django_db(transaction=True)
def test_closing_names_all_facts_of_an_act_or_none(dana: Customer, alice: Actor, last: date) -> None:
    invoice = sent(dana, alice, NOW - 50 * DAY)
    seen = check(invoice, 10_000, alice, NOW, paid=40)
    with meanwhile("billing_allocation", lambda: check(invoice, 20_000, alice, NOW, paid=40)):
        row = close(dana.organization, last, alice, NOW + timedelta(seconds=1))
    [of_seen] = seen.allocations.all()
    assert set(row.included) == {seen.pk, of_seen.pk}


def close_and_open(organization: Organization, last: date, by: Actor) -> None:
    close_more = {"through": last + DAY, "expected": last, "by": by, "now": CLOSED_AT + DAY}
    closing.close(organization, **close_more)
    reopening = {"since": last + DAY, "reason": "A check.", "expected": last + DAY}
    closing.reopen(organization, **reopening, by=by, now=CLOSED_AT + DAY)


def move(organization: Organization, by: Actor, zone: str) -> None:
    names = {"name": organization.name, "email": organization.email}
    profile = organizations.Profile(**names, time_zone=zone)
    organizations.change(organization, profile=profile, by=by, now=NOW)


def move_to_kiritimati(organization: Organization, last: date, by: Actor) -> None:
    move(organization, by, "Pacific/Kiritimati")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [close_and_open, move_to_kiritimati])
def test_closing_is_refused_once_days_are_others_than_it_read(
    organization: Organization, alice: Actor, last: date, act: Callable[[Organization, date, Actor], None]
) -> None:
    close(organization, last, alice)
    other = Organization.objects.get(pk=organization.pk)
    with meanwhile("billing_event", lambda: act(other, last, alice)), pytest.raises(Stale):
        closing.close(organization, through=last + 2 * DAY, expected=last, by=alice, now=NOW)


def test_refunds_of_a_closed_period_are_one_entry_of_the_first_open_day(
    dana: Customer, alice: Actor, last: date
) -> None:
    payment = check(sent(dana, alice, NOW - 50 * DAY), 60_000, alice, NOW - 45 * DAY)
    _, deposit = deposit_of(dana, alice, NOW - 44 * DAY)
    close(dana.organization, last, alice)
    before = file(dana.organization, last)
    given_back(payment, 20_000, alice, NOW - 20 * DAY, 15, reduces_invoice=True)
    given_back(deposit, 10_000, alice, NOW - 20 * DAY, 14)
    assert file(dana.organization, last) == before
    moved_here = entries.entries(dana.organization, currency="USD", since=last + DAY, until=last + 60 * DAY)
    assert [(entry.day, entry.belongs_to, amounts(entry)) for entry in moved_here] == [
        (last + DAY, last - 5 * DAY, {"adjustment:goodwill": 20_000, "mode:Cash": -20_000}),
        (last + DAY, last - 4 * DAY, {"deposits": 30_000, "credit": -20_000, "mode:Cash": -10_000}),
    ]


def test_refund_in_a_reopened_period_is_not_booked_before_its_payment(
    dana: Customer, alice: Actor, last: date
) -> None:
    organization, invoice = dana.organization, sent(dana, alice, NOW - 50 * DAY)
    close(organization, last, alice)
    payment = check(invoice, 60_000, alice, NOW - 20 * DAY, paid=20)
    closing.reopen(
        organization, since=last - 20 * DAY, reason="A check.", by=alice, now=NOW - 10 * DAY, expected=last
    )
    given_back(payment, 20_000, alice, NOW - 5 * DAY, 33)
    assert moved(organization, last) == [("payment", 1, 11), ("refund", 1, 9)]


def test_refund_taken_back_later_is_of_its_day_or_of_the_first_open_one(
    dana: Customer, alice: Actor, last: date
) -> None:
    organization = dana.organization
    payment, other = (check(sent(dana, alice, NOW - 50 * DAY), 120_000, alice, NOW - 45 * DAY) for _ in "ab")
    given_back(payment, 5_000, alice, NOW - 40 * DAY, 0)
    given_back(other, 5_000, alice, NOW - 29 * DAY, 0)
    close(organization, last, alice)
    before = file(organization, last)
    closed, open_one = Refund.objects.order_by("pk")
    for refund in (closed, open_one):
        refunds.reverse(refund, reason="A mistake.", by=alice, now=NOW - 14 * DAY)
    assert file(organization, last) == before
    assert moved(organization, last) == [
        ("refund", 1, None),
        ("refund_reversed", 1, 11),
        ("refund_reversed", 1, None),
    ]
    # Recorded while a period was closed, and taken back when that was open again: not before it was booked.
    given_back(payment, 5_000, alice, NOW - 13 * DAY, 22)
    closing.reopen(organization, since=last - 9 * DAY, reason="A mistake.", by=alice, now=NOW, expected=last)
    refunds.reverse(payment.refunds.get(status="succeeded"), reason="Not given.", by=alice, now=NOW)
    assert file(organization, last) == before


def test_reversal_under_way_while_a_period_is_closed_is_booked_after_it(dana: Customer, alice: Actor) -> None:
    organization, zone = dana.organization, dana.organization.time_zone
    yesterday = today(NOW, zone) - DAY
    midnight = end_of_day(yesterday, zone)
    seen = check(sent(dana, alice, NOW - 50 * DAY), 10_000, alice, midnight - timedelta(minutes=2))
    close(organization, yesterday, alice, midnight + timedelta(minutes=1))
    before = file(organization, yesterday)
    offline_payments.reverse(seen, reason="Bounced.", by=alice, now=midnight - timedelta(minutes=1))
    assert file(organization, yesterday) == before
    assert moved(organization, yesterday) == [("payment_reversed", 1, 1)]


def test_reopened_period_takes_what_is_recorded_from_then_on(
    dana: Customer, alice: Actor, last: date
) -> None:
    invoice = sent(dana, alice, NOW - 50 * DAY)
    close(dana.organization, last, alice)
    check(invoice, 10_000, alice, NOW - 20 * DAY, paid=15)
    # What was just recorded stays where it was moved, too.
    check(invoice, 5_000, alice, NOW - 10 * DAY - timedelta(minutes=1), paid=22)
    closing.reopen(
        dana.organization,
        since=last - 5 * DAY,
        reason="A check.",
        by=alice,
        now=NOW - 10 * DAY,
        expected=last,
    )
    check(invoice, 20_000, alice, NOW - 9 * DAY, paid=26)
    check(invoice, 30_000, alice, NOW - 8 * DAY, paid=30)
    days = [(last - one.day).days for one in file(dana.organization, last + DAY) if one.kind == "payment"]
    assert days == [5, 5, -1, -1]
    event = Event.objects.get(type="organization.journal_reopened")
    assert (event.data["reason"], event.data["before"]) == ("A check.", last.isoformat())


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_closed_days_are_those_of_the_time_zone_then(
    dana: Customer, alice: Actor, last: date, zone: str
) -> None:
    organization = dana.organization
    # The last closed day ends hours earlier in Kiritimati, and begins hours later in Pago Pago.
    for hour in range(0, 24, 6):
        sent(dana, alice, end_of_day(last, organization.time_zone) - timedelta(hours=hour, minutes=1))
    close(organization, last, alice)
    before, rows = file(organization, last), balances(organization, "USD", last, last)
    move(organization, alice, zone)
    assert len(before) == 4
    assert file(organization, last) == before
    assert balances(organization, "USD", last, last) == rows


def test_closing_is_refused(organization: Organization, alice: Actor, last: date) -> None:
    with pytest.raises(Conflict):
        closing.reopen(organization, since=last, reason="Why.", by=alice, now=NOW)
    with pytest.raises(Invalid):
        close(organization, today(NOW, organization.time_zone), alice, NOW)
    first = close(organization, last, alice)
    assert close(organization, last, alice, NOW) == first
    with pytest.raises(Stale):
        close(organization, last + DAY, alice, NOW)
    with pytest.raises(Invalid):
        closing.close(organization, through=last - DAY, expected=last, by=alice, now=NOW)
    with pytest.raises(Stale):
        closing.reopen(organization, since=last, reason="Why.", by=alice, now=NOW)
    with pytest.raises(Invalid) as refused:
        closing.reopen(organization, since=last + DAY, reason=" ", expected=last, by=alice, now=NOW)
    assert set(refused.value.fields) == {"since", "reason"}
    reopened = closing.reopen(organization, since=last, reason="Why.", expected=last, by=alice, now=NOW)
    assert reopened.through == last - DAY
    assert (
        Closing.objects.count() - 1 == Event.objects.filter(type="organization.journal_closed").count() == 1
    )
