"""Contract: a checkout is paid once, for what was ordered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from partway.gateways.protocol import Refused, Status
from partway.lib.money import Money
from tests.gateways.company import eventually
from tests.gateways.stages import Stage


def test_good_credentials_pass_the_check(stage: Stage) -> None:
    stage.gateway.check()


def test_bad_credentials_are_refused(stage: Stage) -> None:
    with pytest.raises(Refused):
        stage.stranger.check()


def test_the_checkout_is_on_the_gateways_own_origin(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    assert checkout.url.startswith(stage.gateway.checkout_origin + "/")


def test_a_new_checkout_waits_for_the_customer(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.authorized, truth.captured) == (Status.OPEN, None, None)


def test_the_same_order_again_is_the_same_checkout(stage: Stage) -> None:
    order = stage.order()
    assert stage.gateway.start(order) == stage.gateway.start(order)


def test_the_same_key_with_another_amount_is_refused(stage: Stage) -> None:
    order = stage.order()
    stage.gateway.start(order)
    with pytest.raises(Refused) as refused:
        stage.gateway.start(stage.order(key=order.key, amount=Money(99_900, "USD")))
    assert refused.value.code == "idempotency_key_reused"


def test_a_card_is_authorized_and_nothing_taken_yet(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.method) == (Status.AUTHORIZED, "card")
    assert (truth.authorized, truth.captured) == (Money(12_500, "USD"), None)


def test_capture_takes_what_was_authorized(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    truth = stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert (truth.status, truth.captured) == (Status.CAPTURED, Money(12_500, "USD"))
    assert stage.gateway.fetch(checkout.ref) == truth


def test_capture_may_take_less(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    truth = stage.gateway.capture(checkout.ref, Money(5_000, "USD"), "capture")
    assert truth.captured == Money(5_000, "USD")


def test_capture_never_takes_more(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    with pytest.raises(Refused) as refused:
        stage.gateway.capture(checkout.ref, Money(12_501, "USD"), "capture")
    assert refused.value.code == "amount_too_large"
    assert stage.captures(checkout) == []


def test_a_repeated_capture_takes_once(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    first = stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture") == first
    assert stage.captures(checkout) == [12_500]


def test_a_second_capture_is_refused(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.gateway.capture(checkout.ref, Money(5_000, "USD"), "one")
    with pytest.raises(Refused) as refused:
        stage.gateway.capture(checkout.ref, Money(5_000, "USD"), "two")
    assert refused.value.code == "already_captured"


def test_eight_captures_at_once_take_once(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(stage.gateway.capture, checkout.ref, Money(12_500, "USD"), f"capture-{number}")
    assert stage.captures(checkout) == [12_500]


def test_an_unpaid_checkout_cannot_be_captured(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    with pytest.raises(Refused) as refused:
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert refused.value.code == "not_authorized"


@pytest.mark.parametrize(("how", "code"), [("declined", "card_declined"), ("insufficient_funds",) * 2])
def test_a_decline_leaves_the_checkout_open_and_says_why(stage: Stage, how: str, code: str) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout, how)
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.code) == (Status.OPEN, code)
    assert truth.words


def test_a_second_card_can_pay_after_a_decline(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout, "declined")
    stage.pay(checkout, "good")
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.code) == (Status.AUTHORIZED, "")


def test_a_lapsed_authorization_takes_nothing(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout, "lapsing")
    with pytest.raises(Refused) as refused:
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert refused.value.code == "authorization_lapsed"
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.code, truth.captured) == (Status.CLOSED, "authorization_lapsed", None)


def test_a_bank_debit_is_processing_until_it_settles(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout, "debit")
    assert stage.gateway.fetch(checkout.ref).status == Status.PROCESSING
    stage.settle(checkout, "captured")
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.method) == (Status.CAPTURED, "bank_debit")
    assert truth.captured == Money(12_500, "USD")


def test_a_bank_debit_can_fail_later(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout, "bad_debit")
    stage.settle(checkout, "failed")
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.code, truth.captured) == (Status.FAILED, "bank_debit_failed", None)


def test_an_expired_checkout_cannot_be_paid(stage: Stage) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    checkout = stage.gateway.start(stage.order(expires_at=soon))
    eventually(lambda: datetime.now(UTC) > soon)
    stage.pay(checkout)
    truth = stage.gateway.fetch(checkout.ref)
    assert (truth.status, truth.code) == (Status.CLOSED, "checkout_expired")


def test_an_unknown_checkout_is_refused(stage: Stage) -> None:
    with pytest.raises(Refused) as refused:
        stage.gateway.fetch("co_nobody")
    assert refused.value.code == "not_found"


@pytest.mark.parametrize(("currency", "minor"), [("USD", 12_500), ("JPY", 12_500), ("KWD", 12_500)])
def test_every_kind_of_currency_is_taken_exactly(stage: Stage, currency: str, minor: int) -> None:
    checkout = stage.gateway.start(stage.order(amount=Money(minor, currency)))
    stage.pay(checkout)
    truth = stage.gateway.capture(checkout.ref, Money(minor, currency), "capture")
    assert truth.captured == Money(minor, currency)
