"""Voiding ends an unpaid invoice, its open request and its checkout."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.errors import Conflict, NotPayable, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, PaymentRequest
from partway.billing.receivables import credit
from partway.lib.clock import now as present
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def void(invoice: Invoice, by: Actor) -> Invoice:
    return invoices.void(invoice, by=by, now=present())


def test_a_draft_can_be_voided_and_uses_no_number(dana: Customer, alice: Actor) -> None:
    assert void(personas.draft_invoice(dana), alice).number is None
    assert personas.sent_invoice(dana).number == "INV-0001"


def test_a_void_invoice_keeps_its_number(invoice: Invoice, alice: Actor) -> None:
    assert void(invoice, alice).number == "INV-0001"


def test_its_open_request_is_canceled_with_it(asked: PaymentRequest, alice: Actor) -> None:
    void(asked.invoice, alice)
    asked.refresh_from_db()
    assert (asked.status, asked.cancel_reason) == ("canceled", "invoice_voided")
    moved = Event.objects.filter(type__in=["payment_request.canceled", "invoice.voided"]).count()
    assert moved == 2


@pytest.mark.parametrize("by_request", [True, False])
def test_its_checkout_is_closed(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor, by_request: bool
) -> None:
    payment = gateway_driver.start(asked if by_request else asked.invoice)
    void(asked.invoice, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)


def test_its_links_say_so(gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor) -> None:
    void(asked.invoice, alice)
    for source in (asked, asked.invoice):
        with pytest.raises(NotPayable) as refusal:
            gateway_driver.start(source)
        assert refusal.value.reason == "void"


def test_an_authorized_card_is_let_go(gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor) -> None:
    payment = gateway_driver.start(invoice)
    gateway_driver.pay(payment)
    void(invoice, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_money_at_the_bank_refuses_it(gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor) -> None:
    gateway_driver.start_and_pay(invoice, "debit")
    with pytest.raises(PaymentInProgress):
        void(invoice, alice)


def test_money_on_it_refuses_it(gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor) -> None:
    gateway_driver.start_and_pay(asked)
    with pytest.raises(Conflict) as refusal:
        void(asked.invoice, alice)
    assert "$300.00 was paid" in refusal.value.message


@pytest.mark.parametrize("end", ["void", "paid"])
def test_what_has_ended_is_not_voided(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor, end: str
) -> None:
    if end == "paid":
        gateway_driver.start_and_pay(invoice)
    else:
        void(invoice, alice)
    with pytest.raises(Conflict):
        void(invoice, alice)


def test_a_deposit_on_it_refuses_it_and_names_the_way_out(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    with pytest.raises(Conflict) as refusal:
        void(invoice, alice)
    assert "deposit of QUO-0001, $300.00" in refusal.value.message
    assert "Move it to the customer's credit first" in refusal.value.message
    credit.release(invoice, deposit, by=alice, now=present())
    assert void(invoice, alice).status == "void"


def test_a_deposit_beside_another_payment_is_not_called_all_of_it(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    record(invoice, 10_000, alice)
    with pytest.raises(Conflict) as refusal:
        void(invoice, alice)
    assert "$400.00 was paid on this invoice. Move it" in refusal.value.message
