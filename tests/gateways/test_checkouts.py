"""Contract: a checkout is paid once, for the requested amount."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from partway.gateways.protocol import CheckoutStatus, Refused
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness


def test_valid_gateway_credentials_pass_check(harness: GatewayHarness) -> None:
    """Each of its findings has a sentence, and none that matters in a test is wrong."""
    report = harness.gateway.check(harness.callback_receiver.url, datetime.now(UTC))
    assert report.account_ref
    assert {"account", "charges", "methods", "clock"} <= {finding.code for finding in report.findings}
    assert [finding for finding in report.findings if finding.level == "wrong"] == []


def test_invalid_gateway_credentials_are_refused(harness: GatewayHarness) -> None:
    with pytest.raises(Refused):
        harness.wrong_credentials.check(harness.callback_receiver.url, datetime.now(UTC))


def test_checkout_url_is_on_gateway_origin(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    assert checkout.url.startswith(harness.gateway.checkout_origin + "/")


def test_new_checkout_is_open(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.authorized, state.captured) == (CheckoutStatus.OPEN, None, None)


def test_start_repeated_with_same_key_is_same_checkout(harness: GatewayHarness) -> None:
    request = harness.checkout_request()
    assert harness.gateway.start(request) == harness.gateway.start(request)


def test_start_with_same_key_and_other_amount_is_refused(harness: GatewayHarness) -> None:
    request = harness.checkout_request()
    harness.gateway.start(request)
    with pytest.raises(Refused) as refused:
        harness.gateway.start(harness.checkout_request(key=request.key, amount=Money(99_900, "USD")))
    assert refused.value.code == "idempotency_key_reused"


def test_card_payment_is_authorized_and_not_captured(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.method) == (CheckoutStatus.AUTHORIZED, "card")
    assert (state.authorized, state.captured) == (Money(12_500, "USD"), None)


def test_capture_takes_authorized_amount(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    state = harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert (state.status, state.captured) == (CheckoutStatus.CAPTURED, Money(12_500, "USD"))
    assert harness.gateway.fetch(checkout.ref) == state


def test_partial_capture_is_allowed(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    state = harness.gateway.capture(checkout.ref, Money(5_000, "USD"), "capture")
    assert state.captured == Money(5_000, "USD")


def test_capture_above_authorized_amount_is_refused(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    with pytest.raises(Refused) as refused:
        harness.gateway.capture(checkout.ref, Money(12_501, "USD"), "capture")
    assert refused.value.code == "amount_too_large"
    assert harness.captures(checkout) == []


def test_capture_repeated_with_same_key_captures_once(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    first = harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture") == first
    assert harness.captures(checkout) == [12_500]


def test_second_capture_with_other_key_is_refused(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.gateway.capture(checkout.ref, Money(5_000, "USD"), "one")
    with pytest.raises(Refused) as refused:
        harness.gateway.capture(checkout.ref, Money(5_000, "USD"), "two")
    assert refused.value.code == "already_captured"


def test_concurrent_captures_capture_once(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(harness.gateway.capture, checkout.ref, Money(12_500, "USD"), f"capture-{number}")
    assert harness.captures(checkout) == [12_500]


def test_unpaid_checkout_cannot_be_captured(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    with pytest.raises(Refused) as refused:
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert refused.value.code == "not_authorized"


@pytest.mark.parametrize(("how", "code"), [("declined", "card_declined"), ("insufficient_funds",) * 2])
def test_decline_leaves_checkout_open_with_code(harness: GatewayHarness, how: str, code: str) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, how)
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.code) == (CheckoutStatus.OPEN, code)
    assert state.message


def test_second_card_can_pay_after_decline(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, "declined")
    harness.pay(checkout, "good")
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.code) == (CheckoutStatus.AUTHORIZED, "")


def test_lapsed_authorization_captures_nothing(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, "lapsing")
    with pytest.raises(Refused) as refused:
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert refused.value.code == "authorization_lapsed"
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.code, state.captured) == (CheckoutStatus.CLOSED, "authorization_lapsed", None)


def test_bank_debit_is_processing_until_it_settles(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, "debit")
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.PROCESSING
    harness.settle_bank_debit(checkout, "captured")
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.method) == (CheckoutStatus.CAPTURED, "bank_debit")
    assert state.captured == Money(12_500, "USD")


def test_bank_debit_can_fail_later(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, "bad_debit")
    harness.settle_bank_debit(checkout, "failed")
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.code, state.captured) == (CheckoutStatus.FAILED, "bank_debit_failed", None)


def test_expired_checkout_cannot_be_paid(harness: GatewayHarness) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    checkout = harness.gateway.start(harness.checkout_request(expires_at=soon))
    harness.let_expire(checkout)
    harness.pay(checkout)
    state = harness.gateway.fetch(checkout.ref)
    assert (state.status, state.code) == (CheckoutStatus.CLOSED, "checkout_expired")


def test_unknown_checkout_is_refused(harness: GatewayHarness) -> None:
    with pytest.raises(Refused) as refused:
        harness.gateway.fetch("co_nobody")
    assert refused.value.code == "not_found"


@pytest.mark.parametrize(("currency", "minor"), [("USD", 12_500), ("JPY", 12_500), ("KWD", 12_500)])
def test_capture_is_exact_for_every_currency_exponent(
    harness: GatewayHarness, currency: str, minor: int
) -> None:
    checkout = harness.gateway.start(harness.checkout_request(amount=Money(minor, currency)))
    harness.pay(checkout)
    state = harness.gateway.capture(checkout.ref, Money(minor, currency), "capture")
    assert state.captured == Money(minor, currency)
