"""Contract: closing ends a checkout for good, or says that it came too late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from partway.gateways.protocol import Closing, Refused, Status
from partway.lib.money import Money
from tests.gateways.stages import Stage


def test_a_closed_checkout_cannot_be_paid(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    assert stage.gateway.close(checkout.ref, "close") == Closing.CLOSED
    stage.pay(checkout)
    assert stage.gateway.fetch(checkout.ref).status == Status.CLOSED


def test_closing_gives_up_an_authorization(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    assert stage.gateway.close(checkout.ref, "close") == Closing.CLOSED
    with pytest.raises(Refused):
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert stage.gateway.fetch(checkout.ref).authorized is None


def test_closing_after_capture_is_too_late(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert stage.gateway.close(checkout.ref, "close") == Closing.TAKEN
    assert stage.gateway.fetch(checkout.ref).status == Status.CAPTURED


def test_closing_a_bank_debit_is_too_late(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout, "debit")
    assert stage.gateway.close(checkout.ref, "close") == Closing.TAKEN


def test_closing_twice_is_closing(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    assert stage.gateway.close(checkout.ref, "one") == Closing.CLOSED
    assert stage.gateway.close(checkout.ref, "two") == Closing.CLOSED


def test_closing_what_failed_is_closed(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout, "bad_debit")
    stage.settle(checkout, "failed")
    assert stage.gateway.close(checkout.ref, "close") == Closing.CLOSED


def test_the_customer_can_be_faster_than_a_close(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.go_wrong("close_too_late")
    assert stage.gateway.close(checkout.ref, "close") == Closing.TAKEN
    assert stage.gateway.fetch(checkout.ref).status == Status.PROCESSING


def test_a_close_without_an_answer_is_unknown_and_done(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.go_wrong("timeout_after_success", act="close")
    assert stage.gateway.close(checkout.ref, "close") == Closing.UNKNOWN
    assert stage.gateway.close(checkout.ref, "close") == Closing.CLOSED


def test_a_close_that_broke_before_is_unknown_and_not_done(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.go_wrong("error_before", act="close")
    assert stage.gateway.close(checkout.ref, "close") == Closing.UNKNOWN
    assert stage.gateway.fetch(checkout.ref).status == Status.OPEN


@pytest.mark.parametrize("attempt", range(5))
def test_of_a_capture_and_a_close_at_once_one_wins(stage: Stage, attempt: int) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(stage.gateway.capture, checkout.ref, Money(12_500, "USD"), f"capture-{attempt}")
        closing = pool.submit(stage.gateway.close, checkout.ref, f"close-{attempt}").result()
    assert stage.captures(checkout) == ([12_500] if closing == Closing.TAKEN else [])


@pytest.mark.parametrize("attempt", range(5))
def test_what_was_closed_while_somebody_paid_stays_closed(stage: Stage, attempt: int) -> None:
    checkout = stage.gateway.start(stage.order())
    with ThreadPoolExecutor(2) as pool:
        pool.submit(stage.pay, checkout)
        closing = pool.submit(stage.gateway.close, checkout.ref, f"close-{attempt}")
    assert closing.result() == Closing.CLOSED
    assert stage.gateway.fetch(checkout.ref).status == Status.CLOSED
