"""Contract: a gateway says beforehand what it takes, and means it."""

from __future__ import annotations

import pytest

from partway.gateways.protocol import Refused
from partway.gateways.registry import GATEWAYS, open_gateway
from partway.lib.money import Money
from tests.gateways.stages import Stage

CURRENCIES = ["USD", "EUR", "JPY", "KWD"]


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_minimum_is_taken(stage: Stage, currency: str) -> None:
    least = stage.gateway.minimum(currency)
    assert stage.gateway.start(stage.order(amount=Money(least, currency)))


@pytest.mark.parametrize("currency", CURRENCIES)
def test_less_than_the_minimum_is_refused(stage: Stage, currency: str) -> None:
    less = stage.gateway.minimum(currency) - stage.gateway.step(currency)
    with pytest.raises(Refused) as refused:
        stage.gateway.start(stage.order(amount=Money(less, currency)))
    assert refused.value.code == "amount_too_small"


def test_an_amount_between_two_steps_is_refused(stage: Stage) -> None:
    assert stage.gateway.step("KWD") == 10
    with pytest.raises(Refused):
        stage.gateway.start(stage.order(amount=Money(12_505, "KWD")))


def test_some_method_authorizes_first(stage: Stage) -> None:
    assert any(stage.gateway.authorizes(method) for method in stage.gateway.methods)


def test_a_gateway_is_opened_by_its_code() -> None:
    with pytest.raises(KeyError):
        open_gateway("nobody", {}, endpoints={})
    assert "sandbox" in GATEWAYS
