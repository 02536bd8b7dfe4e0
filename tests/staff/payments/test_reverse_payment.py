"""Reversing an offline payment: the effects shown before, the reversal, and where it is unavailable."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from partway.billing.documents import invoices, quotes
from partway.billing.models import Customer, Invoice, Payment
from partway.billing.receivables import credit
from partway.lib.clock import now
from partway.lib.money import Money
from tests.support import personas
from tests.support.html_text import text_of


@pytest.fixture
def payment(invoice: Invoice) -> Payment:
    """A check of $200.00 more than the invoice."""
    return personas.record_check(invoice, 120_000, reference="No. 118")


def url(payment: Payment) -> str:
    return f"/o/alder/payments/{payment.pk}/reverse/"


def reverse(client: Client, payment: Payment, reason: str = "The bank returned it.") -> Any:
    return client.post(url(payment), {"reason": reason}, follow=True)


def page_of(client: Client, invoice: Invoice) -> str:
    return text_of(client.get(f"/o/alder/invoices/{invoice.pk}/"))


def test_reverse_payment_is_offered_to_owners_only(
    alice: Client, bob: Client, payment: Payment, invoice: Invoice
) -> None:
    assert "Reverse Payment…" in page_of(alice, invoice)
    assert "Reverse Payment…" not in page_of(bob, invoice)


def test_online_payment_cannot_be_reversed(alice: Client, invoice: Invoice) -> None:
    online = personas.captured_payment(invoice, 30_000)
    assert "Reverse Payment…" not in page_of(alice, invoice)
    assert "Only a payment that was recorded by hand" in text_of(alice.get(url(online)))
    assert alice.post(url(online), {"reason": "No."}).status_code == 409


def test_reverse_payment_dialog_shows_consequences(alice: Client, payment: Payment, invoice: Invoice) -> None:
    text = text_of(alice.get(url(payment)))
    assert "Reverse the payment of $1,200.00?" in text
    assert f"$1,000.00 is due again on {invoice.number}." in text
    assert "$200.00 of the credit of Dana Whitfield is removed." in text


def test_reverse_payment_dialog_names_invoices_using_its_credit(
    alice: Client, payment: Payment, dana: Customer
) -> None:
    other = personas.sent_invoice(dana, 50_000)
    amount, by = Money(20_000, "USD"), personas.owner_actor(dana.organization)
    credit.apply(other, amount=amount, by=by, now=now())
    text = text_of(alice.get(url(payment)))
    assert f"$200.00 is due again on {other.number}, where it was applied as credit." in text
    assert "of the credit" not in text
    text = text_of(reverse(alice, payment))
    assert f"$200.00 is due again on {other.number}." in text
    assert "Alice reversed a payment of $1,200.00" in page_of(alice, other)


def test_reversed_payment_row_shows_reason(alice: Client, payment: Payment, invoice: Invoice) -> None:
    text = text_of(reverse(alice, payment))
    assert f"The payment of $1,200.00 is reversed. $1,000.00 is due again on {invoice.number}." in text
    assert "ReversedThe bank returned it." in text
    assert "Total Amount Due $1,000.00" in text
    assert "Alice reversed a payment of $1,200.00 The bank returned it." in text
    assert "Reverse Payment…" not in text


@pytest.mark.parametrize("reason", ["", "  ", "r" * 301])
def test_reverse_payment_requires_reason(alice: Client, payment: Payment, reason: str) -> None:
    response = reverse(alice, payment, reason)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"reason"}
    assert Payment.objects.get().status == "succeeded"


def test_reversing_payment_twice_is_idempotent(alice: Client, payment: Payment) -> None:
    reverse(alice, payment)
    assert reverse(alice, payment).status_code == 200
    assert "This payment was reversed already." in text_of(alice.get(url(payment)))


def test_deposit_is_reversed_from_quote_page(alice: Client, dana: Customer) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    assert url(deposit) in alice.get(f"/o/alder/quotes/{quote.pk}/").content.decode()
    text = text_of(alice.get(url(deposit)))
    assert f"The deposit of {quote.number}, $300.00, is due again." in text
    assert "credit" not in text
    after = text_of(reverse(alice, deposit))
    assert "Record Deposit" in after
    assert "Alice reversed the deposit of $300.00" in after


def test_reversed_deposit_is_due_on_its_invoice(alice: Client, dana: Customer) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit, by = personas.record_deposit_check(quote), personas.owner_actor(dana.organization)
    made = invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())
    assert f"$300.00 is due again on {made.number}." in text_of(alice.get(url(deposit)))
    reverse(alice, deposit)
    assert "Alice reversed the deposit of $300.00" in page_of(alice, made)


def test_payment_of_another_organization_cannot_be_reversed(mallory: Client, payment: Payment) -> None:
    assert mallory.post(f"/o/birch/payments/{payment.pk}/reverse/", {"reason": "Mine."}).status_code == 404
    assert Payment.objects.get().status == "succeeded"


def test_reversed_deposit_that_cannot_be_paid_is_not_announced_as_due(alice: Client, dana: Customer) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    payment, url = personas.record_deposit_check(quote), "/o/alder/payments/{}/reverse/"
    assert "is due again" in alice.get(url.format(payment.pk)).text
    quotes.create_invoice(quote, by=personas.owner_actor(dana.organization), now=now())
    assert "is due again" not in alice.get(url.format(payment.pk)).text
