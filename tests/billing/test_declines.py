"""Cards that say no, or not yet."""

from __future__ import annotations

import pytest

from partway.billing.checkouts.payability import CHECKOUT_LIFE
from partway.billing.models import Event, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.lib.clock import now as present
from tests.billing.world import World


def refreshed(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


@pytest.mark.parametrize(
    ("how", "code"), [("declined", "card_declined"), ("insufficient_funds", "insufficient_funds")]
)
def test_a_decline_is_noted_and_the_checkout_stays_open(
    world: World, asked: PaymentRequest, how: str, code: str
) -> None:
    payment = world.collect(asked, how)
    assert (payment.status, payment.failure_code) == ("pending", code)
    assert Event.objects.get(payment=payment, type="payment.declined").data["code"] == code


def test_a_decline_that_is_heard_of_twice_is_noted_once(world: World, asked: PaymentRequest) -> None:
    payment = world.collect(asked, "declined")
    refreshed(payment)
    assert Event.objects.filter(payment=payment, type="payment.declined").count() == 1


def test_a_second_card_in_the_same_checkout_succeeds(world: World, asked: PaymentRequest) -> None:
    payment = world.collect(asked, "declined")
    world.pay(payment, "good")
    payment = refreshed(payment)
    assert (payment.status, payment.failure_code) == ("succeeded", "")
    assert Payment.objects.filter(payment_request=asked).count() == 1
    assert world.charged(payment) == [30_000]


def test_a_card_that_asks_for_a_confirmation_is_taken_after_it(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    question = world.pay(payment, "confirming")
    assert refreshed(payment).status == "pending"
    world.confirm(payment, question)
    assert refreshed(payment).status == "succeeded"


def test_a_refused_confirmation_is_a_decline(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    world.confirm(payment, world.pay(payment, "confirming"), "refuse")
    assert (refreshed(payment).status, refreshed(payment).failure_code) == ("pending", "card_declined")


def test_an_authorization_that_lapses_ends_the_payment_and_not_the_request(
    world: World, asked: PaymentRequest
) -> None:
    payment = world.collect(asked, "lapsing")
    asked.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("failed", "authorization_lapsed")
    assert (asked.status, world.charged(payment)) == ("open", [])


def test_after_a_failed_payment_the_same_link_can_be_paid(world: World, asked: PaymentRequest) -> None:
    failed = world.collect(asked, "lapsing")
    payment = world.collect(asked, "good")
    assert payment.pk != failed.pk
    assert payment.status == "succeeded"


def test_a_checkout_nobody_pays_ends_with_its_time(world: World, asked: PaymentRequest) -> None:
    long_ago = present() - CHECKOUT_LIFE
    payment = world.start(asked, now=long_ago)
    due_work.ask_about_unsettled(now=present())
    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == ("failed", "checkout_expired")


def test_an_old_checkout_makes_way_for_a_new_one(world: World, asked: PaymentRequest) -> None:
    old = world.start(asked)
    later = present() + CHECKOUT_LIFE
    new = world.start(asked, now=later)
    old.refresh_from_db()
    assert (old.status, new.status) == ("canceled", "pending")
