"""The entries of the journal: balanced, on the right accounts and days, for every kind of fact."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from partway.accounts.models import Organization
from partway.billing.documents import deposits, invoices, quotes
from partway.billing.documents.drafts import LineDraft
from partway.billing.events import Actor
from partway.billing.journal import entries
from partway.billing.models import Customer, Invoice, Payment
from partway.billing.receivables import (
    credit,
    dispute_losses,
    offline_payments,
    refunds,
    settlements,
    write_offs,
)
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.gateways.protocol import CheckoutState, CheckoutStatus, PayoutStatus
from partway.lib.clock import end_of_day, now, today
from partway.lib.money import Money
from tests.support import personas
from tests.support.days import DAY, NOW
from tests.support.journals import amounts, balances, check_journal, closing


def booked(
    organization: Organization, currency: str = "USD", first: int = 60
) -> list[tuple[str, int, dict[str, int]]]:
    """Each entry of the last days: its kind, how many days ago it was, and its amounts."""
    last = today(NOW, organization.time_zone)
    found = entries.entries(organization, currency=currency, since=last - first * DAY, until=last + DAY)
    return [(entry.kind, (last - entry.day).days, amounts(entry)) for entry in found]


def sent(customer: Customer, by: Actor, at: datetime, total_minor: int = 100_000, **draft: object) -> Invoice:
    """An invoice that was sent at this time."""
    lines = (LineDraft("Oak staircase", Decimal(1), total_minor, Decimal(0)),)
    typed = {"customer": customer, "currency": "USD", "due_days": 10, "lines": lines, **draft}
    made = invoices.create(
        customer.organization,
        draft=invoices.InvoiceDraft(**typed),
        by=by,
        now=at,  # type: ignore[arg-type]
    )
    return invoices.send(made, by=by, now=at)


def edited(invoice: Invoice, by: Actor, at: datetime, total_minor: int) -> Invoice:
    """The invoice with another total since this time."""
    invoice.refresh_from_db()
    lines = (LineDraft("Oak staircase", Decimal(1), total_minor, Decimal(0)),)
    draft = invoices.InvoiceDraft(
        customer=invoice.customer, currency="USD", due_on=invoice.due_on, lines=lines
    )
    return invoices.edit(invoice, draft=draft, expected_version=invoice.version, by=by, now=at)


def check(invoice: Invoice, minor: int, by: Actor, at: datetime, paid: int = 0, **changes: object) -> Payment:
    """A check that was recorded at this time, and paid so many days before."""
    paid_on = today(at, invoice.organization.time_zone) - paid * DAY
    typed = {"method": "Check", "paid_on": paid_on, "keep_rest_as_credit": True, "paid_before_issue": True}
    offline = OfflinePayment(amount=Money(minor, "USD"), **{**typed, **changes})  # type: ignore[arg-type]
    return offline_payments.record(invoice, offline=offline, by=by, now=at)


def test_invoice_entry_has_revenue_and_tax_by_rate_and_discount(dana: Customer, alice: Actor) -> None:
    lines = (
        LineDraft("Staircase", Decimal(1), 100_000, Decimal(20)),
        LineDraft("Handrail", Decimal(2), 10_000, Decimal("7.5")),
        LineDraft("Visit", Decimal(1), 5_000, Decimal(0)),
    )
    sent(dana, alice, NOW, lines=lines, discount_kind="percent", discount_percent=Decimal(10))
    check_journal(dana.organization, days=1)
    [(kind, ago, found)] = booked(dana.organization)
    assert (kind, ago) == ("invoice_sent", 0)
    assert found == {
        "receivables": 112_500 + 18_000 + 1_350,
        "discounts": 12_500,
        "tax:7.5": -1_350,
        "tax:20": -18_000,
        "revenue:0": -5_000,
        "revenue:7.5": -20_000,
        "revenue:20": -100_000,
    }


def test_invoice_edit_void_and_draft_have_their_entries(dana: Customer, alice: Actor) -> None:
    personas.draft_invoice(dana)
    invoice = sent(dana, alice, NOW - 9 * DAY)
    check(invoice, 80_000, alice, NOW - 8 * DAY)
    edited(invoice, alice, NOW - 7 * DAY, 70_000)
    invoices.void(sent(dana, alice, NOW - 6 * DAY, 500), by=alice, now=NOW - 5 * DAY)
    assert booked(dana.organization) == [
        ("invoice_sent", 9, {"receivables": 100_000, "revenue:0": -100_000}),
        ("payment", 8, {"mode:Check": 80_000, "receivables": -80_000}),
        ("invoice_edited", 7, {"revenue:0": 30_000, "receivables": -20_000, "credit": -10_000}),
        ("invoice_sent", 6, {"receivables": 500, "revenue:0": -500}),
        ("invoice_voided", 5, {"revenue:0": 500, "receivables": -500}),
    ]
    check_journal(dana.organization, days=10)


def test_payment_that_bounced_and_rest_settled_and_written_off(dana: Customer, alice: Actor) -> None:
    invoice = sent(dana, alice, NOW - 20 * DAY)
    bounced = check(invoice, 99_000, alice, NOW - 19 * DAY)
    settlements.settle(invoice, settlement=Settlement("fee"), by=alice, now=NOW - 18 * DAY)
    offline_payments.reverse(bounced, reason="Bounced.", by=alice, now=NOW - 17 * DAY)
    check(invoice, 40_000, alice, NOW - 16 * DAY)
    write_offs.write_off(Invoice.objects.get(), by=alice, now=NOW - 15 * DAY)
    check(invoice, 10_000, alice, NOW - 14 * DAY)
    write_offs.reopen(invoice, by=alice, now=NOW - 13 * DAY)
    assert booked(dana.organization)[1:] == [
        ("payment", 19, {"mode:Check": 99_000, "receivables": -99_000}),
        ("settled", 18, {"adjustment:fee": 1_000, "receivables": -1_000}),
        ("settlement_taken_back", 17, {"receivables": 1_000, "adjustment:fee": -1_000}),
        ("payment_reversed", 17, {"receivables": 99_000, "mode:Check": -99_000}),
        ("payment", 16, {"mode:Check": 40_000, "receivables": -40_000}),
        ("invoice_written_off", 15, {"write_offs": 60_000, "receivables": -60_000}),
        ("payment", 14, {"mode:Check": 10_000, "write_offs": -10_000}),
        ("invoice_reopened", 13, {"receivables": 50_000, "write_offs": -50_000}),
    ]
    check_journal(dana.organization, days=21)


def test_rest_of_deposit_is_credit_in_the_entries_of_the_days_when_its_invoice_takes_it(
    dana: Customer, alice: Actor
) -> None:
    quote, _ = deposit_of(dana, alice, NOW - 40 * DAY)
    invoice = quotes.create_invoice(quote, by=alice, now=now())
    personas.edit_invoice(invoice, 20_000)
    invoice.refresh_from_db()
    invoices.send(invoice, by=alice, now=now())
    until = today(now(), dana.organization.time_zone)
    found = entries.entries(dana.organization, currency="USD", since=until - 3 * DAY, until=until)
    lines = {line.account: line.debit or line.credit for entry in found for line in entry.lines}
    assert lines["credit"] == Money(10_000, "USD")
    check_journal(dana.organization, days=45)


def test_deposit_is_liability_until_its_invoice_takes_it(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    assert booked(dana.organization) == [("deposit", 0, {"mode:Check": 30_000, "deposits": -30_000})]
    check_journal(dana.organization, days=1)
    invoice = quotes.create_invoice(quote, by=alice, now=now())
    personas.edit_invoice(invoice, 20_000)
    invoice.refresh_from_db()
    invoices.send(invoice, by=alice, now=now())
    kinds = {kind: found for kind, _, found in booked(dana.organization)}
    assert kinds["invoice_sent"] == {"receivables": 20_000, "revenue:0": -20_000}
    assert kinds["deposit_applied"] == {"deposits": 30_000, "receivables": -20_000, "credit": -10_000}
    credit.deallocate(invoice, deposit, by=alice, now=now())
    assert booked(dana.organization)[-1][2] == {"receivables": 20_000, "credit": -20_000}
    check_journal(dana.organization, days=1)


def test_deposit_that_is_given_back_becomes_credit_for_its_rest(dana: Customer) -> None:
    deposit = personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))
    personas.give_back(deposit, 10_000)
    check_journal(dana.organization, days=1)
    last = today(now(), dana.organization.time_zone)
    rows = balances(dana.organization, "USD", last, last)
    assert {key: closing(rows, key) for key in rows} == {
        "mode:Check": 30_000,
        "mode:Cash": -10_000,
        "deposits": 0,
        "credit": -20_000,
    }


def test_refund_through_gateway_passes_through_refunds_under_way(invoice: Invoice) -> None:
    owner = invoice.organization
    payment = personas.captured_payment(invoice, 60_000)
    refund = personas.refund_in_dashboard(payment, 70_000)
    check_journal(owner, days=1)
    assert booked(owner)[1:] == [
        ("payment", 0, {"transit:sandbox": 60_000, "receivables": -60_000}),
        ("refund", 0, {"receivables": 60_000, "losses": 10_000, "transit:sandbox": -70_000}),
    ]
    personas.fail_refund(refund)
    assert booked(owner)[-1][:2] == ("refund_failed", 0)
    assert booked(owner)[-1][2] == {"transit:sandbox": 70_000, "receivables": -60_000, "losses": -10_000}
    check_journal(owner, days=1)


def test_fees_lower_the_money_in_transit_each_in_its_currency(invoice: Invoice) -> None:
    owner = invoice.organization
    payment = personas.captured_payment(invoice, 60_000, fee=Money(2_030, "USD"))
    personas.refund_in_dashboard(payment, 10_000, fee=Money(-30, "EUR"))
    assert [found for _, _, found in booked(owner)[1:]] == [
        {"transit:sandbox": 57_970, "fees": 2_030, "receivables": -60_000},
        {"receivables": 10_000, "transit:sandbox": -10_000},
    ]
    assert booked(owner, "EUR") == [("fee", 0, {"transit:sandbox": 30, "fees": -30})]
    check_journal(owner, days=1)


def test_payout_moves_money_from_transit_to_bank_and_back(invoice: Invoice) -> None:
    owner = invoice.organization
    personas.captured_payment(invoice, 60_000, fee=Money(2_000, "USD"))
    arrived_on = (
        today(now(), owner.time_zone) - 9 * DAY
    )  # read by its day: the event is of another window of days
    items = (personas.payout_item("payment", 60_000, 2_000), personas.payout_item("fee", -500, 0))
    personas.pay_out(owner, *items, arrives_on=arrived_on)
    assert booked(owner)[0] == ("payout", 9, {"bank": 57_500, "fees": 500, "transit:sandbox": -58_000})
    check_journal(owner, days=10)
    # Of a currency in which nothing was invoiced or paid.
    personas.pay_out(owner, personas.payout_item(currency="EUR"), ref="po_2", currency="EUR")
    assert entries.currencies(owner) == ["EUR", "USD"]
    personas.pay_out(owner, *items, arrives_on=arrived_on, status=PayoutStatus.FAILED)
    assert booked(owner)[-1] == (
        "payout_failed",
        0,
        {"transit:sandbox": 57_500, "bank": -57_500},
    )
    check_journal(owner, days=10)


def test_dispute_moves_money_when_it_is_lost_and_again_when_it_is_won(invoice: Invoice) -> None:
    owner = invoice.organization
    payment = personas.captured_payment(invoice, 60_000)
    fee = Money(1_500, "USD")
    row = personas.dispute(payment, 70_000, fee=fee)
    personas.dispute(payment, 70_000, "lost", fee=fee)
    check_journal(owner, days=1)
    expected = Money(60_000, "USD")
    dispute_losses.settle(row, expected=expected, by=personas.owner_actor(owner), now=now())
    personas.dispute(payment, 70_000, "won")
    assert booked(owner)[2:] == [
        ("fee", 0, {"fees": 1_500, "transit:sandbox": -1_500}),
        ("dispute_lost", 0, {"receivables": 60_000, "losses": 10_000, "transit:sandbox": -70_000}),
        ("settled", 0, {"losses": 60_000, "receivables": -60_000}),
        ("dispute_won", 0, {"transit:sandbox": 71_500, "losses": -70_000, "fees": -1_500}),
    ]
    check_journal(owner, days=1)


def test_credit_that_is_applied_and_given_back_and_a_mistake(dana: Customer, alice: Actor) -> None:
    first = sent(dana, alice, NOW - 9 * DAY, 10_000)
    payment = check(first, 50_000, alice, NOW - 8 * DAY)
    second = sent(dana, alice, NOW - 7 * DAY)
    credit.apply(second, amount=Money(15_000, "USD"), by=alice, now=NOW - 6 * DAY)
    typed = OutsideRefund(Money(30_000, "USD"), "Cash", today(NOW - 5 * DAY, dana.organization.time_zone))
    [refund] = refunds.record(dana, refund=typed, payment=payment, by=alice, now=NOW - 2 * DAY)
    refunds.reverse(refund, reason="A mistake.", by=alice, now=NOW - DAY)
    assert booked(dana.organization)[1:] == [
        ("payment", 8, {"mode:Check": 50_000, "receivables": -10_000, "credit": -40_000}),
        ("invoice_sent", 7, {"receivables": 100_000, "revenue:0": -100_000}),
        ("credit_applied", 6, {"credit": 15_000, "receivables": -15_000}),
        ("refund", 5, {"receivables": 5_000, "credit": 25_000, "mode:Cash": -30_000}),
        ("refund_reversed", 5, {"mode:Cash": 30_000, "credit": -30_000}),
    ]
    check_journal(dana.organization, days=10)


def test_money_in_another_currency_is_credit_in_the_books_of_that_currency(invoice: Invoice) -> None:
    payment = personas.pending_payment(invoice, 60_000)
    captured = CheckoutState(CheckoutStatus.CAPTURED, Money(60_000, "EUR"), None, "card", "", "")
    personas.report_state(payment, captured)
    assert entries.currencies(invoice.organization) == ["EUR", "USD"]
    found = {"transit:sandbox": 60_000, "credit": -60_000}
    assert booked(invoice.organization, "EUR") == [("payment", 0, found)]
    check_journal(invoice.organization, days=1)


@pytest.mark.parametrize(
    ("paid", "days"),
    [
        (3, [("payment", 12)]),  # after it was sent
        (20, [("payment", 29), ("payment", 20)]),  # before it was sent: credit until then
        (10, [("payment", 19), ("payment", 15)]),  # less was due then: credit until it was raised
    ],
)
def test_late_recorded_payment_counts_from_its_day_as_far_as_it_fits(
    paid: int, days: list[tuple[str, int]], dana: Customer, alice: Actor
) -> None:
    invoice = sent(dana, alice, NOW - 20 * DAY, 40_000)
    edited(invoice, alice, NOW - 15 * DAY, 100_000)
    minor = 100_000 if paid == 10 else 40_000
    check(invoice, minor, alice, NOW - 9 * DAY, paid=paid)
    check_journal(dana.organization, days=30)
    assert [entry[:2] for entry in booked(dana.organization) if entry[0] == "payment"] == days


def test_payments_of_written_off_invoice_recorded_late_stay_credit_until_then(
    dana: Customer, alice: Actor
) -> None:
    invoice = sent(dana, alice, NOW - 20 * DAY)
    write_offs.write_off(invoice, by=alice, now=NOW - 15 * DAY)
    check(invoice, 30_000, alice, NOW - 10 * DAY, paid=8)
    assert booked(dana.organization)[1:] == [
        ("payment", 18, {"mode:Check": 30_000, "credit": -30_000}),
        ("invoice_written_off", 15, {"write_offs": 100_000, "receivables": -100_000}),
        ("payment", 10, {"credit": 30_000, "write_offs": -30_000}),
    ]
    check_journal(dana.organization, days=21)


def test_entries_of_a_period_are_the_same_as_those_of_a_longer_one(dana: Customer, alice: Actor) -> None:
    invoice = sent(dana, alice, NOW - 40 * DAY)
    check(invoice, 30_000, alice, NOW - DAY, paid=30)
    refund = OutsideRefund(Money(20_000, "USD"), "Cash", today(NOW - 20 * DAY, dana.organization.time_zone))
    refunds.record(dana, refund=refund, payment=Payment.objects.get(), by=alice, now=NOW)
    last = today(NOW, dana.organization.time_zone)

    def of(since: date, until: date) -> list[str]:
        found = entries.entries(dana.organization, currency="USD", since=since, until=until)
        return [f"{entry.number} {entry.fact}" for entry in found]

    assert of(last - 50 * DAY, last) == [
        *of(last - 50 * DAY, last - 40 * DAY),
        *of(last - 39 * DAY, last - 31 * DAY),
        *of(last - 30 * DAY, last - 15 * DAY),
        *of(last - 14 * DAY, last),
    ]
    assert len(of(last - 50 * DAY, last)) == 3


def test_deposit_of_voided_invoice_stays_credit(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=now()), by=alice, now=now())
    credit.deallocate(invoice, deposit, by=alice, now=now())
    invoices.void(Invoice.objects.get(pk=invoice.pk), by=alice, now=now())
    assert booked(dana.organization)[-1][2] == {"revenue:0": 100_000, "receivables": -100_000}
    check_journal(dana.organization, days=1)


def given_back(payment: Payment, minor: int, by: Actor, at: datetime, ago: int, **changes: object) -> None:
    """Cash that was given back so many days before it was recorded at this time."""
    customer = payment.document.customer
    refunded_on = today(at, customer.organization.time_zone) - ago * DAY
    typed = OutsideRefund(Money(minor, "USD"), "Cash", refunded_on, **changes)  # type: ignore[arg-type]
    refunds.record(customer, refund=typed, payment=payment, by=by, now=at)


def test_goodwill_refund_recorded_late_is_one_entry_of_its_day(dana: Customer, alice: Actor) -> None:
    invoice = sent(dana, alice, NOW - 20 * DAY)
    payment = check(invoice, 60_000, alice, NOW - 15 * DAY)
    given_back(payment, 20_000, alice, NOW - 5 * DAY, 6, reduces_invoice=True)
    assert booked(dana.organization)[2:] == [
        ("refund", 11, {"adjustment:goodwill": 20_000, "mode:Cash": -20_000})
    ]
    check_journal(dana.organization, days=21)


def test_rest_settled_with_a_payment_recorded_late_is_of_its_day_as_far_as_it_fits(
    dana: Customer, alice: Actor
) -> None:
    invoice = sent(dana, alice, NOW - 20 * DAY)
    check(
        invoice, 98_000, alice, NOW - 5 * DAY, paid=6, keep_rest_as_credit=False, settlement=Settlement("fee")
    )
    raised = sent(dana, alice, NOW - 19 * DAY, 40_000)
    edited(raised, alice, NOW - 15 * DAY, 42_000)
    check(
        raised, 40_000, alice, NOW - 5 * DAY, paid=13, keep_rest_as_credit=False, settlement=Settlement("fee")
    )
    assert {entry[:2] for entry in booked(dana.organization)[2:]} == {
        *(("payment", 18), ("invoice_edited", 15), ("settled", 15)),  # raised since: no rest before
        *(("payment", 11), ("settled", 11)),
    }
    check_journal(dana.organization, days=21)


def deposit_of(dana: Customer, by: Actor, at: datetime) -> tuple[quotes.Quote, Payment]:
    """A deposit of $300.00 in cash at this time, and its quote of $1,000.00."""
    on = today(at, dana.organization.time_zone)
    draft = quotes.QuoteDraft(
        customer=dana,
        currency="USD",
        valid_until=on + 5 * DAY,
        lines=(LineDraft("Staircase", Decimal(1), 100_000, Decimal(0)),),
        deposit_kind="percent",
        deposit_percent=Decimal(30),
    )
    quote = quotes.create(dana.organization, draft=draft, by=by, now=at)
    quotes.send(quote, by=by, now=at)
    quotes.accept(quote, evidence=quotes.AcceptanceEvidence("Dana W.", "192.0.2.7"), by=by, now=at)
    paid = deposits.record_deposit(quote, deposit=deposits.OfflineDeposit("Cash", on), by=by, now=at)
    return quote, paid


def test_refund_of_waiting_deposit_recorded_late_ends_it_on_its_day(dana: Customer, alice: Actor) -> None:
    _, deposit = deposit_of(dana, alice, NOW - 20 * DAY)
    given_back(deposit, 10_000, alice, NOW - 5 * DAY, 6)
    given_back(deposit, 5_000, alice, NOW - 4 * DAY, 9)
    assert booked(dana.organization)[1:] == [
        ("refund", 13, {"deposits": 5_000, "mode:Cash": -5_000}),
        ("refund", 11, {"deposits": 25_000, "credit": -15_000, "mode:Cash": -10_000}),
    ]
    check_journal(dana.organization, days=21)


def test_refund_of_taken_deposit_from_before_it_was_taken_is_taken_off_the_deposit(
    dana: Customer, alice: Actor
) -> None:
    quote, deposit = deposit_of(dana, alice, NOW - 20 * DAY)
    invoices.send(quotes.create_invoice(quote, by=alice, now=NOW - 9 * DAY), by=alice, now=NOW - 9 * DAY)
    given_back(deposit, 10_000, alice, NOW - 5 * DAY, 7)
    assert [
        (kind, ago, found) for kind, ago, found in booked(dana.organization)[1:] if kind != "invoice_sent"
    ] == [
        ("refund", 12, {"deposits": 10_000, "mode:Cash": -10_000}),
        ("deposit_applied", 9, {"deposits": 20_000, "credit": 10_000, "receivables": -30_000}),
        ("refund_started", 9, {"receivables": 10_000, "credit": -10_000}),
    ]
    check_journal(dana.organization, days=21)


def test_payment_that_waited_over_midnight_for_an_edit_is_not_put_on_the_invoice_before_it(
    dana: Customer, alice: Actor
) -> None:
    day = today(NOW, dana.organization.time_zone) - 5 * DAY
    midnight = end_of_day(day, dana.organization.time_zone)
    invoice = sent(dana, alice, midnight - DAY, 40_000)
    edited(invoice, alice, midnight + timedelta(seconds=1), 100_000)
    # Its moment is from before midnight, and it waited for the lock of the edit.
    check(invoice, 100_000, alice, midnight - timedelta(seconds=1))
    rows = balances(dana.organization, "USD", day, day)
    assert {key: closing(rows, key) for key in rows} == {
        "mode:Check": 100_000,
        "receivables": 40_000,
        "credit": -100_000,
        "revenue:0": -40_000,
    }


def test_number_is_of_one_entry_in_all_currencies(dana: Customer, alice: Actor) -> None:
    for currency in ("USD", "EUR", "USD"):
        sent(dana, alice, NOW, currency=currency)
    day = today(NOW, dana.organization.time_zone)
    numbers = [
        entry.number
        for currency in entries.currencies(dana.organization)
        for entry in entries.entries(dana.organization, currency=currency, since=day, until=day)
    ]
    assert numbers == [f"{day:%Y%m%d}-{count}" for count in ("EUR-001", "USD-001", "USD-002")]


def test_first_fact_in_the_evening_is_of_its_day_although_it_is_the_next_one_in_utc(
    dana: Customer, alice: Actor
) -> None:
    zone = dana.organization.time_zone
    sent(dana, alice, end_of_day(today(NOW, zone) - 9 * DAY, zone) - timedelta(minutes=1))
    assert [(kind, ago) for kind, ago, _ in booked(dana.organization)] == [("invoice_sent", 9)]


def test_bounced_check_is_due_again_on_the_invoice_that_its_credit_paid(dana: Customer, alice: Actor) -> None:
    first, second = sent(dana, alice, NOW - 20 * DAY), sent(dana, alice, NOW - 19 * DAY)
    bounced = check(first, 130_000, alice, NOW - 18 * DAY)
    credit.apply(second, amount=Money(30_000, "USD"), by=alice, now=NOW - 17 * DAY)
    offline_payments.reverse(bounced, reason="Bounced.", by=alice, now=NOW - 2 * DAY)
    # Nothing of the second invoice was recorded in these days but what its payment did.
    day = today(NOW, dana.organization.time_zone)
    rows = balances(dana.organization, "USD", day - 5 * DAY, day)
    receivables = rows["receivables"]
    shown = [each.amount_minor for each in (receivables.opening, receivables.debit, receivables.closing)]
    assert shown == [70_000, 130_000, 200_000]
    assert sum(row.opening.amount_minor for row in rows.values()) == 0
