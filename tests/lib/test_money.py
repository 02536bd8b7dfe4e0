"""Money: exact arithmetic in one currency, and formatting."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.lib import money as money_module
from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money, MoneyError, format_money, round_half_up

currencies = st.sampled_from(sorted(EXPONENTS))


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (125_050, "USD", "$1,250.50"),
        (-1_200, "USD", "-$12.00"),
        (5, "USD", "$0.05"),
        (500, "JPY", "¥500"),
        (12_500, "KWD", "KWD\u00a012.500"),
        (100, "CAD", "CA$1.00"),
        (1_234_567, "EUR", "€12,345.67"),
    ],
)
def test_format_money_shows_symbol_and_decimals(minor: int, currency: str, shown: str) -> None:
    assert format_money(Money(minor, currency)) == str(Money(minor, currency)) == shown


@given(st.integers(), st.integers(), currencies)
def test_money_addition_subtraction_and_comparison(one: int, other: int, currency: str) -> None:
    a, b = Money(one, currency), Money(other, currency)
    negative = -a
    assert (a + b - b, a - a, -negative) == (a, Money(0, currency), a)
    assert (a < b, a <= b, bool(a)) == (one < other, one <= other, one != 0)


@pytest.mark.parametrize("mix", ["__add__", "__sub__", "__lt__", "__le__"])
def test_money_of_two_currencies_cannot_be_mixed(mix: str) -> None:
    with pytest.raises(MoneyError) as refusal:
        getattr(Money(1, "USD"), mix)(Money(1, "EUR"))
    assert (refusal.value.code, refusal.value.currencies) == ("mixed_currencies", ("USD", "EUR"))


def test_money_of_another_currency_is_not_equal() -> None:
    assert Money(1, "USD") != Money(1, "EUR")


@pytest.mark.parametrize("currency", ["", "usd", "XXX", "US"])
def test_money_in_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(MoneyError) as refusal:
        Money(1, currency)
    assert refusal.value.code == "unknown_currency"


@pytest.mark.parametrize("amount", [1.0, "1", Decimal(1), True, None])
def test_money_amount_minor_must_be_int(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999", 2), ("-0.5", -1), ("-2.5", -3)]
)
def test_half_up_rounds_away_from_zero(value: str, rounded: int) -> None:
    assert round_half_up(Decimal(value)) == rounded


def test_currency_exponents_follow_iso_4217() -> None:
    assert {EXPONENTS[code] for code in ("JPY", "KRW", "CLP")} == {0}
    assert {EXPONENTS[code] for code in ("KWD", "BHD", "IQD")} == {3}
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)


def test_currencies_are_those_of_november_2026() -> None:
    """XCG replaced ANG in 2025, Bulgaria has the euro since 2026, and Zimbabwe the ZWG."""
    assert not {"ANG", "BGN", "CUC", "HRK", "SLL", "ZWL", "MRO", "STD"} & EXPONENTS.keys()
    assert {"XCG", "ZWG", "SLE", "VES", "MRU", "STN"} <= EXPONENTS.keys()
    assert format_money(Money(1_250, "XCG")) == "Cg.\u00a012.50"


@pytest.mark.parametrize("locale", ["en_US", "de_CH", "hi_IN", "es_ES", "ar_EG", "fa_IR", "he_IL", "to_TO"])
@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "XCG"])
def test_format_money_writes_what_babel_does(locale: str, currency: str) -> None:
    letters = money_module._symbol(currency, locale).rstrip(".")[-1:].isalpha()
    pattern = money_module._pattern(locale, EXPONENTS[currency], letters)
    for minor in (0, 1, -1, 99_999, -100_000, 123_456_789, MAX_AMOUNT_MINOR):
        amount = Money(minor, currency)
        by_babel = pattern.apply(amount.decimal, locale, currency=currency, currency_digits=False)
        assert format_money(amount, locale) == by_babel
