"""Declined cards, and cards that require a confirmation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.billing.checkouts.payability import CHECKOUT_LIFETIME
from partway.billing.models import Event, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.lib.clock import now as present
from tests.support.gateway_driver import GatewayDriver


def refreshed(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


@pytest.mark.parametrize(
    ("how", "code"), [("declined", "card_declined"), ("insufficient_funds", "insufficient_funds")]
)
def test_decline_is_recorded_and_checkout_stays_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, how: str, code: str
) -> None:
    payment = gateway_driver.start_and_pay(open_request, how)
    assert (payment.status, payment.failure_code) == ("pending", code)
    assert Event.objects.get(payment=payment, type="payment.declined").data["code"] == code


def test_decline_reported_twice_is_recorded_once(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "declined")
    refreshed(payment)
    assert Event.objects.filter(payment=payment, type="payment.declined").count() == 1


def test_second_card_after_decline_in_same_checkout_succeeds(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "declined")
    gateway_driver.pay(payment, "good")
    payment = refreshed(payment)
    assert (payment.status, payment.failure_code) == ("succeeded", "")
    assert Payment.objects.filter(payment_request=open_request).count() == 1
    assert gateway_driver.captures_of(payment) == [30_000]


def test_card_requiring_confirmation_is_captured_after_confirmation(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    question = gateway_driver.pay(payment, "confirming")
    assert refreshed(payment).status == "pending"
    gateway_driver.confirm(payment, question)
    assert refreshed(payment).status == "succeeded"


@pytest.mark.every_gateway
def test_refused_card_confirmation_is_a_decline(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.confirm(payment, gateway_driver.pay(payment, "confirming"), "refuse")
    assert refreshed(payment).status == "pending"
    # Stripe says which of the two it was.
    assert refreshed(payment).failure_code in ("card_declined", "authentication_failed")


def test_lapsed_authorization_fails_payment_and_leaves_request_open(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "lapsing")
    open_request.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("failed", "authorization_lapsed")
    assert (open_request.status, gateway_driver.captures_of(payment)) == ("open", [])


def test_link_can_be_paid_again_after_failed_payment(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    failed = gateway_driver.start_and_pay(open_request, "lapsing")
    payment = gateway_driver.start_and_pay(open_request, "good")
    assert payment.pk != failed.pk
    assert payment.status == "succeeded"


@pytest.mark.every_gateway
def test_unpaid_checkout_fails_at_end_of_its_lifetime(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_unpaid(open_request)
    due_work.refresh_unsettled_payments(now=present() + timedelta(minutes=3))
    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("failed", "checkout_expired")


def test_expired_checkout_is_replaced_by_new_one(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    old = gateway_driver.start(open_request)
    later = present() + CHECKOUT_LIFETIME
    new = gateway_driver.start(open_request, now=later)
    old.refresh_from_db()
    assert (old.status, new.status) == ("canceled", "pending")
