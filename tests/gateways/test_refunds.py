"""Contract: a captured amount can be refunded in parts, and never more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from partway.gateways.protocol import Checkout, OutcomeUnknown, RefundStatus, Refused
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness, wait_for_callback


@pytest.fixture
def paid(harness: GatewayHarness) -> Checkout:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.gateway.capture(checkout.ref, Money(12_500, "USD"), f"capture-{checkout.ref}")
    return checkout


def test_partial_refund_succeeds(harness: GatewayHarness, paid: Checkout) -> None:
    refund = harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    assert (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, Money(2_500, "USD"))


def test_checkout_state_lists_refunds_and_captured_amount(harness: GatewayHarness, paid: Checkout) -> None:
    one = harness.gateway.refund(paid.ref, Money(2_500, "USD"), "one")
    two = harness.gateway.refund(paid.ref, Money(10_000, "USD"), "two")
    state = harness.gateway.fetch(paid.ref)
    assert state.refunds == (one, two)
    assert state.captured == Money(12_500, "USD")


def test_refund_reference_is_its_idempotency_key(harness: GatewayHarness, paid: Checkout) -> None:
    assert (
        harness.gateway.refund(paid.ref, Money(2_500, "USD"), "ref_1:refund:1").reference == "ref_1:refund:1"
    )


def test_refund_repeated_with_same_key_is_same_refund(harness: GatewayHarness, paid: Checkout) -> None:
    first = harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    assert harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund") == first
    assert len(harness.gateway.fetch(paid.ref).refunds) == 1


def test_refund_above_captured_amount_is_refused(harness: GatewayHarness, paid: Checkout) -> None:
    harness.gateway.refund(paid.ref, Money(12_000, "USD"), "most")
    with pytest.raises(Refused) as refused:
        harness.gateway.refund(paid.ref, Money(501, "USD"), "more")
    assert refused.value.code == "amount_too_large"


def test_concurrent_refunds_never_exceed_captured_amount(harness: GatewayHarness, paid: Checkout) -> None:
    with ThreadPoolExecutor(6) as pool:
        for number in range(6):
            pool.submit(harness.gateway.refund, paid.ref, Money(5_000, "USD"), f"refund-{number}")
    assert len(harness.gateway.fetch(paid.ref).refunds) == 2


def test_authorization_cannot_be_refunded(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    with pytest.raises(Refused) as refused:
        harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund")
    assert refused.value.code == "not_captured"


def test_refund_without_response_is_made_once(harness: GatewayHarness, paid: Checkout) -> None:
    harness.inject_fault("timeout_after_success", act="refund")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    repeated = harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    assert harness.gateway.fetch(paid.ref).refunds == (repeated,)


def test_refund_can_be_pending_until_it_settles(harness: GatewayHarness, paid: Checkout) -> None:
    harness.inject_fault("refund_pending")
    refund = harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    assert refund.status == RefundStatus.PENDING
    harness.settle_refund(refund, "succeeded")
    assert harness.gateway.fetch(paid.ref).refunds[0].status == RefundStatus.SUCCEEDED


def test_refund_can_fail_after_it_succeeded(harness: GatewayHarness, paid: Checkout) -> None:
    refund = harness.gateway.refund(paid.ref, Money(12_500, "USD"), "refund")
    harness.settle_refund(refund, "failed")
    assert harness.gateway.fetch(paid.ref).refunds[0].status == RefundStatus.FAILED
    assert harness.gateway.refund(paid.ref, Money(12_500, "USD"), "again").ref != refund.ref


def test_refused_refund_sends_nothing(harness: GatewayHarness, paid: Checkout) -> None:
    harness.inject_fault("refund_refused")
    with pytest.raises(Refused):
        harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    assert harness.gateway.fetch(paid.ref).refunds == ()


def test_refund_failing_before_execution_sends_nothing(harness: GatewayHarness, paid: Checkout) -> None:
    harness.inject_fault("error_before", act="refund")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    assert harness.gateway.fetch(paid.ref).refunds == ()


def test_end_of_refund_is_reported_and_listed(harness: GatewayHarness, paid: Checkout) -> None:
    harness.inject_fault("refund_pending")
    refund = harness.gateway.refund(paid.ref, Money(2_500, "USD"), "refund")
    began = harness.moment()
    harness.settle_refund(refund, "failed")
    wait_for_callback(harness, "refund_failed")
    [listed] = harness.gateway.list_since(began)
    assert [one.status for one in listed.state.refunds] == [RefundStatus.FAILED]
