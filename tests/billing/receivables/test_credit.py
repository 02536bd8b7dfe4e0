"""Tests of customer credit: its balances, applying it, and moving payments to it."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.errors import Conflict, Invalid, InvoiceNotSent, NotPayable, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Mail, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.billing.receivables import credit
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def overpaid(dana: Customer, alice: Actor) -> Payment:
    """Dana paid $700.00 for an invoice of $500.00."""
    return record(personas.sent_invoice(dana, 50_000), 70_000, alice, keep_rest_as_credit=True)


def apply(invoice: Invoice, amount_minor: int, by: Actor, idempotency_key: str | None = None) -> Event:
    amount = Money(amount_minor, invoice.currency)
    return credit.apply(invoice, amount=amount, by=by, now=present(), idempotency_key=idempotency_key)


def test_unallocated_part_of_payment_is_credit(overpaid: Payment, dana: Customer) -> None:
    assert credit.balances(dana) == [Money(20_000, "USD")]


def test_credit_is_kept_per_currency(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    record(personas.sent_invoice(dana, 500, currency="JPY"), 700, alice, keep_rest_as_credit=True)
    assert credit.balances(dana) == [Money(200, "JPY"), Money(20_000, "USD")]


def test_deposit_waiting_for_its_invoice_is_not_credit(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    assert credit.balances(dana) == []


def test_credit_is_applied_to_another_invoice(
    overpaid: Payment, invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    event = apply(invoice, 15_000, alice)
    invoice.refresh_from_db()
    assert (invoice.amount_due_minor, credit.balances(dana)) == (85_000, [Money(5_000, "USD")])
    assert (event.type, event.data["payments"]) == ("credit.applied", {overpaid.pk: 15_000})


def test_oldest_credit_is_applied_first(
    overpaid: Payment, invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    younger = record(personas.sent_invoice(dana, 10_000), 40_000, alice, keep_rest_as_credit=True)
    event = apply(invoice, 30_000, alice)
    assert event.data["payments"] == {overpaid.pk: 20_000, younger.pk: 10_000}


def test_credit_in_another_currency_is_not_applied(
    invoice: Invoice, dana: Customer, alice: Actor, request: pytest.FixtureRequest
) -> None:
    record(personas.sent_invoice(dana, 500, currency="JPY"), 700, alice, keep_rest_as_credit=True)
    overpaid = request.getfixturevalue("overpaid")  # the younger of the two
    assert apply(invoice, 100, alice).data["payments"] == {overpaid.pk: 100}


def test_credit_can_pay_whole_invoice(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    invoice = personas.sent_invoice(dana, 20_000)
    apply(invoice, 20_000, alice)
    assert Invoice.objects.get(pk=invoice.pk).status == "paid"


@pytest.mark.parametrize(
    ("amount", "due", "code"),
    [
        (0, 100_000, "amount_too_small"),
        (20_001, 100_000, "invalid"),
        (10_001, 10_000, "amount_exceeds_due"),
    ],
)
def test_credit_beyond_available_or_amount_due_is_refused(
    overpaid: Payment, dana: Customer, alice: Actor, amount: int, due: int, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        apply(personas.sent_invoice(dana, due), amount, alice)
    assert refusal.value.code == code


def test_credit_of_another_customer_cannot_be_applied(overpaid: Payment, alice: Actor) -> None:
    other = personas.sent_invoice(personas.customer(overpaid.organization, "Eli Other"))
    with pytest.raises(Invalid):
        apply(other, 100, alice)


def test_credit_cannot_be_applied_to_draft_invoice(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    with pytest.raises(InvoiceNotSent):
        apply(personas.draft_invoice(dana), 100, alice)


def test_credit_is_applied_once_per_idempotency_key(
    overpaid: Payment, invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    first = apply(invoice, 5_000, alice, idempotency_key="form-1")
    assert apply(invoice, 5_000, alice, idempotency_key="form-1") == first
    assert credit.balances(dana) == [Money(15_000, "USD")]
    with pytest.raises(Conflict):
        apply(invoice, 6_000, alice, idempotency_key="form-1")


@pytest.mark.parametrize(("asks", "reason"), [(10_000, "invoice_paid"), (9_000, "invoice_changed")])
def test_applying_credit_cancels_request_larger_than_amount_due(
    overpaid: Payment, dana: Customer, alice: Actor, asks: int, reason: str
) -> None:
    open_request = personas.request_payment(personas.sent_invoice(dana, 10_000), asks)
    apply(open_request.invoice, 10_000 if reason == "invoice_paid" else 5_000, alice)
    open_request.refresh_from_db()
    assert (open_request.status, open_request.cancel_reason) == ("canceled", reason)


def test_applying_credit_is_refused_when_processing_payment_needs_amount_due(
    gateway_driver: GatewayDriver, overpaid: Payment, dana: Customer, alice: Actor
) -> None:
    open_request = personas.request_payment(personas.sent_invoice(dana, 20_000), 15_000)
    payment = gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        apply(open_request.invoice, 5_001, alice)
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())


def test_voiding_invoice_with_open_checkout_leaves_no_credit(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    invoices.void(open_request.invoice, by=alice, now=present())
    payment.refresh_from_db()
    assert (payment.status, credit.balances(open_request.invoice.customer)) == ("canceled", [])


# Moving it off an invoice


def test_payment_released_from_invoice_becomes_credit(invoice: Invoice, dana: Customer, alice: Actor) -> None:
    payment = record(invoice, 100_000, alice)
    assert credit.deallocate(invoice, payment, by=alice, now=present()) == Money(100_000, "USD")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due_minor) == ("sent", 100_000)
    assert credit.balances(dana) == [Money(100_000, "USD")]


def test_payment_cannot_be_released_from_invoice_twice(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 40_000, alice)
    credit.deallocate(invoice, payment, by=alice, now=present())
    with pytest.raises(Conflict):
        credit.deallocate(invoice, payment, by=alice, now=present())


def test_invoice_can_be_voided_after_its_deposit_was_released(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    with pytest.raises(Conflict):
        invoices.void(invoice, by=alice, now=present())
    credit.deallocate(invoice, deposit, by=alice, now=present())
    assert invoices.void(invoice, by=alice, now=present()).status == "void"
    assert credit.balances(dana) == [Money(30_000, "USD")]


def test_requester_is_mailed_when_credit_pays_whole_invoice(overpaid: Payment, dana: Customer) -> None:
    open_request = personas.request_payment(personas.sent_invoice(dana, 10_000), 5_000)
    apply(open_request.invoice, 10_000, Actor("member", "mem_bob", "Bob"))
    assert Mail.objects.filter(kind="payment_request_ended").count() == 1


@pytest.mark.parametrize(("recorded", "reason"), [(100_000, "settled"), (80_000, "canceled")])
def test_canceled_request_link_is_settled_only_when_nothing_is_due(
    open_request: PaymentRequest, alice: Actor, recorded: int, reason: str
) -> None:
    record(open_request.invoice, recorded, alice)
    open_request.refresh_from_db()
    open_request.invoice.refresh_from_db()
    with pytest.raises(NotPayable) as refusal:
        check_payable(open_request, now=present())
    assert refusal.value.reason == reason
