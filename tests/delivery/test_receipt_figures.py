"""A receipt's figures are those of its own moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.accounts.models import Organization
from partway.billing.documents import invoices as billing_invoices
from partway.billing.documents import quotes
from partway.billing.models import Event, Invoice, Payment
from partway.billing.receivables import credit
from partway.delivery.receipt_figures import method_label, payment_history, receipt
from partway.lib.clock import now
from partway.lib.money import Money
from tests.support import personas


@pytest.fixture
def invoice(db: None) -> Invoice:
    return personas.sent_invoice(personas.customer(personas.alder().organization))


def test_each_stage_knows_what_was_paid_before_and_what_was_left(invoice: Invoice) -> None:
    payments = [personas.captured_payment(invoice, amount) for amount in (20_000, 30_000, 50_000)]
    seen = [receipt(Payment.objects.get(pk=payment.pk)) for payment in payments]
    assert [(row.paid_before.amount_minor, row.left.amount_minor) for row in seen] == [
        (0, 80_000),
        (20_000, 50_000),
        (50_000, 0),
    ]


def test_a_total_that_is_edited_later_does_not_change_it(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    Event.objects.filter(type="payment.succeeded").update(data={"total_minor": 90_000})
    assert receipt(payment).left == Money(70_000, "USD")


def test_what_did_not_fit_is_the_surplus(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    payment.captured_minor = 25_000
    assert receipt(payment).surplus == Money(5_000, "USD")
    assert receipt(payment).paid == Money(20_000, "USD")


def test_money_that_fits_nowhere_leaves_the_invoice_as_it_was(invoice: Invoice) -> None:
    personas.captured_payment(invoice, 20_000)
    Organization.objects.update(payments_enabled=False)
    row = receipt(personas.captured_payment(invoice, 10_000))
    assert (row.paid_before, row.applied, row.left) == tuple(
        Money(minor, "USD") for minor in (20_000, 0, 80_000)
    )


def test_another_currency_is_all_surplus(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    payment.captured_currency = "EUR"
    assert receipt(payment).surplus == Money(20_000, "EUR")
    assert (
        receipt(payment).surplus_explanation == "€200.00 was taken in another currency than this invoice’s."
    )


def test_it_says_why_something_fits_nowhere(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    assert receipt(payment).surplus_explanation == ""
    payment.captured_minor = 25_000
    assert receipt(payment).surplus_explanation == "$50.00 of it was more than this invoice could take."
    Organization.objects.update(payments_enabled=False)
    unwanted = receipt(personas.captured_payment(invoice, 10_000))
    assert unwanted.surplus_explanation == "$100.00 came when it was no longer asked for."


def test_its_day_is_the_day_where_the_organization_is(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    assert payment.settled_at is not None
    payment.settled_at = payment.settled_at.replace(year=2026, month=3, day=1, hour=3)
    assert str(receipt(payment).paid_on) == "2026-02-28"


def test_there_is_none_for_a_payment_that_took_nothing(invoice: Invoice) -> None:
    with pytest.raises(ValueError, match="took no money"):
        receipt(Payment(id="pay_x", invoice=invoice))


@pytest.mark.parametrize(("code", "words"), [("card", "Card"), ("bank_debit", "Bank debit"), ("", "")])
def test_a_method_is_said_in_words(code: str, words: str) -> None:
    assert method_label(code) == words


@pytest.mark.parametrize(
    ("method", "by"),
    [("bank_debit", "bank debit"), ("Bank transfer", "bank transfer"), ("PayPal", "PayPal"), ("ACH", "ACH")],
)
def test_an_owners_word_is_the_same_within_a_sentence(invoice: Invoice, method: str, by: str) -> None:
    assert receipt(personas.captured_payment(invoice, 20_000, method=method)).by == by


# What the invoice says of its payments


def parts(invoice: Invoice) -> list[tuple[str, int]]:
    return [(part.method, part.amount.amount_minor) for part in payment_history(invoice)]


def test_a_bounced_check_is_taken_off_where_it_stood(invoice: Invoice) -> None:
    personas.reverse_check(personas.record_check(invoice, 40_000))
    assert parts(invoice) == [("Check", 40_000), ("Check reversed", -40_000)]


def test_credit_says_what_it_once_was(invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 40_000)
    by = personas.owner_actor(invoice.organization)
    credit.release(invoice, payment, by=by, now=now())
    credit.apply(invoice, amount=Money(10_000, "USD"), by=by, now=now())
    assert parts(invoice) == [
        ("Check", 40_000),
        ("Check, moved to credit", -40_000),
        ("Check, from credit", 10_000),
    ]


def test_a_bounced_deposit_is_called_by_its_quote(invoice: Invoice) -> None:
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    deposit = personas.record_deposit_check(quote)
    by = personas.owner_actor(invoice.organization)
    made = billing_invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())
    personas.reverse_check(deposit)
    name = f"deposit of {quote.number}"
    assert parts(made) == [(name, 30_000), (f"{name} reversed", -30_000)]


def test_an_offline_payment_stands_there_with_the_day_it_was_made(invoice: Invoice) -> None:
    last_week = now().date() - timedelta(days=7)
    personas.record_check(invoice, 40_000, paid_on=last_week)
    assert payment_history(invoice)[0].on == last_week
