"""A receipt shows the figures at the time of its payment."""

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


def test_receipt_of_each_payment_knows_paid_before_and_left(invoice: Invoice) -> None:
    payments = [personas.captured_payment(invoice, amount) for amount in (20_000, 30_000, 50_000)]
    seen = [receipt(Payment.objects.get(pk=payment.pk)) for payment in payments]
    assert [(row.paid_before.amount_minor, row.left.amount_minor) for row in seen] == [
        (0, 80_000),
        (20_000, 50_000),
        (50_000, 0),
    ]


def test_receipt_keeps_invoice_total_at_time_of_payment(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    Event.objects.filter(type="payment.succeeded").update(data={"total_minor": 90_000})
    assert receipt(payment).left == Money(70_000, "USD")


def test_receipt_surplus_is_captured_minus_allocated(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    payment.captured_minor = 25_000
    assert receipt(payment).surplus == Money(5_000, "USD")
    assert receipt(payment).paid == Money(20_000, "USD")


def test_receipt_of_unallocated_payment_leaves_amounts_unchanged(invoice: Invoice) -> None:
    personas.captured_payment(invoice, 20_000)
    Organization.objects.update(payments_enabled=False)
    row = receipt(personas.captured_payment(invoice, 10_000))
    assert (row.paid_before, row.applied, row.left) == tuple(
        Money(minor, "USD") for minor in (20_000, 0, 80_000)
    )


def test_receipt_in_other_currency_is_all_surplus(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    payment.captured_currency = "EUR"
    assert receipt(payment).surplus == Money(20_000, "EUR")
    assert (
        receipt(payment).surplus_explanation == "€200.00 was taken in another currency than this invoice’s."
    )


def test_receipt_surplus_has_explanation(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    assert receipt(payment).surplus_explanation == ""
    payment.captured_minor = 25_000
    assert receipt(payment).surplus_explanation == "$50.00 of it was more than was due on this invoice."
    Organization.objects.update(payments_enabled=False)
    unwanted = receipt(personas.captured_payment(invoice, 10_000))
    assert unwanted.surplus_explanation == "$100.00 was paid after it was no longer due."


def test_receipt_date_follows_organization_time_zone(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    assert payment.settled_at is not None
    payment.settled_at = payment.settled_at.replace(year=2026, month=3, day=1, hour=3)
    assert str(receipt(payment).paid_on) == "2026-02-28"


def test_receipt_of_uncaptured_payment_is_refused(invoice: Invoice) -> None:
    with pytest.raises(ValueError, match="took no money"):
        receipt(Payment(id="pay_x", invoice=invoice))


@pytest.mark.parametrize(("code", "words"), [("card", "Card"), ("bank_debit", "Bank debit"), ("", "")])
def test_payment_method_has_display_name(code: str, words: str) -> None:
    assert method_label(code) == words


@pytest.mark.parametrize(
    ("method", "by"),
    [("bank_debit", "bank debit"), ("Bank transfer", "bank transfer"), ("PayPal", "PayPal"), ("ACH", "ACH")],
)
def test_payment_mode_in_sentence_keeps_capitals_of_names_only(
    invoice: Invoice, method: str, by: str
) -> None:
    assert receipt(personas.captured_payment(invoice, 20_000, method=method)).method_in_sentence == by


# The payment history of an invoice


def parts(invoice: Invoice) -> list[tuple[str, int]]:
    return [(part.method, part.amount.amount_minor) for part in payment_history(invoice)]


def test_payments_so_far_show_reversed_check_as_negative_row(invoice: Invoice) -> None:
    personas.reverse_check(personas.record_check(invoice, 40_000))
    assert parts(invoice) == [("Check", 40_000), ("Check reversed", -40_000)]


def test_payments_so_far_name_origin_of_credit(invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 40_000)
    by = personas.owner_actor(invoice.organization)
    credit.deallocate(invoice, payment, by=by, now=now())
    credit.apply(invoice, amount=Money(10_000, "USD"), by=by, now=now())
    assert parts(invoice) == [
        ("Check", 40_000),
        ("Check, moved to credit", -40_000),
        ("Check, from credit", 10_000),
    ]


def test_payments_so_far_name_quote_of_reversed_deposit(invoice: Invoice) -> None:
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    deposit = personas.record_deposit_check(quote)
    by = personas.owner_actor(invoice.organization)
    made = billing_invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())
    personas.reverse_check(deposit)
    name = f"deposit of {quote.number}"
    assert parts(made) == [(name, 30_000), (f"{name} reversed", -30_000)]


def test_payments_so_far_show_paid_on_date_of_offline_payment(invoice: Invoice) -> None:
    last_week = now().date() - timedelta(days=7)
    personas.record_check(invoice, 40_000, paid_on=last_week)
    assert payment_history(invoice)[0].on == last_week


def test_payments_so_far_are_in_the_order_of_their_days(invoice: Invoice) -> None:
    for amount, days in ((1_000, 3), (2_000, 9), (3_000, 0), (4_000, 9)):
        personas.record_check(invoice, amount, paid_on=now().date() - timedelta(days=days + 1))
    assert [minor for _, minor in parts(invoice)] == [2_000, 4_000, 1_000, 3_000]
