"""Tests of lines, discount, tax and totals: exact, and without losing a unit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.billing.documents.amounts import LineAmount, line_amount, percent_of, split_by_weight, totals
from partway.lib.money import MAX_AMOUNT_MINOR

minor = st.integers(0, MAX_AMOUNT_MINOR)
percent = st.decimals(0, 100, places=4)
lines = st.lists(st.builds(LineAmount, minor, percent), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("quantity", "unit", "amount"),
    [("1", 999, 999), ("0.5", 1, 1), ("0.4999", 1, 0), ("1.5", 33, 50), ("0.3333", 300, 100), ("2.5", 1, 3)],
)
def test_line_amount_rounds_half_up_once(quantity: str, unit: int, amount: int) -> None:
    assert line_amount(Decimal(quantity), unit) == amount


@pytest.mark.parametrize(
    ("amount", "rate", "share"), [(10_000, "8.875", 888), (50, "1", 1), (49, "1", 0), (3, "50", 2)]
)
def test_percent_of_amount_rounds_half_up(amount: int, rate: str, share: int) -> None:
    assert percent_of(amount, Decimal(rate)) == share


@given(st.integers(0, MAX_AMOUNT_MINOR), st.lists(minor, min_size=1, max_size=20).filter(any))
def test_discount_split_loses_no_minor_unit(amount: int, weights: list[int]) -> None:
    assert sum(split_by_weight(amount, weights)) == amount


@given(lines, st.integers(0, 100))
def test_line_discount_is_at_most_line_amount(lines: list[LineAmount], hundredths: int) -> None:
    amounts = [line.amount_minor for line in lines]
    shares = split_by_weight(sum(amounts) * hundredths // 100, amounts)
    assert all(0 <= share <= amount for share, amount in zip(shares, amounts, strict=True))


@given(st.integers(0, 10**6), st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_split_shares_differ_from_exact_by_less_than_a_minor_unit(amount: int, weights: list[int]) -> None:
    for share, weight in zip(split_by_weight(amount, weights), weights, strict=True):
        assert abs(share * sum(weights) - amount * weight) < sum(weights)


def test_split_gives_spare_units_to_largest_remainders() -> None:
    assert split_by_weight(100, [1, 1, 1]) == [34, 33, 33]
    assert split_by_weight(10, [6, 5, 5]) == [4, 3, 3]
    assert split_by_weight(5, [5, 1]) == [4, 1]
    assert split_by_weight(5, [0, 0]) == [0, 0]


def test_tax_is_rounded_once_per_rate() -> None:
    three_lines = [LineAmount(5, Decimal(10))] * 3  # half a cent each; together one and a half
    assert totals(three_lines, 0).tax_minor == 2
    two_rates = [LineAmount(5, Decimal(10)), LineAmount(5, Decimal(10)), LineAmount(5, Decimal(30))]
    assert totals(two_rates, 0).tax_minor == 1 + 2


def test_equal_tax_rates_written_differently_are_grouped() -> None:
    assert totals([LineAmount(5, Decimal("10")), LineAmount(5, Decimal("10.0"))], 0).tax_minor == 1


@given(lines, minor)
def test_document_total_is_never_negative_and_adds_up(lines: list[LineAmount], discount: int) -> None:
    sums = totals(lines, discount)
    assert 0 <= sums.discount_minor <= sums.subtotal_minor == sum(line.amount_minor for line in lines)
    assert sums.total_minor == sums.subtotal_minor - sums.discount_minor + sums.tax_minor >= 0


@given(lines)
def test_full_discount_leaves_no_tax(lines: list[LineAmount]) -> None:
    assert totals(lines, sum(line.amount_minor for line in lines)).total_minor == 0


@given(lines, minor)
def test_tax_is_within_half_a_minor_unit_of_exact_per_rate(lines: list[LineAmount], discount: int) -> None:
    sums = totals(lines, discount)
    amounts = [line.amount_minor for line in lines]
    nets = [a - s for a, s in zip(amounts, split_by_weight(sums.discount_minor, amounts), strict=True)]
    exact = sum(Decimal(net) * line.tax_percent / 100 for net, line in zip(nets, lines, strict=True))
    tax_by_rate = len({line.tax_percent for line in lines})
    assert abs(sums.tax_minor - exact) <= Decimal(tax_by_rate) / 2
