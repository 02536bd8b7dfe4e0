"""Tests of voiding an unpaid invoice with its open request and its checkout."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.errors import Conflict, NotPayable, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, PaymentRequest
from partway.billing.receivables import credit
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def void(invoice: Invoice, by: Actor) -> Invoice:
    return invoices.void(invoice, by=by, now=present())


def test_voided_draft_invoice_uses_no_number(dana: Customer, alice: Actor) -> None:
    assert void(personas.draft_invoice(dana), alice).number is None
    assert personas.sent_invoice(dana).number == "INV-0001"


def test_a_void_invoice_keeps_its_number(invoice: Invoice, alice: Actor) -> None:
    assert void(invoice, alice).number == "INV-0001"


def test_voiding_invoice_cancels_open_request(open_request: PaymentRequest, alice: Actor) -> None:
    void(open_request.invoice, alice)
    open_request.refresh_from_db()
    assert (open_request.status, open_request.cancel_reason) == ("canceled", "invoice_voided")
    moved = Event.objects.filter(type__in=["payment_request.canceled", "invoice.voided"]).count()
    assert moved == 2


@pytest.mark.parametrize("by_request", [True, False])
def test_voiding_invoice_closes_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor, by_request: bool
) -> None:
    payment = gateway_driver.start(open_request if by_request else open_request.invoice)
    void(open_request.invoice, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)


def test_links_of_void_invoice_are_not_payable(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    void(open_request.invoice, alice)
    for source in (open_request, open_request.invoice):
        with pytest.raises(NotPayable) as refusal:
            gateway_driver.start(source)
        assert refusal.value.reason == "void"


def test_voiding_invoice_releases_authorized_card(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    payment = gateway_driver.start(invoice)
    gateway_driver.pay(payment)
    void(invoice, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_voiding_invoice_is_refused_while_bank_debit_is_processing(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    gateway_driver.start_and_pay(invoice, "debit")
    with pytest.raises(PaymentInProgress):
        void(invoice, alice)


def test_voiding_partly_paid_invoice_is_refused(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(open_request)
    with pytest.raises(Conflict) as refusal:
        void(open_request.invoice, alice)
    assert refusal.value.reason == "void_with_payments"
    assert refusal.value.params == {"paid": Money(30_000, "USD")}


@pytest.mark.parametrize("end", ["void", "paid"])
def test_void_or_paid_invoice_cannot_be_voided(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor, end: str
) -> None:
    if end == "paid":
        gateway_driver.start_and_pay(invoice)
    else:
        void(invoice, alice)
    with pytest.raises(Conflict):
        void(invoice, alice)


@pytest.mark.parametrize("sent", [False, True])
def test_voiding_quote_invoice_makes_quote_accepted_again(dana: Customer, alice: Actor, sent: bool) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    first = quotes.create_invoice(quote, by=alice, now=present())
    if sent:
        invoices.send(first, by=alice, now=present())
    void(first, alice)
    quote.refresh_from_db()
    assert quote.status == "accepted"
    event = Event.objects.get(type="quote.reopened")
    assert (event.data["invoice"], event.data["number"]) == (first.pk, "INV-0001" if sent else "")
    second = quotes.create_invoice(quote, by=alice, now=present())
    assert second != first
    assert quotes.create_invoice(quote, by=alice, now=present()) == second


def test_voiding_invoice_without_quote_reopens_none(dana: Customer, invoice: Invoice, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    quotes.create_invoice(quote, by=alice, now=present())
    void(invoice, alice)
    quote.refresh_from_db()
    assert quote.status == "invoiced"


def test_voiding_invoice_with_deposit_is_refused_and_names_remedy(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    with pytest.raises(Conflict) as refusal:
        void(invoice, alice)
    assert refusal.value.reason == "void_with_deposit"
    assert refusal.value.params == {"quote": "QUO-0001", "paid": Money(30_000, "USD")}
    credit.deallocate(invoice, deposit, by=alice, now=present())
    assert void(invoice, alice).status == "void"


def test_void_refusal_distinguishes_deposit_from_other_payments(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    record(invoice, 10_000, alice)
    with pytest.raises(Conflict) as refusal:
        void(invoice, alice)
    assert refusal.value.reason == "void_with_payments"
    assert refusal.value.params == {"paid": Money(40_000, "USD")}
