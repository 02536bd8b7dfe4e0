"""Contract: disputes of a captured amount are listed with their status, reason, last day for evidence and fee."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partway.gateways.protocol import Checkout, DisputeStatus, RefundStatus
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness, wait_for_callback
from tests.support.sandbox_server import wait_until


def paid(harness: GatewayHarness, how: str = "good") -> Checkout:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, how)
    harness.gateway.capture(checkout.ref, Money(12_500, "USD"), f"capture-{checkout.ref}")
    return checkout


def test_open_dispute_is_listed_with_all_that_a_member_needs(harness: GatewayHarness) -> None:
    checkout, began = paid(harness), datetime.now(UTC)
    assert harness.gateway.fetch(checkout.ref).disputes == ()
    ref = harness.dispute(checkout, 2_500, reason="duplicate")
    [dispute] = harness.gateway.fetch(checkout.ref).disputes
    assert (dispute.ref, dispute.status, dispute.amount) == (ref, DisputeStatus.OPEN, Money(2_500, "USD"))
    assert (dispute.reason, dispute.fee) == ("duplicate", Money(1_500, "USD"))
    assert dispute.evidence_due_at is not None
    assert dispute.evidence_due_at > began + timedelta(days=1)
    assert harness.gateway.fetch(checkout.ref).captured == Money(12_500, "USD")


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_decided_dispute_is_reported_and_listed(harness: GatewayHarness, outcome: str) -> None:
    checkout = paid(harness)
    ref, began = harness.dispute(checkout, 12_500), harness.moment()
    harness.decide_dispute(ref, outcome)
    for kind in ("dispute_opened", "dispute_closed"):
        wait_for_callback(harness, kind)
    [listed] = harness.gateway.list_since(began)
    [dispute] = listed.state.disputes
    assert dispute.status == outcome
    assert dispute.fee == (None if outcome == "won" else Money(1_500, "USD"))


def test_dispute_can_be_lost_after_it_was_won(harness: GatewayHarness) -> None:
    checkout = paid(harness)
    ref = harness.dispute(checkout, 12_500)
    for outcome in ("won", "lost"):
        harness.decide_dispute(ref, outcome)
        assert harness.gateway.fetch(checkout.ref).disputes[0].status == outcome


def test_refunded_payment_can_be_disputed(harness: GatewayHarness) -> None:
    checkout = paid(harness)
    harness.gateway.refund(checkout.ref, Money(12_500, "USD"), "refund")
    harness.dispute(checkout, 12_500)
    state = harness.gateway.fetch(checkout.ref)
    assert (len(state.refunds), len(state.disputes)) == (1, 1)


def test_cards_and_accounts_are_disputed_as_they_say(quick_harness: GatewayHarness) -> None:
    gateway = quick_harness.gateway
    expected = {
        "disputed": (DisputeStatus.OPEN, 12_500, "fraudulent"),
        "partly_disputed": (DisputeStatus.OPEN, 6_250, "duplicate"),
        "dispute_lost": (DisputeStatus.LOST, 12_500, "not_as_described"),
        "dispute_won": (DisputeStatus.WON, 12_500, "not_received"),
    }
    checkouts = {how: paid(quick_harness, how) for how in expected}
    debit = gateway.start(quick_harness.checkout_request())
    quick_harness.pay(debit, "returned_debit")
    expected["returned_debit"] = (DisputeStatus.LOST, 12_500, "debit_returned")

    checkouts["returned_debit"] = debit

    def found() -> dict[str, tuple[DisputeStatus, int, str]]:
        return {
            how: (one.status, one.amount.amount_minor, one.reason)
            for how, checkout in checkouts.items()
            for one in gateway.fetch(checkout.ref).disputes
        }

    wait_until(lambda: found() == expected)
    assert gateway.fetch(debit.ref).disputes[0].evidence_due_at is None


def test_cards_decide_how_their_refunds_go(quick_harness: GatewayHarness) -> None:
    gateway = quick_harness.gateway
    expected = {
        "slow_refunds": (RefundStatus.PENDING, RefundStatus.SUCCEEDED),
        "failing_refunds": (RefundStatus.PENDING, RefundStatus.FAILED),
        "returned_refunds": (RefundStatus.SUCCEEDED, RefundStatus.FAILED),
    }
    checkouts = {how: paid(quick_harness, how) for how in expected}
    at_first = {how: gateway.refund(one.ref, Money(500, "USD"), f"r-{how}") for how, one in checkouts.items()}
    assert {how: refund.status for how, refund in at_first.items()} == {
        how: first for how, (first, _) in expected.items()
    }
    wait_until(
        lambda: (
            {how: gateway.fetch(one.ref).refunds[0].status for how, one in checkouts.items()}
            == {how: then for how, (_, then) in expected.items()}
        )
    )
