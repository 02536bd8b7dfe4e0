"""Tests of canceling a request: its link cannot be paid any more, whatever the gateway does."""

from __future__ import annotations

import pytest

from partway.billing.errors import NotPayable, PaymentInProgress, TooLate
from partway.billing.events import Actor
from partway.billing.models import Event, Payment, PaymentRequest
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def cancel(open_request: PaymentRequest, by: Actor) -> PaymentRequest:
    return payment_requests.cancel(open_request, by=by, now=present())


def test_canceled_request_stores_cancel_reason(open_request: PaymentRequest, alice: Actor) -> None:
    cancel(open_request, alice)
    open_request.refresh_from_db()
    assert (open_request.status, open_request.cancel_reason, bool(open_request.ended_at)) == (
        "canceled",
        "by_member",
        True,
    )
    event = Event.objects.get(type="payment_request.canceled")
    assert (event.actor_id, event.data["reason"]) == (alice.id, "by_member")


def test_canceled_request_cannot_be_paid(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    cancel(open_request, alice)
    with pytest.raises(NotPayable) as refusal:
        gateway_driver.start(open_request)
    assert refusal.value.reason == "canceled"


def test_canceling_request_twice_is_idempotent(open_request: PaymentRequest, alice: Actor) -> None:
    cancel(open_request, alice)
    assert cancel(open_request, alice).status == "canceled"
    assert Event.objects.filter(type="payment_request.canceled").count() == 1


def test_canceling_request_closes_its_open_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    cancel(open_request, alice)
    payment.refresh_from_db()
    assert (payment.status, bool(payment.settled_at)) == ("canceled", True)
    assert gateway_driver.pay(payment).status_code == 410


def test_canceling_request_releases_authorized_card(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    cancel(open_request, alice)
    assert (Payment.objects.get().status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_paid_request_cannot_be_canceled(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(open_request)
    with pytest.raises(TooLate) as refusal:
        cancel(open_request, alice)
    assert refusal.value.reason == "request_paid"


def test_request_with_processing_payment_cannot_be_canceled(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        cancel(open_request, alice)
    open_request.refresh_from_db()
    assert open_request.status == "open"


def test_request_closed_by_pay_now_cannot_be_canceled(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(open_request.invoice)
    with pytest.raises(TooLate) as refusal:
        cancel(open_request, alice)
    assert refusal.value.reason == "request_invoice_paid"


def test_new_request_can_be_created_after_cancel(open_request: PaymentRequest, alice: Actor) -> None:
    cancel(open_request, alice)
    assert personas.request_payment(open_request.invoice, 40_000).status == "open"


def test_canceling_request_leaves_pay_now_checkout_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request.invoice)
    cancel(open_request, alice)
    payment.refresh_from_db()
    assert payment.status == "pending"
