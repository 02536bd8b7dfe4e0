"""The operator's settings of a platform: its fee is never more than the amount, and can be paid in its currency."""

from __future__ import annotations

import pytest

from partway.gateways.platform import read_platform
from partway.lib.money import Money


@pytest.mark.parametrize(
    ("amount", "step", "fee_minor"),
    [
        (Money(100_000, "USD"), 1, 1_550),
        (Money(33, "USD"), 1, 33),  # 0.50 more would be above the amount
        (Money(10_033, "EUR"), 1, 150),  # 150.495: the percentage alone, where no amount is named
        (Money(100_100, "JPY"), 1, 1_602),  # 1501.5 half up, and 100
        (Money(123_450, "KWD"), 10, 1_850),  # 1851.75, down to the step
    ],
)
def test_fee_is_a_percentage_and_an_amount(amount: Money, step: int, fee_minor: int) -> None:
    platform = read_platform("sk_test_1", [], "1.5", {"USD": "0.50", "JPY": "100"})
    assert platform.fee.of(amount, step) == Money(fee_minor, amount.currency)


def test_platform_without_a_fee_takes_none() -> None:
    assert not read_platform("sk_test_1", [], "", {}).fee.of(Money(100_000, "USD"), 1)


@pytest.mark.parametrize(
    ("percent", "amounts"),
    [
        ("abc", {}),
        ("100", {}),
        ("-1", {}),
        ("NaN", {}),
        ("1", {"XYZ": "1"}),
        ("1", {"USD": "0.505"}),
        ("1", {"USD": "-1"}),
        ("1", {"USD": "abc"}),
        ("1", {"USD": "NaN"}),
    ],
)
def test_fee_that_cannot_be_meant_is_refused(percent: str, amounts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"percent|currency|amount"):
        read_platform("sk_test_1", [], percent, amounts)
