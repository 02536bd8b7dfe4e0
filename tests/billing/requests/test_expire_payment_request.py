"""A request with an end in time: no new checkout after it, and one begun in time may finish."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.billing import outbox
from partway.billing.checkouts.payability import EXPIRY_GRACE_PERIOD
from partway.billing.errors import NotPayable, TooLate
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Mail, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

MOMENT = timedelta(seconds=1)


@pytest.fixture
def asked(invoice: Invoice, alice: Actor) -> PaymentRequest:
    """A request that expires in an hour."""
    at = present()
    ask = payment_requests.NewPaymentRequest(
        Money(30_000, "USD"), to=("dana@customer.example",), expires_at=at + timedelta(hours=1)
    )
    return payment_requests.create(invoice, new_request=ask, by=alice, now=at)


def after(asked: PaymentRequest, wait: timedelta) -> str:
    """What the worker makes of it so long after its time."""
    assert asked.expires_at is not None
    due_work.expire_payment_requests(now=asked.expires_at + wait)
    asked.refresh_from_db()
    return asked.status


def test_it_expires_when_its_time_is_over(asked: PaymentRequest) -> None:
    assert after(asked, -MOMENT) == "open"
    assert asked.expires_at is not None
    assert not payment_requests.expire(asked, now=asked.expires_at - MOMENT)
    assert after(asked, MOMENT) == "expired"


def test_who_asked_is_told_that_nobody_paid_in_time(asked: PaymentRequest) -> None:
    after(asked, MOMENT)
    mail = Mail.objects.get(kind="payment_request_ended")
    assert (mail.to, mail.data) == (["billing@alder.example"], {"reason": ""})


def test_a_request_without_a_time_never_expires(invoice: Invoice) -> None:
    assert not payment_requests.expire(
        personas.request_payment(invoice), now=present() + timedelta(days=10_000)
    )


def test_no_checkout_begins_after_it(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    with pytest.raises(NotPayable) as refusal:
        gateway_driver.start(asked, now=asked.expires_at)
    assert refusal.value.reason == "expired"


def test_a_checkout_begun_in_time_may_finish(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    assert asked.expires_at is not None
    payment = gateway_driver.start(asked, now=asked.expires_at - MOMENT)
    assert after(asked, EXPIRY_GRACE_PERIOD - MOMENT) == "open"
    assert not payment_requests.expire(asked, now=asked.expires_at + EXPIRY_GRACE_PERIOD - MOMENT)
    gateway_driver.pay(payment)
    assert refresh_payment(payment, now=asked.expires_at + EXPIRY_GRACE_PERIOD - MOMENT).status == "succeeded"


def test_after_the_grace_its_checkout_is_closed(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    payment = gateway_driver.start(asked)
    assert after(asked, EXPIRY_GRACE_PERIOD) == "expired"
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)


def test_a_payment_at_the_bank_keeps_it_open(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    payment = gateway_driver.start_and_pay(asked, "debit")
    assert after(asked, timedelta(days=3)) == "open"
    assert not payment_requests.expire(asked, now=present() + timedelta(days=3))
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())
    assert after(asked, timedelta(days=3)) == "paid"


def test_what_expired_can_be_neither_canceled_nor_resent(asked: PaymentRequest, alice: Actor) -> None:
    after(asked, MOMENT)
    for act in (payment_requests.cancel, payment_requests.resend):
        with pytest.raises(TooLate) as refusal:
            act(asked, by=alice, now=present())
        assert "expired" in refusal.value.message


def test_it_is_not_resent_after_its_time_though_a_checkout_keeps_it_open(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    gateway_driver.start(asked)
    assert after(asked, timedelta()) == "open"
    with pytest.raises(TooLate) as refusal:
        payment_requests.resend(asked, by=alice, now=asked.expires_at)
    assert "is over" in refusal.value.message
    assert payment_requests.resend(asked, by=alice, now=asked.expires_at - MOMENT)


def test_a_mail_still_waiting_when_its_time_is_over_is_dropped(asked: PaymentRequest) -> None:
    mail = Mail.objects.get(payment_request=asked)
    assert asked.expires_at is not None
    assert outbox.is_still_valid(mail, now=asked.expires_at - MOMENT)
    assert not outbox.is_still_valid(mail, now=asked.expires_at)


def test_a_link_whose_payment_is_at_the_bank_says_so_after_its_time(
    gateway_driver: GatewayDriver, asked: PaymentRequest
) -> None:
    payment = gateway_driver.start_and_pay(asked, "debit")
    with pytest.raises(NotPayable) as refusal:
        check_payable(asked, now=asked.expires_at)
    assert refusal.value.reason == "busy"
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())


def test_expiring_twice_is_one_end(asked: PaymentRequest) -> None:
    after(asked, MOMENT)
    assert not payment_requests.expire(asked, now=present() + timedelta(hours=2))


def test_requests_that_payments_keep_open_do_not_stand_before_the_others(
    gateway_driver: GatewayDriver, asked: PaymentRequest, dana: Customer
) -> None:
    gateway_driver.start_and_pay(asked, "debit")
    assert asked.expires_at is not None
    other = personas.request_payment(personas.sent_invoice(dana), expires_at=asked.expires_at)
    assert due_work.expire_payment_requests(now=asked.expires_at + EXPIRY_GRACE_PERIOD, limit=1) == 1
    assert PaymentRequest.objects.get(pk=other.pk).status == "expired"
