"""Contract: closing ends a checkout for good, or says that it came too late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from partway.gateways.protocol import CheckoutStatus, CloseOutcome, Refused
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness


def test_a_closed_checkout_cannot_be_paid(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED
    harness.pay(checkout)
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CLOSED


def test_closing_gives_up_an_authorization(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.pay(checkout)
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED
    with pytest.raises(Refused):
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.fetch(checkout.ref).authorized is None


def test_closing_after_capture_is_too_late(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.pay(checkout)
    harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.TOO_LATE
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CAPTURED


def test_closing_a_bank_debit_is_too_late(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.pay(checkout, "debit")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.TOO_LATE


def test_closing_twice_is_closing(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    assert harness.gateway.close(checkout.ref, "one") == CloseOutcome.CLOSED
    assert harness.gateway.close(checkout.ref, "two") == CloseOutcome.CLOSED


def test_closing_what_failed_is_closed(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.pay(checkout, "bad_debit")
    harness.settle_bank_debit(checkout, "failed")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED


def test_the_customer_can_be_faster_than_a_close(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.inject_fault("close_too_late")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.TOO_LATE
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.PROCESSING


def test_a_close_without_an_answer_is_unknown_and_done(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.inject_fault("timeout_after_success", act="close")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.UNKNOWN
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED


def test_a_close_that_broke_before_is_unknown_and_not_done(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.inject_fault("error_before", act="close")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.UNKNOWN
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.OPEN


@pytest.mark.parametrize("attempt", range(5))
def test_of_a_capture_and_a_close_at_once_one_wins(harness: GatewayHarness, attempt: int) -> None:
    checkout = harness.gateway.start(harness.order())
    harness.pay(checkout)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(harness.gateway.capture, checkout.ref, Money(12_500, "USD"), f"capture-{attempt}")
        closing = pool.submit(harness.gateway.close, checkout.ref, f"close-{attempt}").result()
    assert harness.captures(checkout) == ([12_500] if closing == CloseOutcome.TOO_LATE else [])


@pytest.mark.parametrize("attempt", range(5))
def test_what_was_closed_while_somebody_paid_stays_closed(harness: GatewayHarness, attempt: int) -> None:
    checkout = harness.gateway.start(harness.order())
    with ThreadPoolExecutor(2) as pool:
        pool.submit(harness.pay, checkout)
        closing = pool.submit(harness.gateway.close, checkout.ref, f"close-{attempt}")
    assert closing.result() == CloseOutcome.CLOSED
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CLOSED
