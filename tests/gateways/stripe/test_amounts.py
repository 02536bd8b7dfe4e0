"""Amounts in the units of Stripe's API: exponents that are not ISO's, minima and steps, in both directions."""

from __future__ import annotations

import pytest

from partway.gateways.protocol import Refused
from partway.gateways.stripe import amounts
from partway.lib.money import EXPONENTS, Money


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (Money(12_500, "USD"), 12_500),
        (Money(500, "JPY"), 500),
        (Money(5, "ISK"), 500),
        (Money(5, "UGX"), 500),
        (Money(12_300, "MGA"), 123),
        (Money(12_340, "KWD"), 12_340),
        (Money(20_050, "HUF"), 20_050),
        (Money(1_234, "TWD"), 1_234),
        (Money(9_000, "CLP"), 9_000),
    ],
)
def test_amount_has_units_of_its_currency(amount: Money, units: int) -> None:
    assert amounts.to_stripe(amount) == units
    assert amounts.from_stripe(units, amount.currency.lower()) == amount


@pytest.mark.parametrize("currency", sorted(amounts.CURRENCIES))
def test_amount_of_every_currency_survives_both_directions(currency: str) -> None:
    for count in (1, 2, 7, 1_000_003):
        amount = Money(amounts.minimum(currency) + (count - 1) * amounts.step(currency), currency)
        assert amounts.from_stripe(amounts.to_stripe(amount), currency.lower()) == amount


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(49, "USD"), "amount_too_small"),
        (Money(29, "GBP"), "amount_too_small"),
        (Money(17_499, "HUF"), "amount_too_small"),
        (Money(0, "ISK"), "amount_too_small"),
        (Money(12_345, "KWD"), "amount_not_divisible"),
        (Money(12_350, "MGA"), "amount_not_divisible"),
        (Money(12_350, "IQD"), "currency_not_supported"),
    ],
)
def test_amount_that_stripe_documents_not_to_take_is_refused(amount: Money, code: str) -> None:
    with pytest.raises(Refused) as refused:
        amounts.to_stripe(amount)
    assert refused.value.code == code


def test_part_of_a_payment_may_be_below_the_minimum() -> None:
    assert amounts.part_to_stripe(Money(1, "USD")) == 1
    assert amounts.part_to_stripe(Money(10, "KWD")) == 10
    with pytest.raises(Refused):
        amounts.part_to_stripe(Money(1, "KWD"))


@pytest.mark.parametrize("units", [150, 1, -50])
def test_decimals_that_isk_does_not_have_are_never_rounded(units: int) -> None:
    with pytest.raises(ValueError, match="no decimals"):
        amounts.from_stripe(units, "isk")


@pytest.mark.parametrize("units", [None, "12", 1.5, True, 10**13 + 1])
def test_units_that_are_no_amount_raise_value_error(units: object) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        amounts.from_stripe(units, "usd")


def test_every_currency_with_a_minimum_is_one_that_stripe_presents() -> None:
    assert {"USD", "ISK", "UGX", "MGA", "KWD", "BHD", "HUF", "TWD"} <= amounts.CURRENCIES <= set(EXPONENTS)
    assert all(amounts.minimum(currency) % amounts.step(currency) == 0 for currency in amounts.CURRENCIES)
