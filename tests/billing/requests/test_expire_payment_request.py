"""Tests of expiring requests: no new checkout after the time, and a grace period for one begun before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.billing.checkouts.payability import EXPIRY_GRACE_PERIOD
from partway.billing.errors import NotPayable, TooLate
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Mail, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.delivery.mail import kinds
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

MOMENT = timedelta(seconds=1)


@pytest.fixture
def open_request(invoice: Invoice, alice: Actor) -> PaymentRequest:
    """A request that expires in an hour."""
    at = present()
    ask = payment_requests.NewPaymentRequest(
        Money(30_000, "USD"), to=("dana@customer.example",), expires_at=at + timedelta(hours=1)
    )
    return payment_requests.create(invoice, new_request=ask, by=alice, now=at)


def after(open_request: PaymentRequest, wait: timedelta) -> str:
    """Returns the status after the worker ran this long after the request expired."""
    assert open_request.expires_at is not None
    due_work.expire_payment_requests(now=open_request.expires_at + wait)
    open_request.refresh_from_db()
    return open_request.status


def test_request_expires_at_expires_at(open_request: PaymentRequest) -> None:
    assert after(open_request, -MOMENT) == "open"
    assert open_request.expires_at is not None
    assert not payment_requests.expire(open_request, now=open_request.expires_at - MOMENT)
    assert after(open_request, MOMENT) == "expired"


def test_expired_request_mails_requester(open_request: PaymentRequest) -> None:
    after(open_request, MOMENT)
    mail = Mail.objects.get(kind="payment_request_ended")
    assert (mail.to, mail.data) == (["billing@alder.example"], {"reason": ""})


def test_request_without_expires_at_never_expires(invoice: Invoice) -> None:
    assert not payment_requests.expire(
        personas.request_payment(invoice), now=present() + timedelta(days=10_000)
    )


def test_checkout_cannot_start_after_request_expires_at(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    with pytest.raises(NotPayable) as refusal:
        gateway_driver.start(open_request, now=open_request.expires_at)
    assert refusal.value.reason == "expired"


def test_checkout_started_before_expires_at_may_finish_within_grace(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    assert open_request.expires_at is not None
    payment = gateway_driver.start(open_request, now=open_request.expires_at - MOMENT)
    assert after(open_request, EXPIRY_GRACE_PERIOD - MOMENT) == "open"
    assert not payment_requests.expire(
        open_request, now=open_request.expires_at + EXPIRY_GRACE_PERIOD - MOMENT
    )
    gateway_driver.pay(payment)
    assert (
        refresh_payment(payment, now=open_request.expires_at + EXPIRY_GRACE_PERIOD - MOMENT).status
        == "succeeded"
    )


def test_checkout_of_expired_request_is_closed_after_grace(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start(open_request)
    assert after(open_request, EXPIRY_GRACE_PERIOD) == "expired"
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)


def test_processing_bank_debit_keeps_request_open_past_expires_at(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "debit")
    assert after(open_request, timedelta(days=3)) == "open"
    assert not payment_requests.expire(open_request, now=present() + timedelta(days=3))
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())
    assert after(open_request, timedelta(days=3)) == "paid"


def test_expired_request_can_be_neither_canceled_nor_resent(
    open_request: PaymentRequest, alice: Actor
) -> None:
    after(open_request, MOMENT)
    for act in (payment_requests.cancel, payment_requests.resend):
        with pytest.raises(TooLate) as refusal:
            act(open_request, by=alice, now=present())
        assert refusal.value.reason == "request_expired"


def test_request_kept_open_by_checkout_is_not_resent_after_expires_at(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start(open_request)
    assert after(open_request, timedelta()) == "open"
    with pytest.raises(TooLate) as refusal:
        payment_requests.resend(open_request, by=alice, now=open_request.expires_at)
    assert refusal.value.reason == "request_time_over"
    assert payment_requests.resend(open_request, by=alice, now=open_request.expires_at - MOMENT)


def test_queued_request_mail_is_dropped_after_expires_at(open_request: PaymentRequest) -> None:
    mail = Mail.objects.get(payment_request=open_request)
    assert open_request.expires_at is not None
    assert kinds.is_valid(mail, now=open_request.expires_at - MOMENT)
    assert not kinds.is_valid(mail, now=open_request.expires_at)


def test_request_with_processing_bank_debit_is_busy_after_expires_at(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(NotPayable) as refusal:
        check_payable(open_request, now=open_request.expires_at)
    assert refusal.value.reason == "busy"
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())


def test_expiring_request_twice_is_idempotent(open_request: PaymentRequest) -> None:
    after(open_request, MOMENT)
    assert not payment_requests.expire(open_request, now=present() + timedelta(hours=2))


def test_expire_job_skips_requests_kept_open_by_payments(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, dana: Customer
) -> None:
    gateway_driver.start_and_pay(open_request, "debit")
    assert open_request.expires_at is not None
    other = personas.request_payment(personas.sent_invoice(dana), expires_at=open_request.expires_at)
    assert due_work.expire_payment_requests(now=open_request.expires_at + EXPIRY_GRACE_PERIOD, limit=1) == 1
    assert PaymentRequest.objects.get(pk=other.pk).status == "expired"
