"""Bank debits are captured before Partway can decide, so they are accepted or rejected while they are processing."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices
from partway.billing.errors import PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Alert, Invoice, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support.gateway_driver import GatewayDriver


def refreshed(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


def test_bank_debit_is_accepted_and_pays_request_when_settled(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "debit")
    assert (payment.status, payment.accepted, payment.method) == ("processing", True, "bank_debit")
    gateway_driver.settle_bank_debit(payment)
    assert refreshed(payment).status == "succeeded"
    open_request.refresh_from_db()
    assert (open_request.status, open_request.invoice.amount_due_minor) == ("paid", 70_000)


def test_failed_bank_debit_leaves_request_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "bad_debit")
    gateway_driver.settle_bank_debit(payment, "failed")
    payment = refreshed(payment)
    open_request.refresh_from_db()
    assert (payment.status, payment.failure_code, open_request.status) == (
        "failed",
        "bank_debit_failed",
        "open",
    )


def test_accepted_bank_debit_blocks_cancel_and_void(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        payment_requests.cancel(open_request, by=alice, now=present())
    with pytest.raises(PaymentInProgress):
        invoices.void(open_request.invoice, by=alice, now=present())


@pytest.fixture
def unaccepted_debit(gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor) -> Payment:
    """A debit that started at the same time as the cancellation of its request."""
    payment = gateway_driver.start(open_request)
    gateway_driver.inject_fault("close_too_late")
    payment_requests.cancel(open_request, by=alice, now=present())
    return refreshed(payment)


def test_bank_debit_of_canceled_request_is_not_accepted(
    unaccepted_debit: Payment, open_request: PaymentRequest
) -> None:
    open_request.refresh_from_db()
    statuses = (unaccepted_debit.status, unaccepted_debit.accepted, open_request.status)
    assert statuses == ("processing", False, "canceled")


def test_unaccepted_bank_debit_becomes_credit_and_raises_alert(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment
) -> None:
    gateway_driver.settle_bank_debit(unaccepted_debit)
    payment = refreshed(unaccepted_debit)
    assert (payment.status, payment.invoice.amount_paid_minor) == ("succeeded", 0)
    assert Alert.objects.get(payment=payment).kind == "unwanted_payment"


def test_unaccepted_bank_debit_does_not_block_void(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment, alice: Actor
) -> None:
    invoices.void(unaccepted_debit.invoice, by=alice, now=present())
    gateway_driver.settle_bank_debit(unaccepted_debit)
    payment = refreshed(unaccepted_debit)
    assert (payment.status, payment.invoice.status) == ("succeeded", "void")


def test_unaccepted_bank_debit_that_fails_raises_no_alert(
    gateway_driver: GatewayDriver, unaccepted_debit: Payment
) -> None:
    gateway_driver.settle_bank_debit(unaccepted_debit, "failed")
    assert refreshed(unaccepted_debit).status == "failed"
    assert not Alert.objects.exists()


def test_bank_debit_settled_before_refresh_is_booked_at_once(
    gateway_driver: GatewayDriver, invoice: Invoice
) -> None:
    payment = gateway_driver.start(invoice)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    assert refreshed(payment).status == "succeeded"
    invoice.refresh_from_db()
    assert invoice.status == "paid"
