"""Canceling a request: its link is dead at once, whatever the company is doing."""

from __future__ import annotations

import pytest

from partway.billing.errors import NotPayable, PaymentInProgress, TooLate
from partway.billing.events import Actor
from partway.billing.models import Event, Payment, PaymentRequest
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def cancel(asked: PaymentRequest, by: Actor) -> PaymentRequest:
    return payment_requests.cancel(asked, by=by, now=present())


def test_a_canceled_request_is_kept_with_its_reason(asked: PaymentRequest, alice: Actor) -> None:
    cancel(asked, alice)
    asked.refresh_from_db()
    assert (asked.status, asked.cancel_reason, bool(asked.ended_at)) == ("canceled", "by_member", True)
    event = Event.objects.get(type="payment_request.canceled")
    assert (event.actor_id, event.data["reason"]) == (alice.id, "by_member")


def test_its_link_cannot_be_paid_any_more(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    cancel(asked, alice)
    with pytest.raises(NotPayable) as refusal:
        gateway_driver.start(asked)
    assert refusal.value.reason == "canceled"


def test_canceling_twice_is_no_error_and_one_event(asked: PaymentRequest, alice: Actor) -> None:
    cancel(asked, alice)
    assert cancel(asked, alice).status == "canceled"
    assert Event.objects.filter(type="payment_request.canceled").count() == 1


def test_an_open_checkout_is_closed_with_it(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(asked)
    cancel(asked, alice)
    payment.refresh_from_db()
    assert (payment.status, bool(payment.settled_at)) == ("canceled", True)
    assert gateway_driver.pay(payment).status_code == 410


def test_a_card_that_was_only_authorized_is_not_charged(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(asked)
    gateway_driver.pay(payment)
    cancel(asked, alice)
    assert (Payment.objects.get().status, gateway_driver.captures_of(payment)) == ("canceled", [])


def test_what_was_paid_cannot_be_canceled(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(asked)
    with pytest.raises(TooLate) as refusal:
        cancel(asked, alice)
    assert "already paid" in refusal.value.message


def test_what_is_being_paid_cannot_be_canceled(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(asked, "debit")
    with pytest.raises(PaymentInProgress):
        cancel(asked, alice)
    asked.refresh_from_db()
    assert asked.status == "open"


def test_what_pay_now_overtook_cannot_be_canceled(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start_and_pay(asked.invoice)
    with pytest.raises(TooLate) as refusal:
        cancel(asked, alice)
    assert "The invoice was paid" in refusal.value.message


def test_after_it_another_can_be_asked(asked: PaymentRequest, alice: Actor) -> None:
    cancel(asked, alice)
    assert personas.request_payment(asked.invoice, 40_000).status == "open"


def test_a_pay_now_checkout_is_none_of_its_business(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(asked.invoice)
    cancel(asked, alice)
    payment.refresh_from_db()
    assert payment.status == "pending"
