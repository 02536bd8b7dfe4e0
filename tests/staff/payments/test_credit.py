"""Credit of a customer: shown, applied to an invoice, and released from one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from partway.billing.documents import invoices
from partway.billing.models import Allocation, Customer, Invoice, Payment, PaymentRequest
from partway.billing.receivables import credit
from partway.lib.clock import now
from partway.lib.money import Money
from tests.staff.race_hook import race_hook
from tests.support import personas
from tests.support.html_text import text_of


@pytest.fixture
def overpaid(dana: Customer) -> Payment:
    """Dana paid $700.00 for an invoice of $500.00."""
    return personas.record_check(personas.sent_invoice(dana, 50_000), 70_000, reference="No. 118")


def url(invoice: Invoice) -> str:
    return f"/o/alder/invoices/{invoice.pk}/credit/"


def apply(client: Client, invoice: Invoice, amount: str, *, follow: bool = False, key: str = "key-1") -> Any:
    return client.post(url(invoice), {"amount": amount, "idempotency_key": key}, follow=follow)


def release(client: Client, invoice: Invoice, payment: Payment) -> Any:
    return client.post(f"{url(invoice)}{payment.pk}/", follow=True)


def page_of(client: Client, invoice: Invoice) -> str:
    return text_of(client.get(f"/o/alder/invoices/{invoice.pk}/"))


# Shown


def test_invoice_page_shows_customer_credit(
    bob: Client, charlie: Client, invoice: Invoice, overpaid: Payment
) -> None:
    assert "Dana Whitfield has $200.00 credit." in page_of(charlie, invoice)
    assert "Apply Credit" not in page_of(charlie, invoice)
    assert "Apply Credit" in page_of(bob, invoice)


@pytest.mark.parametrize("currency", ["JPY", "USD"])
def test_invoice_page_without_credit_shows_no_credit(bob: Client, dana: Customer, currency: str) -> None:
    if currency == "JPY":
        personas.record_check(personas.sent_invoice(dana, 500), 700)
    assert "credit" not in page_of(bob, personas.sent_invoice(dana, 100_000, currency=currency)).lower()


def test_paid_invoice_page_offers_no_credit(bob: Client, overpaid: Payment) -> None:
    assert overpaid.invoice is not None
    assert "Apply Credit" not in page_of(bob, overpaid.invoice)


def test_customer_page_shows_credit_by_payment(charlie: Client, overpaid: Payment) -> None:
    customer = overpaid.document.customer
    personas.record_check(personas.sent_invoice(customer, 500, currency="JPY"), 700)
    response = charlie.get(f"/o/alder/customers/{customer.pk}/")
    text = text_of(response)
    assert response.context["credit"] == [Money(200, "JPY"), Money(20_000, "USD")]
    assert f"CheckNo. 118 {overpaid.document.number} Paid $700.00 Left $200.00" in text
    assert f"/o/alder/invoices/{overpaid.invoice_id}/" in response.content.decode()


def test_customer_page_without_credit_shows_no_credit(charlie: Client, dana: Customer) -> None:
    assert "credit" not in text_of(charlie.get(f"/o/alder/customers/{dana.pk}/")).lower()


# Applied


@pytest.mark.parametrize(("total", "first"), [(100_000, "200.00"), (15_000, "150.00")])
def test_apply_credit_dialog_starts_with_applicable_amount(
    bob: Client, dana: Customer, overpaid: Payment, total: int, first: str
) -> None:
    page = bob.get(url(personas.sent_invoice(dana, total)))
    assert page.context["form"]["amount"].value() == first


def test_applying_credit_lowers_amount_due(bob: Client, invoice: Invoice, overpaid: Payment) -> None:
    text = text_of(apply(bob, invoice, "150", follow=True))
    assert "$150.00 of credit is on this invoice now." in text
    assert "Total Amount Due $850.00" in text
    assert f"Credit from {overpaid.document.number}" in text
    assert "$150.00 on this invoice" in text
    assert "Bob put $150.00 of credit on the invoice" in text


def test_applying_credit_is_idempotent_on_double_click(
    bob: Client, invoice: Invoice, overpaid: Payment
) -> None:
    assert apply(bob, invoice, "50").status_code == apply(bob, invoice, "50").status_code == 302
    assert Allocation.objects.filter(cause="credit").count() == 1


@pytest.mark.parametrize(
    ("typed", "message"),
    [("", "Enter an amount"), ("0", "above zero"), ("200.01", "at most $200.00: there is no more credit")],
)
def test_invalid_credit_amount_is_refused_on_field(
    bob: Client, invoice: Invoice, overpaid: Payment, typed: str, message: str
) -> None:
    response = apply(bob, invoice, typed)
    assert response.status_code == 422
    assert message in response.context["form"].errors["amount"][0]
    assert response.context["form"]["amount"].value() == typed


def test_credit_above_amount_due_is_refused(bob: Client, dana: Customer, overpaid: Payment) -> None:
    response = apply(bob, personas.sent_invoice(dana, 10_000), "150")
    assert "at most $100.00: no more is due" in response.context["form"].errors["amount"][0]


def test_credit_applied_elsewhere_meanwhile_is_not_available(
    bob: Client, dana: Customer, invoice: Invoice, overpaid: Payment
) -> None:
    other, amount = personas.sent_invoice(dana), Money(15_000, "USD")
    by = personas.owner_actor(dana.organization)
    with race_hook(lambda: credit.apply(other, amount=amount, by=by, now=now())):
        response = apply(bob, invoice, "200")
    assert "at most $50.00: there is no more credit" in response.context["form"].errors["amount"][0]
    assert 'data-limit="5000"' in response.content.decode()


def test_applying_credit_uses_amount_due_after_concurrent_payment(
    bob: Client, invoice: Invoice, overpaid: Payment
) -> None:
    with race_hook(lambda: personas.record_check(invoice, 90_000)):
        response = apply(bob, invoice, "150")
    assert "at most $100.00: no more is due" in response.context["form"].errors["amount"][0]
    assert 'data-due="10000"' in response.content.decode()


def test_applying_credit_names_canceled_request(bob: Client, dana: Customer, overpaid: Payment) -> None:
    invoice = personas.sent_invoice(dana, 30_000)
    personas.request_payment(invoice, 20_000)
    assert "open request for $200.00" in text_of(bob.get(url(invoice)))
    text = text_of(apply(bob, invoice, "150", follow=True))
    assert "Its open request for $200.00 was canceled" in text
    assert PaymentRequest.objects.get().cancel_reason == "invoice_changed"


def test_apply_credit_dialog_without_credit_shows_reason(bob: Client, invoice: Invoice) -> None:
    assert "This customer has no credit in the currency" in text_of(bob.get(url(invoice)))
    assert apply(bob, invoice, "1").status_code == 422


def test_credit_cannot_be_applied_to_draft_invoice(bob: Client, dana: Customer, overpaid: Payment) -> None:
    draft = personas.draft_invoice(dana)
    assert "Send the invoice first" in text_of(bob.get(url(draft)))
    assert apply(bob, draft, "1").status_code == 409


# Released


def test_only_owners_can_release_payment_to_credit(alice: Client, bob: Client, overpaid: Payment) -> None:
    assert overpaid.invoice is not None
    assert "Move to credit…" in page_of(alice, overpaid.invoice)
    assert "Move to credit…" not in page_of(bob, overpaid.invoice)


def test_releasing_payment_to_credit_shows_amount_due_again(alice: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    asks = text_of(alice.get(f"{url(invoice)}{payment.pk}/"))
    assert "Move $300.00 to credit?" in asks
    assert "On this invoice $300.00 is due again." in asks
    text = text_of(release(alice, invoice, payment))
    assert "$300.00 is credit of Dana Whitfield now, and due again on this invoice." in text
    assert "Total Amount Due $1,000.00" in text
    assert "Alice moved $300.00 to the customer’s credit" in text
    assert credit.balances(invoice.customer) == [Money(30_000, "USD")]


def test_payment_cannot_be_released_to_credit_twice(alice: Client, invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 30_000)
    release(alice, invoice, payment)
    assert release(alice, invoice, payment).status_code == 409
    assert "No part of this payment is applied" in text_of(alice.get(f"{url(invoice)}{payment.pk}/"))
    assert "Move to credit…" not in page_of(alice, invoice)


def test_invoice_can_be_voided_after_releasing_payment_to_credit(alice: Client, invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 30_000)
    release(alice, invoice, payment)
    invoices.void(invoice, by=personas.owner_actor(invoice.organization), now=now())
    assert "$0.00 on this invoice" in page_of(alice, invoice)


def test_payment_of_another_organization_cannot_be_released(mallory: Client, overpaid: Payment) -> None:
    address = f"/o/birch/invoices/{overpaid.invoice_id}/credit/{overpaid.pk}/"
    assert mallory.post(address).status_code == 404
