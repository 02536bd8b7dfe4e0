"""Card payments: the amount is captured once, and booked in one transaction."""

from __future__ import annotations

import pytest

from partway.billing.errors import NotPayable, PaymentInProgress
from partway.billing.models import Alert, Event, Invoice, Mail, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def test_card_payment_of_request_pays_requested_part(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    open_request.refresh_from_db()
    assert (payment.status, payment.captured, payment.method) == ("succeeded", Money(30_000, "USD"), "card")
    assert (open_request.status, open_request.invoice.status, open_request.invoice.amount_due_minor) == (
        "paid",
        "sent",
        70_000,
    )
    assert gateway_driver.captures_of(payment) == [30_000]


def test_open_checkout_charges_nothing(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> None:
    payment = refresh_payment(gateway_driver.start(open_request), now=present())
    assert (payment.status, gateway_driver.captures_of(payment)) == ("pending", [])


def test_staged_payments_pay_the_whole_invoice(gateway_driver: GatewayDriver, invoice: Invoice) -> None:
    for amount in (30_000, 45_000, 25_000):
        gateway_driver.start_and_pay(personas.request_payment(invoice, amount))
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due_minor) == ("paid", 0)
    assert [line["captured"] for line in gateway_driver.ledger().values()] == [30_000, 45_000, 25_000]


def test_pay_now_charges_whole_amount_due(gateway_driver: GatewayDriver, invoice: Invoice) -> None:
    gateway_driver.start_and_pay(personas.request_payment(invoice, 30_000))
    invoice.refresh_from_db()
    payment = gateway_driver.start_and_pay(invoice)
    invoice.refresh_from_db()
    assert (payment.amount_minor, invoice.status) == (70_000, "paid")


def test_pay_now_cancels_the_open_request(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice
) -> None:
    gateway_driver.start_and_pay(invoice)
    open_request.refresh_from_db()
    assert (open_request.status, open_request.cancel_reason) == ("canceled", "invoice_paid")


def test_booking_queues_receipt_and_payment_received_mail(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    mails = Mail.objects.filter(payment=payment).order_by("id")
    assert [mail.kind for mail in mails] == ["receipt", "payment_received"]
    assert mails[0].data == {
        "paid_before_minor": 0,
        "total_minor": 100_000,
        "allocated_minor": 30_000,
        "adjusted_minor": 0,
        "amount_due_minor": 70_000,
    }


def test_card_payment_records_one_event_per_step(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    steps = ["started", "authorized", "capturing", "succeeded", "fee_booked"]
    written = Event.objects.filter(payment=payment).order_by("id").values_list("type", flat=True)
    assert list(written) == [f"payment.{step}" for step in steps]


def test_starting_same_link_twice_returns_same_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    first, second = gateway_driver.start(open_request), gateway_driver.start(open_request)
    assert (first.pk, first.checkout_url) == (second.pk, second.checkout_url)
    assert len(gateway_driver.ledger()) == 1


def test_start_with_outdated_amount_is_not_payable(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    with pytest.raises(NotPayable) as refusal:
        start_payment(open_request, expected_amount=Money(29_999, "USD"), payer_ip=None, now=present())
    assert refusal.value.reason == "changed"
    assert gateway_driver.ledger() == {}


def test_pay_now_start_closes_checkout_of_request(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice
) -> None:
    first = gateway_driver.start(open_request)
    second = gateway_driver.start(invoice)
    assert gateway_driver.pay(first).status_code == 410
    first.refresh_from_db()
    assert (first.status, second.amount_minor) == ("canceled", 100_000)


def test_request_and_pay_now_of_same_amount_use_two_checkouts(
    gateway_driver: GatewayDriver, invoice: Invoice
) -> None:
    by_request = gateway_driver.start(personas.request_payment(invoice, 100_000))
    assert gateway_driver.start(invoice).pk != by_request.pk
    by_request.refresh_from_db()
    assert by_request.status == "canceled"


def test_open_pay_now_checkout_leaves_request_payable(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice
) -> None:
    gateway_driver.start(invoice)
    assert gateway_driver.start_and_pay(open_request).status == "succeeded"


def test_pay_now_is_refused_while_bank_debit_of_request_is_processing(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice
) -> None:
    gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        gateway_driver.start(invoice)


def test_pay_now_start_releases_card_authorized_for_request(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice
) -> None:
    first = gateway_driver.start(open_request)
    gateway_driver.pay(first)
    second = gateway_driver.start(invoice)
    first.refresh_from_db()
    assert (first.status, gateway_driver.captures_of(first), second.status) == ("canceled", [], "pending")


def test_captured_amount_below_requested_is_booked_and_raises_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=-300)
    payment = gateway_driver.start_and_pay(open_request)
    open_request.refresh_from_db()
    assert (payment.captured_minor, open_request.invoice.amount_paid_minor, open_request.status) == (
        29_700,
        29_700,
        "paid",
    )
    assert Alert.objects.get(payment=payment).kind == "captured_amount_mismatch"


def test_captured_amount_above_amount_due_becomes_credit_and_raises_alert(
    gateway_driver: GatewayDriver, invoice: Invoice
) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=500)
    payment = gateway_driver.start_and_pay(invoice)
    invoice.refresh_from_db()
    assert (payment.captured_minor, invoice.amount_paid_minor, invoice.status) == (100_500, 100_000, "paid")
    assert Alert.objects.get(payment=payment).kind == "captured_amount_mismatch"


@pytest.mark.parametrize("refreshes", [1, 2, 5])
def test_refresh_of_settled_payment_changes_nothing(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, refreshes: int
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    events = Event.objects.count()
    for _ in range(refreshes):
        refresh_payment(payment, now=present())
    assert (Event.objects.count(), gateway_driver.captures_of(payment)) == (events, [30_000])
