"""The Record Refund dialog of a payment and of credit, where it is offered, and taking a refund back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from partway.billing.alerts import raise_for_payment
from partway.billing.models import Customer, Invoice, Payment, Refund
from partway.lib.clock import now, today
from partway.lib.money import Money
from tests.staff.confirmation_pages import hidden_fields
from tests.staff.race_hook import race_hook
from tests.support import personas
from tests.support.html_text import text_of


@pytest.fixture
def overpaid(invoice: Invoice) -> Payment:
    """$1,200.00 by check for an invoice of $1,000.00."""
    return personas.record_check(invoice, 120_000)


def of_payment(payment: Payment) -> str:
    return f"/o/alder/payments/{payment.pk}/refund/"


def of_credit(customer: Customer) -> str:
    return f"/o/alder/customers/{customer.pk}/refund/"


def give_back(client: Client, url: str, amount: str, *, follow: bool = False, **changes: str) -> Any:
    day = today(now(), "America/New_York").isoformat()
    typed = {"amount": amount, "method": "Cash", "refunded_on": day, "currency": "USD"}
    return client.post(url, {**typed, "idempotency_key": "key-1", **changes}, follow=follow)


def test_refund_of_payment_starts_with_its_credit(alice: Client, overpaid: Payment) -> None:
    page = alice.get(of_payment(overpaid))
    assert page.context["form"]["amount"].value() == "200.00"
    text = text_of(page)
    assert "$200.00 of the payment is credit, which goes first." in text
    assert f"$1,000.00 is applied to {overpaid.document.number}." in text


def test_refund_of_credit_of_two_payments_names_both_before_it_is_recorded(
    alice: Client, overpaid: Payment, dana: Customer
) -> None:
    personas.record_check(personas.sent_invoice(dana, 10_000), 15_000)
    page = alice.get(of_credit(dana))
    asked = give_back(alice, of_credit(dana), "220.00", **hidden_fields(page))
    told = text_of(asked)
    assert "$200.00 of the payment of $1,200.00 for INV-0001" in told
    assert "$20.00 of the payment of $150.00 for INV-0002" in told
    assert not Refund.objects.exists()
    assert give_back(alice, of_credit(dana), "220.00", **hidden_fields(asked)).status_code == 302
    assert list(Refund.objects.order_by("pk").values_list("amount_minor", flat=True)) == [20_000, 2_000]


def test_refund_of_credit_that_moved_meanwhile_is_refused(
    alice: Client, overpaid: Payment, dana: Customer
) -> None:
    shown = hidden_fields(alice.get(of_credit(dana)))
    personas.record_check(personas.sent_invoice(dana, 10_000), 15_000)
    refused = give_back(alice, of_credit(dana), "100.00", **shown)
    assert (refused.status_code, Refund.objects.exists()) == (409, False)
    assert "The money is elsewhere now than this page showed." in text_of(refused)


def test_refund_of_payment_is_recorded(alice: Client, overpaid: Payment) -> None:
    text = text_of(give_back(alice, of_payment(overpaid), "300.00", follow=True, reference="No. 4"))
    assert "It is recorded that $300.00 was given back to Dana Whitfield." in text
    assert "Total Amount Due $100.00" in text
    assert "$300.00 given back" in text
    assert "Alice recorded that $300.00 was given back (Cash)" in text
    assert "$100.00 was taken off the invoice, because it was given back" in text


def test_refund_that_reduces_invoice_leaves_it_paid(alice: Client, overpaid: Payment) -> None:
    text = text_of(give_back(alice, of_payment(overpaid), "300.00", follow=True, reduces_invoice="on"))
    assert "Total Amount Due $0.00" in text
    assert "Goodwill Settled $100.00" in text


def test_refund_of_deposit_says_that_it_is_due_again(alice: Client, dana: Customer) -> None:
    deposit = personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))
    text = text_of(alice.get(of_payment(deposit)))
    assert "This is the deposit of quote QUO-0001." in text
    assert "is credit, which goes first" not in text
    text = text_of(give_back(alice, of_payment(deposit), "250.00", follow=True))
    assert "The $50.00 that you keep is credit of Dana Whitfield." in text
    assert "No longer the deposit of the quote" in text
    assert "Record Deposit" in text


def test_refund_of_credit_is_listed_on_customer_page(
    alice: Client, overpaid: Payment, invoice: Invoice
) -> None:
    page = f"/o/alder/customers/{invoice.customer_id}/"
    assert of_credit(invoice.customer) in alice.get(page).content.decode()
    text = text_of(give_back(alice, of_credit(invoice.customer), "150.00", follow=True))
    assert "Refunds" in text
    assert f"CashOf a payment for {invoice.number} Succeeded $150.00" in text
    assert "$50.00 credit." in text


def test_refund_beyond_credit_names_what_is_left(alice: Client, overpaid: Payment, invoice: Invoice) -> None:
    refused = give_back(alice, of_credit(invoice.customer), "200.01")
    assert refused.status_code == 422
    assert "Enter at most $200.00: there is no more credit." in text_of(refused)


def test_refund_of_credit_that_another_tab_used_is_refused(
    alice: Client, overpaid: Payment, invoice: Invoice
) -> None:
    url = of_credit(invoice.customer)
    with race_hook(lambda: give_back(alice, url, "150.00", idempotency_key="key-2")):
        refused = give_back(alice, url, "150.00")
    assert refused.status_code == 422
    assert "Enter at most $50.00" in text_of(refused)


def test_refund_is_recorded_once_on_double_click(alice: Client, overpaid: Payment) -> None:
    for _ in range(2):
        assert give_back(alice, of_payment(overpaid), "100.00").status_code == 302
    assert Refund.objects.count() == 1


def test_refund_with_wrong_fields_keeps_what_was_typed(alice: Client, overpaid: Payment) -> None:
    refused = give_back(alice, of_payment(overpaid), "12,34,5", method="Barter", reference="No. 4")
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {"amount", "method"}
    assert 'value="No. 4"' in refused.content.decode()


def test_credit_of_another_currency_is_given_back_in_it(alice: Client, invoice: Invoice) -> None:
    yen = personas.sent_invoice(invoice.customer, 500, currency="JPY")
    personas.record_check(yen, 700)
    personas.record_check(invoice, 120_000)
    page = alice.get(of_credit(invoice.customer), {"currency": "JPY"})
    assert page.context["form"]["amount"].value() == "200"
    give_back(alice, of_credit(invoice.customer), "200", currency="JPY")
    assert Refund.objects.get().amount == Money(200, "JPY")


def test_customer_without_credit_has_nothing_to_give_back(alice: Client, invoice: Invoice) -> None:
    assert "This customer has no credit." in text_of(alice.get(of_credit(invoice.customer)))


def test_collector_records_no_refund(bob: Client, overpaid: Payment, invoice: Invoice) -> None:
    assert bob.get(of_payment(overpaid)).status_code == 403
    assert of_payment(overpaid) not in bob.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()


def test_attention_leads_to_refund(alice: Client, overpaid: Payment) -> None:
    raise_for_payment("unwanted_payment", overpaid, now=now(), captured=overpaid.captured)
    assert of_payment(overpaid) in alice.get("/o/alder/attention/").content.decode()


def test_refund_is_reversed_with_reason(alice: Client, overpaid: Payment) -> None:
    give_back(alice, of_payment(overpaid), "100.00")
    refund = Refund.objects.get()
    url = f"/o/alder/refunds/{refund.pk}/reverse/"
    assert "Reverse the refund of $100.00?" in text_of(alice.get(url))
    assert alice.post(url, {"reason": ""}).status_code == 422
    text = text_of(alice.post(url, {"reason": "Wrong customer."}, follow=True))
    assert "$100.00 is credit of Dana Whitfield again." in text
    assert "This refund was reversed already." in text_of(alice.get(url))


def test_payment_with_refund_cannot_be_reversed(alice: Client, overpaid: Payment) -> None:
    give_back(alice, of_payment(overpaid), "100.00")
    page = alice.get(f"/o/alder/payments/{overpaid.pk}/reverse/")
    assert "$100.00 of this payment was given back. Reverse that refund first." in text_of(page)
