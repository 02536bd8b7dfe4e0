"""Contract: a call without a response is neither done nor refused, and repeating it has no further effect."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partway.gateways.protocol import CheckoutStatus, OutcomeUnknown, Refused
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_start_without_response_is_found_by_idempotency_key(harness: GatewayHarness) -> None:
    request = harness.checkout_request(reference="lost and found")
    harness.inject_fault("timeout_after_success", act="start")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.start(request)
    checkout = harness.gateway.start(request)
    found = [line.ref for line in harness.gateway.list_since(request.expires_at.replace(year=2000))]
    assert found == [checkout.ref]


def test_capture_without_response_captures_once(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("timeout_after_success", act="capture")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CAPTURED
    harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.captures(checkout) == [12_500]


def test_capture_failing_before_execution_captures_nothing(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("error_before", act="capture")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.AUTHORIZED


def test_fetch_without_response_raises_outcome_unknown(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.inject_fault("error_before", act="fetch")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.fetch(checkout.ref)


def test_capture_of_other_amount_is_reported_as_captured(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("wrong_amount", delta=-300)
    state = harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert state.captured == Money(12_200, "USD")


@pytest.mark.parametrize("how", ["good", "debit"])
def test_capture_in_other_currency_is_reported_as_captured(harness: GatewayHarness, how: str) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.inject_fault("wrong_currency", currency="JPY")
    harness.pay(checkout, how)
    if how == "good":
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    else:
        harness.settle_bank_debit(checkout, "captured")
    assert harness.gateway.fetch(checkout.ref).captured == Money(12_500, "JPY")
    [listed] = harness.gateway.list_since(EPOCH)
    assert listed.state.captured == Money(12_500, "JPY")


def test_refund_is_in_captured_currency(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("wrong_currency", currency="CAD")
    harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    with pytest.raises(Refused):
        harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund in dollars of another country")
    assert harness.gateway.refund(checkout.ref, Money(500, "CAD"), "refund").amount == Money(500, "CAD")
    assert harness.gateway.fetch(checkout.ref).refunds[0].amount == Money(500, "CAD")


def test_capture_in_unknown_currency_raises_outcome_unknown(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("wrong_currency", currency="ZZZ")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.fetch(checkout.ref)


def test_capture_without_amount_is_reported_without_amount(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("no_amount", act="capture")
    state = harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert (state.status, state.captured) == (CheckoutStatus.CAPTURED, None)
    assert harness.gateway.fetch(checkout.ref).captured == Money(12_500, "USD")


def test_unreadable_capture_response_is_unknown_and_captures_once(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("garbage", act="capture")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.fetch(checkout.ref).status == CheckoutStatus.CAPTURED
    assert harness.captures(checkout) == [12_500]


def test_capture_already_made_outside_is_refused(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("capture_too_late")
    with pytest.raises(Refused) as refused:
        harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert refused.value.code == "already_captured"
    assert harness.gateway.fetch(checkout.ref).captured == Money(12_500, "USD")


def test_unreachable_gateway_raises_outcome_unknown(harness: GatewayHarness) -> None:
    with pytest.raises(OutcomeUnknown):
        harness.unreachable.check(harness.callback_receiver.url, datetime.now(UTC))
