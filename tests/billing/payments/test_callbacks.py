"""Callbacks are verified, stored once, and booked by fetching the checkout, however late or often they arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from partway.billing.events import Actor
from partway.billing.models import Alert, Callback, Event, Payment, PaymentRequest
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.gateways.protocol import BadCallback
from partway.lib.clock import now as present
from tests.support import failpoints, personas
from tests.support.gateway_driver import GatewayDriver, process_all_callbacks
from tests.support.sandbox_server import ReceivedCallback


def receive(gateway_driver: GatewayDriver, received: ReceivedCallback) -> Callback:
    callback = receive_callback(
        gateway_driver.account, body=received.body, headers=received.headers, now=present()
    )
    callback.refresh_from_db()
    return callback


@pytest.fixture
def paid(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> Payment:
    """A payment that the customer has made at the gateway and that is not booked yet."""
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    return payment


def test_callback_completes_payment(gateway_driver: GatewayDriver, paid: Payment) -> None:
    callback = receive(gateway_driver, gateway_driver.callback(paid, "authorized"))
    paid.refresh_from_db()
    assert (callback.status, paid.status, gateway_driver.captures_of(paid)) == (
        "processed",
        "succeeded",
        [30_000],
    )


def test_duplicate_callback_is_stored_and_booked_once(gateway_driver: GatewayDriver, paid: Payment) -> None:
    received = gateway_driver.callback(paid, "authorized")
    assert receive(gateway_driver, received) == receive(gateway_driver, received)
    assert Event.objects.filter(payment=paid, type="payment.succeeded").count() == 1


def test_a_late_callback_changes_nothing(gateway_driver: GatewayDriver, paid: Payment) -> None:
    refresh_payment(paid, now=present())
    captured = gateway_driver.callback(paid, "captured")
    events = Event.objects.count()
    assert receive(gateway_driver, gateway_driver.callback(paid, "authorized")).status == "processed"
    assert receive(gateway_driver, captured).status == "processed"
    assert Event.objects.count() == events


def test_callbacks_out_of_order_end_the_same(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    receive(gateway_driver, gateway_driver.callback(payment, "captured"))
    receive(gateway_driver, gateway_driver.callback(payment, "processing"))
    payment.refresh_from_db()
    assert (payment.status, payment.captured_minor) == ("succeeded", 30_000)


@pytest.mark.parametrize("part", ["body", "headers"])
def test_a_forged_callback_is_not_even_stored(
    gateway_driver: GatewayDriver, paid: Payment, part: str
) -> None:
    received = gateway_driver.callback(paid, "authorized")
    forged = {
        "body": ReceivedCallback(received.path, received.body.replace(b"{", b"{ ", 1), received.headers),
        "headers": ReceivedCallback(received.path, received.body, {}),
    }[part]
    with pytest.raises(BadCallback):
        receive(gateway_driver, forged)
    assert not Callback.objects.exists()


def test_callback_signed_for_another_account_is_refused(
    gateway_driver: GatewayDriver, paid: Payment, alice: Actor
) -> None:
    received = gateway_driver.callback(paid, "authorized")
    gateway_driver.account.credentials = {
        **gateway_driver.account.credentials,
        "signing_secret": f"whsec_{'dGVzdHRl' * 4}",
    }
    with pytest.raises(BadCallback):
        receive(gateway_driver, received)


@pytest.fixture
def birch(gateway_driver: GatewayDriver) -> GatewayDriver:
    """Another organization of this installation, with its own account at the same gateway."""
    mallory = personas.mallory()
    return gateway_driver.another(mallory.organization)


@pytest.mark.every_gateway
def test_callback_of_another_organization_does_not_book_payment(
    gateway_driver: GatewayDriver, birch: GatewayDriver, paid: Payment
) -> None:
    genuine = gateway_driver.callback(paid, "authorized")
    forged = birch.sign_callback(genuine.body)
    assert receive(birch, forged).status == "pending"
    process_all_callbacks()
    paid.refresh_from_db()
    assert (paid.status, gateway_driver.captures_of(paid)) == ("pending", [])


def test_callback_naming_foreign_payment_alerts_sender_without_leaking_data(
    gateway_driver: GatewayDriver, birch: GatewayDriver, paid: Payment
) -> None:
    genuine = gateway_driver.callback(paid, "authorized")
    receive(birch, birch.sign_callback(genuine.body))
    process_all_callbacks()
    alert = Alert.objects.get()
    assert (alert.organization, alert.payment, alert.invoice) == (birch.account.organization, None, None)
    assert alert.params == {"event_type": genuine.event["type"]}


def test_genuine_callback_replayed_at_another_account_is_refused(
    gateway_driver: GatewayDriver, birch: GatewayDriver, paid: Payment
) -> None:
    with pytest.raises(BadCallback):
        receive(birch, gateway_driver.callback(paid, "authorized"))
    assert not Callback.objects.exists()


@pytest.mark.every_gateway
def test_callback_replayed_after_success_changes_nothing(
    gateway_driver: GatewayDriver, paid: Payment, alice: Actor
) -> None:
    received = gateway_driver.callback(paid, "authorized")
    receive(gateway_driver, received)
    events = Event.objects.count()
    resigned = gateway_driver.sign_callback(received.body)
    assert receive(gateway_driver, resigned).status == "processed"
    assert (Event.objects.count(), Callback.objects.count()) == (events, 1)


class Killed(BaseException):
    """Stands for a process that is killed here and writes nothing more."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["before commit", "after commit"])
def test_callback_is_processed_atomically_with_its_booking(
    gateway_driver: GatewayDriver, paid: Payment, where: str
) -> None:
    passed: list[str] = []

    def kill(stop: str) -> None:
        passed.append(stop)
        if stop == where and "event payment.capturing" in passed:
            connection.close()
            raise Killed

    received = gateway_driver.callback(paid, "authorized")
    with failpoints.on_failpoint(kill), pytest.raises(Killed):
        receive(gateway_driver, received)
    paid.refresh_from_db()
    assert (Callback.objects.get().status, paid.status) in {
        ("pending", "pending"),
        ("processed", "capturing"),
    }


def test_callback_claimed_by_another_worker_is_skipped(gateway_driver: GatewayDriver, paid: Payment) -> None:
    gateway_driver.inject_fault("error_before", act="fetch")
    seen = receive(gateway_driver, gateway_driver.callback(paid, "authorized"))
    Callback.objects.update(attempt_count=1)
    assert not due_work.PENDING_CALLBACKS.claim(seen, until=present())
    assert Callback.objects.get().status == "pending"


def test_callback_before_checkout_ref_is_stored_is_booked_by_its_reference(
    gateway_driver: GatewayDriver, paid: Payment
) -> None:
    received, ref = gateway_driver.callback(paid, "authorized"), paid.checkout_ref
    Payment.objects.filter(pk=paid.pk).update(checkout_ref="")
    gateway_driver.inject_fault("error_before", act="fetch")
    assert receive(gateway_driver, received).status == "pending"  # the gateway could not be asked
    assert due_work.process_pending_callbacks(now=present() + timedelta(minutes=1)) == 1
    paid.refresh_from_db()
    assert (Callback.objects.get().status, paid.checkout_ref, paid.status) == ("processed", ref, "succeeded")


def test_callback_waits_while_gateway_is_silent(gateway_driver: GatewayDriver, paid: Payment) -> None:
    gateway_driver.inject_fault("error_before", act="fetch")
    assert receive(gateway_driver, gateway_driver.callback(paid, "authorized")).status == "pending"
    due_work.process_pending_callbacks(now=present() + timedelta(minutes=1))
    paid.refresh_from_db()
    assert (Callback.objects.get().status, paid.status) == ("processed", "succeeded")


@pytest.fixture
def unknown_checkout_callback(gateway_driver: GatewayDriver, paid: Payment) -> ReceivedCallback:
    """A genuine callback for a checkout of no payment."""
    ref, received = paid.checkout_ref, gateway_driver.callback(paid, "authorized")
    Payment.objects.filter(pk=paid.pk).update(checkout_ref=f"{ref}-lost")
    return received


def test_callback_for_unknown_checkout_raises_alert_after_last_attempt(
    gateway_driver: GatewayDriver, unknown_checkout_callback: ReceivedCallback
) -> None:
    receive(gateway_driver, unknown_checkout_callback)
    process_all_callbacks()
    callback = Callback.objects.get()
    assert (callback.status, callback.attempt_count) == ("unmatched", 12)
    assert Alert.objects.get().kind == "unmatched_callback"


def test_callback_of_known_payment_never_raises_unknown_alert(
    gateway_driver: GatewayDriver, paid: Payment
) -> None:
    gateway_driver.inject_fault("error_before", act="fetch", count=50)
    receive(gateway_driver, gateway_driver.callback(paid, "authorized"))
    process_all_callbacks()
    assert not Alert.objects.exists()


def test_capture_callback_after_cancel_is_booked_as_credit(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.inject_fault("close_too_late")
    payment_requests.cancel(open_request, by=alice, now=present())
    gateway_driver.settle_bank_debit(payment)
    receive(gateway_driver, gateway_driver.callback(payment, "captured"))
    payment.refresh_from_db()
    assert (payment.status, payment.invoice.amount_paid_minor) == ("succeeded", 0)
    assert Alert.objects.get(payment=payment).kind == "unwanted_payment"
