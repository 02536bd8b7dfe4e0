"""Contract: the gateway says what it charges for a payment and for a refund, once the money has moved."""

from __future__ import annotations

import pytest

from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (Money(12_500, "USD"), Money(200, "USD")),
        (Money(12_535, "USD"), Money(200, "USD")),  # 175.49
        (Money(12_536, "USD"), Money(201, "USD")),  # 175.50
        (Money(12_500, "JPY"), Money(200, "JPY")),
        (Money(12_500, "KWD"), Money(255, "KWD")),
    ],
)
def test_fee_is_said_with_the_capture(harness: GatewayHarness, amount: Money, fee: Money) -> None:
    checkout = harness.gateway.start(harness.checkout_request(amount=amount))
    harness.pay(checkout)
    assert harness.gateway.fetch(checkout.ref).fee is None
    assert harness.gateway.capture(checkout.ref, amount, "capture").fee == fee
    assert harness.gateway.fetch(checkout.ref).fee == fee


def test_fee_of_bank_debit_is_said_when_it_settles(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout, "debit")
    assert harness.gateway.fetch(checkout.ref).fee is None
    harness.settle_bank_debit(checkout, "captured")
    assert harness.gateway.fetch(checkout.ref).fee == Money(200, "USD")


def test_fee_of_payment_stays_when_it_is_refunded(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert harness.gateway.refund(checkout.ref, Money(12_500, "USD"), "refund").fee == Money(0, "USD")
    assert harness.gateway.fetch(checkout.ref).fee == Money(200, "USD")


def test_fee_can_be_left_out_of_a_response(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    harness.inject_fault("no_fee", act="capture")
    state = harness.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert (state.captured, state.fee) == (Money(12_500, "USD"), None)
    assert harness.gateway.fetch(checkout.ref).fee == Money(200, "USD")
