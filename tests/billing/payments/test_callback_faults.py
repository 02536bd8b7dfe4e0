"""Faults of callbacks on their way from the gateway to the server: one payment, one receipt, one charge."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.live_server_helper import LiveServer

from partway.billing.events import Actor
from partway.billing.models import Alert, Callback, Event, Mail, Payment, PaymentRequest
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support.gateway_driver import GatewayDriver, PaymentTarget, process_all_callbacks
from tests.support.sandbox_server import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def partway_url(live_server: LiveServer) -> str:
    """Our server on a real port, so callbacks arrive by themselves."""
    return str(live_server.url)


def booked(gateway_driver: GatewayDriver, *kinds: str) -> bool:
    """Returns whether exactly the callbacks of these changes have arrived and are processed."""
    done = Callback.objects.filter(status="processed").values_list("event_type", flat=True)
    return sorted(done) == sorted(gateway_driver.event_types(*kinds))


def assert_paid_once(gateway_driver: GatewayDriver, payment: Payment) -> None:
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.captures_of(payment)) == ("succeeded", [30_000])
    assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1
    assert Mail.objects.filter(payment=payment, kind="receipt").count() == 1
    assert "You paid Alder Joinery" in gateway_driver.receipt(payment)


UNKNOWN = pytest.mark.sandbox_only("Stripe sends no event about an object that it does not have")


@pytest.mark.parametrize(
    "fault",
    [
        *("callback_first", "callback_twice", "callback_late"),
        pytest.param("callback_unknown", marks=UNKNOWN),
    ],
)
def test_callbacks_alone_complete_payment_exactly_once(
    gateway_driver: GatewayDriver, source: PaymentTarget, fault: str
) -> None:
    gateway_driver.inject_fault(fault, count=2, delay=0.2)
    payment = gateway_driver.start(source)
    gateway_driver.pay(payment)
    wait_until(lambda: booked(gateway_driver, "authorized", "captured"))
    assert_paid_once(gateway_driver, payment)


def test_out_of_order_callbacks_complete_payment_exactly_once(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    gateway_driver.inject_fault("callback_out_of_order")
    payment = gateway_driver.start_and_pay(source)
    wait_until(lambda: booked(gateway_driver, "authorized", "captured"))
    assert_paid_once(gateway_driver, payment)


def test_worker_completes_payment_whose_callbacks_were_lost(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    gateway_driver.inject_fault("callback_lost", count=5)
    payment = gateway_driver.start(source)
    gateway_driver.pay(payment)
    due_work.refresh_unsettled_payments(now=present() + timedelta(minutes=3))
    assert_paid_once(gateway_driver, payment)
    assert not Callback.objects.exists()


@pytest.mark.parametrize("fault", ["callback_first", "callback_twice", "callback_out_of_order"])
def test_bank_debit_callbacks_are_booked_once(
    gateway_driver: GatewayDriver, source: PaymentTarget, fault: str
) -> None:
    gateway_driver.inject_fault(fault)
    payment = gateway_driver.start(source)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    wait_until(lambda: booked(gateway_driver, "processing", "settled"))
    assert_paid_once(gateway_driver, payment)


def test_callback_during_close_books_captured_bank_debit_as_credit(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.inject_fault("callback_first")
    gateway_driver.inject_fault("close_too_late")
    payment_requests.cancel(open_request, by=alice, now=present())
    payment.refresh_from_db()
    assert (payment.status, payment.accepted) == ("processing", False)
    gateway_driver.settle_bank_debit(payment)
    wait_until(lambda: booked(gateway_driver, "processing", "settled"))
    assert Alert.objects.filter(payment=payment, kind="unwanted_payment").exists()


@UNKNOWN
def test_callback_for_nonexistent_checkout_raises_alert(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("callback_unknown")
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    wait_until(lambda: booked(gateway_driver, "authorized", "captured") and Callback.objects.count() == 3)
    process_all_callbacks()
    [stray] = Callback.objects.exclude(checkout_ref=payment.checkout_ref)
    assert (stray.status, Alert.objects.get().kind) == ("unmatched", "unmatched_callback")
    assert_paid_once(gateway_driver, payment)


@pytest.mark.sandbox_only("of another application on a Stripe account the callbacks are ignored")
def test_foreign_checkout_of_same_gateway_account_is_not_booked(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    ref = gateway_driver.create_foreign_checkout()
    wait_until(lambda: Callback.objects.filter(checkout_ref=ref).count() == 2)
    process_all_callbacks()
    assert Alert.objects.get().kind == "unmatched_callback"  # one, although two callbacks were about it
    assert not Payment.objects.exists()
