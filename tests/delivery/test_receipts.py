"""A receipt's figures are those of its own moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.accounts.models import Organization
from partway.billing.documents import invoices as billing_invoices
from partway.billing.documents import quotes
from partway.billing.models import Event, Invoice, Payment
from partway.billing.receivables import credit
from partway.delivery.receipt_figures import method_words, paid_so_far, receipt
from partway.lib.clock import now
from partway.lib.money import Money
from tests import personas


@pytest.fixture
def invoice(db: None) -> Invoice:
    return personas.sent(personas.customer(personas.alder().organization))


def test_each_stage_knows_what_was_paid_before_and_what_was_left(invoice: Invoice) -> None:
    payments = [personas.paid_part(invoice, amount) for amount in (20_000, 30_000, 50_000)]
    seen = [receipt(Payment.objects.get(pk=payment.pk)) for payment in payments]
    assert [(row.paid_before.amount_minor, row.left.amount_minor) for row in seen] == [
        (0, 80_000),
        (20_000, 50_000),
        (50_000, 0),
    ]


def test_a_total_that_is_edited_later_does_not_change_it(invoice: Invoice) -> None:
    payment = personas.paid_part(invoice, 20_000)
    Event.objects.filter(type="payment.succeeded").update(data={"total_minor": 90_000})
    assert receipt(payment).left == Money(70_000, "USD")


def test_what_did_not_fit_is_the_surplus(invoice: Invoice) -> None:
    payment = personas.paid_part(invoice, 20_000)
    payment.captured_minor = 25_000
    assert receipt(payment).surplus == Money(5_000, "USD")
    assert receipt(payment).paid == Money(20_000, "USD")


def test_money_that_fits_nowhere_leaves_the_invoice_as_it_was(invoice: Invoice) -> None:
    personas.paid_part(invoice, 20_000)
    Organization.objects.update(payments_enabled=False)
    row = receipt(personas.paid_part(invoice, 10_000))
    assert (row.paid_before, row.applied, row.left) == tuple(
        Money(minor, "USD") for minor in (20_000, 0, 80_000)
    )


def test_another_currency_is_all_surplus(invoice: Invoice) -> None:
    payment = personas.paid_part(invoice, 20_000)
    payment.captured_currency = "EUR"
    assert receipt(payment).surplus == Money(20_000, "EUR")
    assert receipt(payment).surplus_words == "€200.00 was taken in another currency than this invoice’s."


def test_it_says_why_something_fits_nowhere(invoice: Invoice) -> None:
    payment = personas.paid_part(invoice, 20_000)
    assert receipt(payment).surplus_words == ""
    payment.captured_minor = 25_000
    assert receipt(payment).surplus_words == "$50.00 of it was more than this invoice could take."
    Organization.objects.update(payments_enabled=False)
    unwanted = receipt(personas.paid_part(invoice, 10_000))
    assert unwanted.surplus_words == "$100.00 came when it was no longer asked for."


def test_its_day_is_the_day_where_the_organization_is(invoice: Invoice) -> None:
    payment = personas.paid_part(invoice, 20_000)
    assert payment.settled_at is not None
    payment.settled_at = payment.settled_at.replace(year=2026, month=3, day=1, hour=3)
    assert str(receipt(payment).paid_on) == "2026-02-28"


def test_there_is_none_for_a_payment_that_took_nothing(invoice: Invoice) -> None:
    with pytest.raises(ValueError, match="took no money"):
        receipt(Payment(id="pay_x", invoice=invoice))


@pytest.mark.parametrize(("code", "words"), [("card", "Card"), ("bank_debit", "Bank debit"), ("", "")])
def test_a_method_is_said_in_words(code: str, words: str) -> None:
    assert method_words(code) == words


@pytest.mark.parametrize(
    ("method", "by"),
    [("bank_debit", "bank debit"), ("Bank transfer", "bank transfer"), ("PayPal", "PayPal"), ("ACH", "ACH")],
)
def test_an_owners_word_is_the_same_within_a_sentence(invoice: Invoice, method: str, by: str) -> None:
    assert receipt(personas.paid_part(invoice, 20_000, method=method)).by == by


# What the invoice says of its payments


def parts(invoice: Invoice) -> list[tuple[str, int]]:
    return [(part.method, part.amount.amount_minor) for part in paid_so_far(invoice)]


def test_a_bounced_check_is_taken_off_where_it_stood(invoice: Invoice) -> None:
    personas.bounce(personas.check(invoice, 40_000))
    assert parts(invoice) == [("Check", 40_000), ("Check reversed", -40_000)]


def test_credit_says_what_it_once_was(invoice: Invoice) -> None:
    payment = personas.check(invoice, 40_000)
    by = personas.actor_of(invoice.organization)
    credit.release(invoice, payment, by=by, now=now())
    credit.apply(invoice, amount=Money(10_000, "USD"), by=by, now=now())
    assert parts(invoice) == [
        ("Check", 40_000),
        ("Check, moved to credit", -40_000),
        ("Check, from credit", 10_000),
    ]


def test_a_bounced_deposit_is_called_by_its_quote(invoice: Invoice) -> None:
    quote = personas.accept(personas.quote(invoice.customer))
    deposit = personas.pay_deposit(quote)
    by = personas.actor_of(invoice.organization)
    made = billing_invoices.send(quotes.make_invoice(quote, by=by, now=now()), by=by, now=now())
    personas.bounce(deposit)
    name = f"deposit of {quote.number}"
    assert parts(made) == [(name, 30_000), (f"{name} reversed", -30_000)]


def test_an_offline_payment_stands_there_with_the_day_it_was_made(invoice: Invoice) -> None:
    last_week = now().date() - timedelta(days=7)
    personas.check(invoice, 40_000, paid_on=last_week)
    assert paid_so_far(invoice)[0].on == last_week
