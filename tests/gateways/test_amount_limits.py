"""Contract: a gateway takes the amounts that its minimum and step allow, and no others."""

from __future__ import annotations

import pytest

from partway.gateways.protocol import Refused
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness

CURRENCIES = ["USD", "EUR", "JPY", "KWD"]


@pytest.mark.parametrize("currency", CURRENCIES)
def test_gateway_minimum_amount_is_accepted(harness: GatewayHarness, currency: str) -> None:
    least = harness.gateway.minimum(currency)
    assert harness.gateway.start(harness.checkout_request(amount=Money(least, currency)))


@pytest.mark.parametrize("currency", CURRENCIES)
def test_amount_below_gateway_minimum_is_refused(harness: GatewayHarness, currency: str) -> None:
    less = harness.gateway.minimum(currency) - harness.gateway.step(currency)
    with pytest.raises(Refused) as refused:
        harness.gateway.start(harness.checkout_request(amount=Money(less, currency)))
    assert refused.value.code == "amount_too_small"


def test_amount_between_gateway_steps_is_refused(harness: GatewayHarness) -> None:
    assert harness.gateway.step("KWD") == 10
    with pytest.raises(Refused):
        harness.gateway.start(harness.checkout_request(amount=Money(12_505, "KWD")))


def test_gateway_has_method_that_authorizes_first(harness: GatewayHarness) -> None:
    assert any(harness.gateway.authorizes(method) for method in harness.gateway.methods)
