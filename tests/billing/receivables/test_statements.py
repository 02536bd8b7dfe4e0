"""The statement of account: its closing balance is what the books say, on every day, whatever happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from partway.accounts.models import Organization
from partway.billing.documents import invoices, quotes
from partway.billing.documents.drafts import LineDraft
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice
from partway.billing.receivables import credit, offline_payments, refunds, settlements, statements, write_offs
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.billing.receivables.statements import Statement
from partway.lib.clock import now, today
from partway.lib.money import Money
from tests.support import personas
from tests.support.accounts import check_statements
from tests.support.days import DAY, NOW


@pytest.fixture
def today_(organization: Organization) -> date:
    """Today, where the organization is."""
    return today(NOW, organization.time_zone)


def _statement(customer: Customer, first: int = 60, last: int = 0, currency: str = "USD") -> Statement:
    """The statement from `first` days ago to `last` days ago."""
    ends = today(NOW, customer.organization.time_zone)
    period = {"since": ends - first * DAY, "until": ends - last * DAY}
    return statements.statement(customer, currency=currency, now=NOW, **period)


def _rows(statement: Statement) -> list[tuple[str, int, int]]:
    return [(one.kind, one.amount_minor, one.balance_minor) for one in statement.movements]


def _sent(customer: Customer, by: Actor, at: datetime, total_minor: int = 100_000) -> Invoice:
    """An invoice that was sent at this time, due ten days later."""
    line = LineDraft("Oak staircase", Decimal(1), total_minor, Decimal(0))
    due_on = today(at, customer.organization.time_zone) + 10 * DAY
    draft = invoices.InvoiceDraft(customer=customer, currency="USD", due_on=due_on, lines=(line,))
    made = invoices.create(customer.organization, draft=draft, by=by, now=at)
    # A draft that is edited before it is sent is no movement.
    lower = replace(draft, lines=(replace(line, unit_amount_minor=total_minor - 1),))
    made = invoices.edit(made, draft=lower, expected_version=made.version, by=by, now=at)
    made = invoices.edit(made, draft=draft, expected_version=made.version, by=by, now=at)
    return invoices.send(made, by=by, now=at)


def _check(invoice: Invoice, minor: int, by: Actor, at: datetime, **changes: object) -> object:
    typed = {"keep_rest_as_credit": True, "paid_before_issue": True, "method": "Check", **changes}
    typed.setdefault("paid_on", today(at, invoice.organization.time_zone))
    offline = OfflinePayment(amount=Money(minor, "USD"), **typed)  # type: ignore[arg-type]
    return offline_payments.record(invoice, offline=offline, by=by, now=at)


def test_life_of_an_invoice_with_running_balance(dana: Customer, alice: Actor) -> None:
    invoice = _sent(dana, alice, NOW - 30 * DAY)
    line = LineDraft("Oak staircase", Decimal(1), 90_000, Decimal(0))
    draft = invoices.InvoiceDraft(customer=dana, currency="USD", due_on=invoice.due_on, lines=(line,))
    invoices.edit(invoice, draft=draft, expected_version=invoice.version, by=alice, now=NOW - 25 * DAY)
    check = _check(invoice, 40_000, alice, NOW - 20 * DAY)
    offline_payments.reverse(check, reason="Bounced.", by=alice, now=NOW - 15 * DAY)  # type: ignore[arg-type]
    _check(invoice, 89_000, alice, NOW - 10 * DAY)
    settlement = Settlement("fee", is_large_confirmed=True)
    row = settlements.settle(Invoice.objects.get(), settlement=settlement, by=alice, now=NOW - 9 * DAY)
    settlements.take_back(row, by=alice, now=NOW - 5 * DAY)
    statement = _statement(dana)
    assert _rows(statement) == [
        ("issued", 100_000, 100_000),
        ("changed", -10_000, 90_000),
        ("payment", -40_000, 50_000),
        ("payment_reversed", 40_000, 90_000),
        ("payment", -89_000, 1_000),
        ("settled", -1_000, 0),
        ("settlement_taken_back", 1_000, 1_000),
    ]
    assert (statement.closing, statement.overdue) == (Money(1_000, "USD"), Money(1_000, "USD"))
    # 20 days ago it was due, and not yet overdue.
    assert _statement(dana, last=20).overdue == Money(0, "USD")
    assert _statement(dana, last=19).overdue == Money(50_000, "USD")
    later = _statement(dana, first=12)
    assert (later.opening, later.movements) == (Money(90_000, "USD"), statement.movements[4:])
    check_statements(dana, days=32)


def test_write_off_that_is_paid_and_bounces_or_is_reopened(dana: Customer, alice: Actor) -> None:
    invoice = _sent(dana, alice, NOW - 30 * DAY)
    write_offs.write_off(invoice, by=alice, now=NOW - 20 * DAY)
    _check(invoice, 30_000, alice, NOW - 15 * DAY, paid_on=today(NOW - 25 * DAY, "America/New_York"))
    check = _check(invoice, 70_000, alice, NOW - 12 * DAY)
    offline_payments.reverse(check, reason="Bounced.", by=alice, now=NOW - 10 * DAY)  # type: ignore[arg-type]
    write_offs.reopen(invoice, by=alice, now=NOW - 5 * DAY)
    invoices.void(_sent(dana, alice, NOW - 4 * DAY, 5_000), by=alice, now=NOW - 3 * DAY)
    assert _rows(_statement(dana)) == [
        ("issued", 100_000, 100_000),
        ("payment", -30_000, 70_000),  # on the day it was paid, though it was recorded after the write-off
        ("written_off", -100_000, -30_000),
        ("write_off_paid", 30_000, 0),
        ("payment", -70_000, -70_000),
        ("write_off_paid", 70_000, 0),
        ("payment_reversed", 70_000, 70_000),
        ("written_off", -70_000, 0),
        ("reopened", 70_000, 70_000),
        ("issued", 5_000, 75_000),
        ("voided", -5_000, 70_000),
    ]
    check_statements(dana, days=32)


def test_credit_deposit_and_what_was_given_back(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    assert _rows(_statement(dana)) == [("deposit", -30_000, -30_000)]
    assert (_statement(dana).closing, _statement(dana).credit) == (
        Money(-30_000, "USD"),
        Money(30_000, "USD"),
    )
    check_statements(dana, days=1)
    invoices.send(quotes.create_invoice(quote, by=alice, now=now()), by=alice, now=now())
    paid = personas.record_check(personas.sent_invoice(dana, 10_000), 25_000)
    mistake = personas.give_back(paid, 1_000)
    refunds.reverse(mistake, reason="A mistake.", by=alice, now=now())
    personas.give_back(paid, 20_000)
    credit.deallocate(Invoice.objects.get(quote=quote), deposit, by=alice, now=now())
    assert [row[:2] for row in _rows(_statement(dana, last=-1))] == [
        ("deposit", -30_000),
        ("issued", 100_000),
        ("issued", 10_000),
        ("payment", -25_000),
        ("refunded", 20_000),
    ]
    assert _statement(dana, last=-1).credit == Money(30_000, "USD")
    check_statements(dana, days=1)


def test_disputes_count_from_the_day_they_were_lost_until_they_are_won(dana: Customer, alice: Actor) -> None:
    payment = personas.captured_payment(personas.sent_invoice(dana, 30_000), 30_000)
    personas.give_back(payment, 25_000)
    personas.dispute(payment, 2_000)
    row = personas.dispute(payment, 8_000, "lost", ref="dp_2")
    assert row.lost_minor == 5_000
    personas.dispute(payment, 2_000, "won")
    personas.dispute(payment, 8_000, "won", ref="dp_2")
    for amount_minor in (1_000, 4_000, 500):
        personas.dispute(payment, amount_minor, "lost", ref="dp_3")
    assert [row[:2] for row in _rows(_statement(dana, last=-1))] == [
        ("issued", 30_000),
        ("payment", -30_000),
        ("refunded", 25_000),
        ("dispute_lost", 3_000),
        ("dispute_lost", 2_000),  # of the same dispute, once the other one was won
        ("dispute_won", -5_000),
        ("dispute_lost", 1_000),
        ("dispute_lost", 3_000),
        ("dispute_won", -3_500),
    ]
    check_statements(dana, days=1)


def test_each_currency_has_its_own_statement(dana: Customer, today_: date) -> None:
    assert statements.currencies(dana) == ["USD"]
    personas.sent_invoice(dana, currency="EUR")
    personas.draft_invoice(dana, currency="CHF")
    assert statements.currencies(dana) == ["EUR"]
    assert _rows(_statement(dana, currency="EUR")) == [("issued", 100_000, 100_000)]
    empty = _statement(dana)
    assert (empty.movements, empty.closing, empty.as_of) == ((), Money(0, "USD"), today_)


def test_goodwill_refund_recorded_late_changes_invoice_and_credit_on_its_own_day(
    dana: Customer, alice: Actor
) -> None:
    payment = _check(_sent(dana, alice, NOW - 20 * DAY), 60_000, alice, NOW - 15 * DAY)
    on = today(NOW - 10 * DAY, dana.organization.time_zone)
    refund = OutsideRefund(Money(20_000, "USD"), "Cash", on, reduces_invoice=True)
    refunds.record(dana, refund=refund, payment=payment, by=alice, now=NOW - 2 * DAY)
    between = _statement(dana, last=5)
    assert (between.due, between.credit, between.closing) == (
        *(Money(each, "USD") for each in (40_000, 0, 40_000)),
    )
    assert _rows(between)[2:] == [("refunded", 20_000, 60_000), ("settled", -20_000, 40_000)]
    check_statements(dana, days=21)
