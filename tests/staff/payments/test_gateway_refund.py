"""The Refund dialog of an online payment: from where the money is taken, and the outcome."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Payment, Refund
from partway.billing.people import gateway_accounts
from partway.billing.receivables import credit
from partway.lib.clock import now
from partway.lib.money import Money
from tests.staff.confirmation_pages import hidden_fields
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver
from tests.support.html_text import text_of
from tests.support.sandbox_server import SandboxServer


@pytest.fixture
def company(sandbox_server: SandboxServer, organization: Organization, settings: Settings) -> GatewayDriver:
    """An account of alder there; its callbacks go nowhere."""
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": sandbox_server.url}
    by = personas.owner_actor(organization)
    account = gateway_accounts.connect(organization, gateway="sandbox", credentials={}, by=by, now=now())
    return GatewayDriver(sandbox_server, None, account)


@pytest.fixture
def paid(company: GatewayDriver, invoice: Invoice) -> Payment:
    """$300.00 online, of an invoice of $1,000.00."""
    return company.start_and_pay(personas.request_payment(invoice))


def url(payment: Payment) -> str:
    return f"/o/alder/payments/{payment.pk}/gateway-refund/"


def send_back(client: Client, payment: Payment, amount: str, **changes: str) -> Any:
    typed = {"amount": amount, "reason": "complaint", "idempotency_key": "key-1", **changes}
    return client.post(url(payment), typed, follow=True)


def test_refund_starts_with_what_is_left(alice: Client, paid: Payment) -> None:
    personas.give_back(paid, 10_000)
    page = alice.get(url(paid))
    assert page.context["form"]["amount"].value() == "200.00"
    assert "Dana Whitfield paid $300.00, of which $200.00 is left." in text_of(page)
    assert f"$200.00 is applied to {paid.document.number}." in text_of(page)


def test_refund_starts_with_what_the_gateway_can_send_back(
    alice: Client, company: GatewayDriver, dana: Customer
) -> None:
    paid = company.start_and_pay(personas.sent_invoice(dana, 50_000, currency="KWD"))
    personas.give_back(paid, 12_345)
    page = alice.get(url(paid))
    assert page.context["form"]["amount"].value() == "37.65"
    assert "of which KWD 37.655 is left" in text_of(page)
    assert "Send KWD 37.650 back" in text_of(page)


def test_refund_names_credit_and_every_invoice_it_is_taken_from(
    alice: Client, paid: Payment, invoice: Invoice
) -> None:
    by = personas.owner_actor(invoice.organization)
    credit.deallocate(invoice, paid, by=by, now=now())
    for number, amount in enumerate((10_000, 15_000)):
        other = personas.sent_invoice(invoice.customer, 20_000 + number)
        credit.apply(other, amount=Money(amount, "USD"), by=by, now=now())
    text = text_of(alice.get(url(paid)))
    assert "$50.00 of the payment is credit, which goes first." in text
    assert "What is given back comes from the latest invoice first." in text
    assert text.index("$150.00 is applied to") < text.index("$100.00 is applied to")


def test_refund_of_money_in_several_places_is_sent_once_their_parts_are_confirmed(
    alice: Client, paid: Payment, invoice: Invoice
) -> None:
    by = personas.owner_actor(invoice.organization)
    credit.deallocate(invoice, paid, by=by, now=now())
    other = personas.sent_invoice(invoice.customer, 20_000)
    credit.apply(other, amount=Money(20_000, "USD"), by=by, now=now())
    typed = {**hidden_fields(alice.get(url(paid))), "amount": "150.00", "reason": "complaint"}
    asked = alice.post(url(paid), typed)
    assert "$100.00 of the payment’s credit $50.00 of INV-0002, where it is due again" in text_of(asked)
    assert "Send $150.00 back" in text_of(asked)
    assert not paid.refunds.exists()
    changed = alice.post(url(paid), {**typed, **hidden_fields(asked), "amount": "160.00"})
    assert "$60.00 of INV-0002" in text_of(changed)
    assert alice.post(url(paid), {**typed, **hidden_fields(asked)}).status_code == 302
    assert paid.refunds.get().amount_minor == 15_000


def test_refund_is_refused_once_money_is_elsewhere_than_the_page_showed(
    alice: Client, paid: Payment, invoice: Invoice
) -> None:
    typed = {**hidden_fields(alice.get(url(paid))), "amount": "150.00", "reason": "complaint"}
    credit.deallocate(invoice, paid, by=personas.owner_actor(invoice.organization), now=now())
    refused = alice.post(url(paid), typed)
    assert (refused.status_code, paid.refunds.exists()) == (409, False)
    assert "The money is elsewhere now than this page showed." in text_of(refused)
    typed |= hidden_fields(refused)
    assert alice.post(url(paid), typed).status_code == 302


def test_refund_is_sent_and_due_again(alice: Client, paid: Payment) -> None:
    text = text_of(send_back(alice, paid, "100.00", note="Wrong color."))
    assert "$100.00 is on its way back to Dana Whitfield." in text
    assert "Total Amount Due $800.00" in text
    assert "$100.00 given back" in text
    assert "Alice sent $100.00 back to the customer (The customer is not satisfied)" in text
    assert "Wrong color." in text
    assert "The payment service confirmed the refund of $100.00" in text


def test_refund_can_reduce_the_invoice(alice: Client, paid: Payment) -> None:
    assert "Total Amount Due $700.00" in text_of(send_back(alice, paid, "100.00", reduces_invoice="on"))


def test_refund_without_answer_says_that_it_is_not_confirmed(
    alice: Client, paid: Payment, company: GatewayDriver
) -> None:
    company.inject_fault("timeout_after_success", act="refund")
    text = text_of(send_back(alice, paid, "100.00"))
    assert (
        "$100.00 is being sent back to Dana Whitfield. The payment service has not confirmed it yet." in text
    )
    assert "$100.00 of it is not confirmed yet" in text


def test_refused_refund_can_be_tried_again(alice: Client, paid: Payment, company: GatewayDriver) -> None:
    company.inject_fault("refund_refused")
    refused = send_back(alice, paid, "100.00")
    assert "The payment service did not send it back: This payment cannot be refunded" in text_of(refused)
    send_back(alice, paid, "100.00", idempotency_key=refused.context["form"]["idempotency_key"].value())
    assert sorted(Refund.objects.values_list("status", flat=True)) == ["failed", "succeeded"]


def test_second_tab_is_told_what_is_left(alice: Client, paid: Payment) -> None:
    send_back(alice, paid, "200.00")
    second = send_back(alice, paid, "300.00", idempotency_key="key-2")
    assert second.status_code == 409
    assert "Only $100.00 of this payment is left. Enter at most that." in text_of(second)


def test_double_click_refunds_once(alice: Client, paid: Payment) -> None:
    for _ in range(2):
        assert "is on its way back" in text_of(send_back(alice, paid, "100.00"))
    assert Refund.objects.count() == 1


def test_refund_with_wrong_fields_keeps_what_was_typed(alice: Client, paid: Payment) -> None:
    refused = send_back(alice, paid, "12,34,5", reason="", note="Wrong color.")
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"amount", "reason"})
    assert "Wrong color." in refused.content.decode()


def test_refund_is_offered_for_online_payments_only(
    alice: Client, bob: Client, charlie: Client, paid: Payment, invoice: Invoice
) -> None:
    check = personas.record_check(invoice, 10_000)
    page = alice.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    assert (url(paid) in page, url(check) in page) == (True, False)
    for client in (bob, charlie):
        assert url(paid) not in client.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    assert "No payment service took this money." in text_of(alice.get(url(check)))


def test_refund_in_dashboard_is_shown_on_invoice(alice: Client, paid: Payment, invoice: Invoice) -> None:
    personas.refund_in_dashboard(paid, 10_000)
    text = text_of(alice.get(f"/o/alder/invoices/{invoice.pk}/"))
    assert "$100.00 was sent back in the dashboard of the payment service" in text
    assert "in the dashboard of the payment service. It is booked" in text_of(
        alice.get("/o/alder/attention/")
    )


def test_failed_refund_offers_another_way(alice: Client, paid: Payment) -> None:
    personas.fail_refund(personas.refund_in_dashboard(paid, 10_000))
    page = alice.get("/o/alder/attention/")
    assert "The refund of $100.00 failed" in text_of(page)
    assert url(paid) in page.content.decode()
