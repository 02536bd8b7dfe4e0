"""Money: exact arithmetic in one currency, parsing and formatting."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.lib.money import (
    EXPONENTS,
    MAX_AMOUNT_MINOR,
    Money,
    MoneyError,
    format_money,
    parse_money,
    round_half_up,
)

currencies = st.sampled_from(sorted(EXPONENTS))
moneys = st.builds(Money, st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR), currencies)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("300", "USD", 30_000),
        ("$1,250.50", "USD", 125_050),
        (" 1250.5 ", "USD", 125_050),
        (".5", "USD", 50),
        ("5.", "USD", 500),
        ("300.00 USD", "USD", 30_000),
        ("-$12.00", "USD", -1_200),
        ("−12", "USD", -1_200),
        ("1\u00a0250", "EUR", 125_000),
        ("€1,000,000.01", "EUR", 100_000_001),
        ("¥500", "JPY", 500),
        ("500.00", "JPY", 500),
        ("12.345", "KWD", 12_345),
        ("KWD 12.5", "KWD", 12_500),
        ("0", "USD", 0),
    ],
)
def test_parse_money_reads_typed_amounts(typed: str, currency: str, minor: int) -> None:
    assert parse_money(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("typed", "currency", "code"),
    [
        ("", "USD", "empty"),
        ("  ", "USD", "empty"),
        ("$", "USD", "empty"),
        ("abc", "USD", "not_a_number"),
        ("1.2.3", "USD", "not_a_number"),
        ("1,25", "USD", "not_a_number"),
        ("12,50", "EUR", "not_a_number"),
        ("1.250,50", "EUR", "not_a_number"),
        ("1,2345", "USD", "not_a_number"),
        (",100", "USD", "not_a_number"),
        ("1e5", "USD", "not_a_number"),
        ("NaN", "USD", "not_a_number"),
        ("Infinity", "USD", "not_a_number"),
        ("--5", "USD", "not_a_number"),
        ("-", "USD", "not_a_number"),
        (".", "USD", "not_a_number"),
        ("٣٠٠", "USD", "not_a_number"),
        ("0x10", "USD", "not_a_number"),
        ("1_000", "USD", "not_a_number"),
        ("€5", "USD", "not_a_number"),
        ("9" * 50, "USD", "not_a_number"),
        ("1.005", "USD", "too_many_decimals"),
        ("1.5", "JPY", "too_many_decimals"),
        ("2.500", "USD", "too_many_decimals"),
        ("2.500", "JPY", "too_many_decimals"),
        ("1.2345", "KWD", "too_many_decimals"),
        ("100000000000.01", "USD", "too_large"),
        ("-100000000000.01", "USD", "too_large"),
    ],
)
def test_parse_money_refuses_invalid_amounts(typed: str, currency: str, code: str) -> None:
    with pytest.raises(MoneyError) as refusal:
        parse_money(typed, currency)
    assert refusal.value.code == code


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


@given(moneys)
def test_parse_money_reads_formatted_money(money: Money) -> None:
    assert parse_money(format_money(money), money.currency) == money


@given(moneys)
def test_parse_money_reads_plain_decimal(money: Money) -> None:
    assert parse_money(str(money.decimal), money.currency) == money


@given(st.text(max_size=60), currencies)
def test_parse_money_returns_amount_or_known_error_for_any_text(typed: str, currency: str) -> None:
    try:
        code, minor = "", parse_money(typed, currency).amount_minor
    except MoneyError as refusal:
        code, minor = refusal.code, 0
    assert code in {"", "empty", "not_a_number", "too_many_decimals", "too_large"}
    assert abs(minor) <= MAX_AMOUNT_MINOR


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
    assert refusal.value.code == "mixed_currencies"


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
