"""Contract: closing makes a checkout unpayable, or returns that it is too late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from partway.gateways.protocol import CheckoutStatus, CloseOutcome, Refused
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness


def test_closed_checkout_cannot_be_paid(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED
    harness.pay(checkout)
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CLOSED


def test_closing_checkout_releases_authorization(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED
    with pytest.raises(Refused):
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.fetch(checkout.ref).authorized is None


def test_closing_captured_checkout_is_too_late(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.TOO_LATE
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CAPTURED


def test_closing_checkout_with_bank_debit_is_too_late(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, "debit")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.TOO_LATE


def test_closing_checkout_twice_returns_closed(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    assert harness.gateway.close(checkout.ref, "one") == CloseOutcome.CLOSED
    assert harness.gateway.close(checkout.ref, "two") == CloseOutcome.CLOSED


def test_closing_failed_checkout_returns_closed(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, "bad_debit")
    harness.settle_bank_debit(checkout, "failed")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED


def test_close_returns_too_late_when_customer_paid_first(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.inject_fault("close_too_late")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.TOO_LATE
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.PROCESSING


def test_close_without_response_is_unknown_and_done(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.inject_fault("timeout_after_success", act="close")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.UNKNOWN
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED


def test_close_failing_before_execution_is_unknown_and_not_done(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.inject_fault("error_before", act="close")
    assert harness.gateway.close(checkout.ref, "close") == CloseOutcome.UNKNOWN
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.OPEN


@pytest.mark.parametrize("attempt", range(5))
def test_concurrent_capture_and_close_have_one_winner(harness: GatewayHarness, attempt: int) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(harness.gateway.capture, checkout.ref, Money(12_500, "USD"), f"capture-{attempt}")
        closing = pool.submit(harness.gateway.close, checkout.ref, f"close-{attempt}").result()
    assert harness.captures(checkout) == ([12_500] if closing == CloseOutcome.TOO_LATE else [])


@pytest.mark.parametrize("attempt", range(5))
def test_checkout_closed_during_payment_stays_closed(harness: GatewayHarness, attempt: int) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    with ThreadPoolExecutor(2) as pool:
        pool.submit(harness.pay, checkout)
        closing = pool.submit(harness.gateway.close, checkout.ref, f"close-{attempt}")
    assert closing.result() == CloseOutcome.CLOSED
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CLOSED
