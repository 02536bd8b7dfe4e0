"""Typed numbers: read in the locale of the page, and refused where they could be two (DESIGN M7)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.localedata import locale_identifiers
from babel.numbers import format_decimal
from hypothesis import example, given
from hypothesis import strategies as st

from partway.lib.money import (
    EXPONENTS,
    MAX_AMOUNT_MINOR,
    Money,
    format_money,
    format_typed_money,
    parse_money,
)
from partway.lib.typed_numbers import NumberError, format_typed, parse_number

# Toki Pona groups by two, and West Frisian writes a minus after the number; neither is offered to an organization.
UNREADABLE = {"tok", "tok_001", "fy", "fy_NL"}
locales = st.sampled_from(sorted(set(locale_identifiers()) - UNREADABLE))
currencies = st.sampled_from(sorted(EXPONENTS))
moneys = st.builds(Money, st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR), currencies)


def amount(text: str, currency: str, locale: str = "en_US") -> Money | NumberError:
    try:
        return parse_money(text, currency, locale=locale)
    except NumberError as error:
        return error


def number(text: str, places: int = 4, locale: str = "en_US", limit: int = 10**9) -> Decimal | NumberError:
    """Reads a quantity or a percentage, or a whole number with 0 places."""
    try:
        return parse_number(text, locale=locale, places=places, limit=Decimal(limit), marks=("%",))
    except NumberError as error:
        return error


def shown(result: Money | Decimal | NumberError) -> str:
    """Returns the number, the readings between which the person must choose, or the code of the error."""
    match result:
        case Money():
            return str(result.decimal)
        case Decimal():
            return f"{result:f}"
    if readings := result.params.get("readings"):
        return " or ".join(format_typed(reading, locale="en_US") for reading in readings)
    return f"{result.code} {result.params.get('reading', '')}".strip()


@pytest.mark.parametrize(
    ("locale", "currency", "typed", "readings"),
    [
        ("en_US", "EUR", "0,285", ("0.285", "285")),
        ("en_US", "EUR", "0,500", ("0.5", "500")),
        ("en_US", "EUR", "0,100", ("0.1", "100")),
        ("en_US", "EUR", "2.500", ("2.5", "2500")),
        ("en_US", "USD", "1.234", ("1.234", "1234")),
        ("en_US", "USD", "-2.500", ("-2500", "-2.5")),
        ("en_US", "JPY", "50.000", ("50", "50000")),
        ("ja_JP", "JPY", "50.000", ("50", "50000")),
        ("en_US", "KWD", "2.500", ("2.5", "2500")),
        ("en_US", "KWD", "2,500", ("2.5", "2500")),
        ("de_DE", "EUR", "2,500", ("2.5", "2500")),
        ("de_DE", "EUR", "0,285", ("0.285", "285")),
        ("de_DE", "EUR", "0.285", ("0.285", "285")),
        ("de_DE", "EUR", "1,234", ("1.234", "1234")),
        ("de_DE", "KWD", "12.345", ("12.345", "12345")),
        ("fr_FR", "EUR", "2,500", ("2.5", "2500")),
        ("de_CH", "CHF", "2.500", ("2.5", "2500")),
        ("en_IN", "INR", "2.500", ("2.5", "2500")),
        ("ar_EG", "EGP", "٢.٥٠٠", ("2.5", "2500")),
    ],
)
def test_amount_with_two_readings_is_refused_with_both(
    locale: str, currency: str, typed: str, readings: tuple[str, str]
) -> None:
    with pytest.raises(NumberError) as error:
        parse_money(typed, currency, locale=locale)
    assert error.value.code in ("ambiguous", "ambiguous_decimals")
    assert error.value.params["readings"] == tuple(map(Decimal, readings))
    assert error.value.params["currency"] == currency


@pytest.mark.parametrize(
    ("locale", "currency", "typed", "read"),
    [
        ("en_US", "USD", "300", "300.00"),
        ("en_US", "USD", "$1,250.50", "1250.50"),
        ("en_US", "USD", "1,234", "1234.00"),
        ("en_US", "USD", " 1250.5 ", "1250.50"),
        ("en_US", "USD", ".5", "0.50"),
        ("en_US", "USD", "5.", "5.00"),
        ("en_US", "USD", "2.5000", "2.50"),
        ("en_US", "USD", "+5", "5.00"),
        ("en_US", "USD", "300.00 usd", "300.00"),
        ("en_US", "USD", "-$12.00", "-12.00"),
        ("en_US", "USD", "$-12.00", "-12.00"),
        ("en_US", "USD", "−12", "-12.00"),
        ("en_US", "USD", "00012", "12.00"),
        ("en_US", "USD", "0", "0.00"),
        ("en_US", "JPY", "50,000", "50000"),
        ("en_US", "JPY", "¥500", "500"),
        ("en_US", "JPY", "500.00", "500"),
        ("ja_JP", "JPY", "￥50,000", "50000"),
        ("en_US", "KWD", "KWD 12.5", "12.500"),
        ("en_US", "KWD", "12.3450", "12.345"),
        ("en_US", "KWD", "0.345", "0.345"),
        ("en_US", "KWD", "1234.345", "1234.345"),
        ("en_US", "EUR", "1\u00a0250", "1250.00"),
        ("de_DE", "EUR", "1.234,56", "1234.56"),
        ("de_DE", "EUR", "1.234", "1234.00"),
        ("de_DE", "EUR", "1,23", "1.23"),
        ("de_DE", "EUR", ",5", "0.50"),
        ("de_DE", "EUR", "5,", "5.00"),
        ("de_DE", "EUR", "5 €", "5.00"),
        ("de_DE", "EUR", "€5", "5.00"),
        ("de_DE", "EUR", "EUR 5", "5.00"),
        ("de_DE", "EUR", "1 234,56", "1234.56"),
        ("fr_FR", "EUR", "1\u202f234,56", "1234.56"),
        ("fr_FR", "EUR", "1\u2009234,56", "1234.56"),
        ("de_CH", "CHF", "1'234.50", "1234.50"),
        ("de_CH", "CHF", "1’234.50", "1234.50"),
        ("en_IN", "INR", "₹1,23,456.78", "123456.78"),
        ("en_IN", "INR", "123,456.78", "123456.78"),
        ("ar_EG", "EGP", "١٬٢٣٤٫٥", "1234.50"),
        ("fa_IR", "EUR", "۱۲۳", "123.00"),
        ("hi_IN", "INR", "१,२३,४५६.५", "123456.50"),
        ("ja_JP", "USD", "１，２３４．５", "1234.50"),
        ("he_IL", "ILS", "\u200f1,234.50 \u200f₪", "1234.50"),
    ],
)
def test_amount_is_read_as_the_locale_writes_it(locale: str, currency: str, typed: str, read: str) -> None:
    assert shown(amount(typed, currency, locale)) == read


@pytest.mark.parametrize(
    ("locale", "typed", "suggested"),
    [
        ("en_US", "1.234,56", "1234.56"),
        ("en_US", "1 234,56", "1234.56"),
        ("en_US", "1,23", "1.23"),
        ("en_US", "12,3456", "12.3456"),
        ("en_US", ",5", "0.5"),
        ("en_US", "5,", "5.0"),
        ("de_DE", "1,234.56", "1234.56"),
        ("de_DE", "12.50", "12.50"),
        ("de_DE", "5.", "5.0"),
        ("de_DE", "1,23,456", "123456.0"),
        ("de_CH", "1,50", "1.50"),
    ],
)
def test_amount_in_the_separators_of_another_locale_is_refused_with_its_reading(
    locale: str, typed: str, suggested: str
) -> None:
    assert shown(amount(typed, "EUR", locale)) == f"other_separators {suggested}"


NO_AMOUNTS = (
    "abc|1.2.3|1..2|1,2,3|1,00,0|5-|--5|+-5|-|.|,|(5)|1e5|½|0x10|NaN|Infinity|1_000|2²|²|1٢|€5|1/2|1 23|12 34|1 234'567"
    "|5%|1.00 5|1\u202e2|1\u200f2|1\t2"
)


@pytest.mark.parametrize("typed", [*NO_AMOUNTS.split("|"), "9" * 400])
def test_text_that_is_no_amount_is_refused(typed: str) -> None:
    assert shown(amount(typed, "USD")) == "not_a_number"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        (" \u00a0\u200f", "empty"),
        ("$", "empty"),
        ("0.005", "0.005 or 5"),
        ("1.23456", "too_many_decimals"),
        ("1,234.567", "too_many_decimals"),
        ("100000000000.01", "too_large"),
        ("-100000000000.01", "too_large"),
        ("9" * 90, "too_large"),
    ],
)
def test_amount_beyond_the_currency_or_the_limit_is_refused(typed: str, code: str) -> None:
    assert shown(amount(typed, "USD")) == code


@pytest.mark.parametrize(
    ("locale", "typed", "read"),
    [
        ("en_US", "1.5", "1.5"),
        ("en_US", "0.285", "0.285"),
        ("en_US", "8.25 %", "8.25"),
        ("tr_TR", "%8,25", "8.25"),
        ("ar_EG", "٨٫٢٥٪", "8.25"),
        ("de_DE", "0,285", "0.285"),
        ("de_DE", "12,3456", "12.3456"),
        ("en_US", "1234", "1234.0"),
        ("en_US", "1,234.5", "1234.5"),
        ("en_US", "12.34567", "too_many_decimals"),
        ("en_US", "1234567890", "too_large"),
        ("en_US", "1,234", "1.2340 or 1234"),
        ("en_US", "1.234", "1.2340 or 1234"),
        ("en_US", "2,500", "2.5 or 2500"),
        ("de_DE", "1.234", "1.2340 or 1234"),
        ("de_DE", "2,500", "2.5 or 2500"),
        ("de_DE", "1.5", "other_separators 1.5"),
    ],
)
def test_quantity_or_percentage_is_read_or_refused(locale: str, typed: str, read: str) -> None:
    assert shown(number(typed, locale=locale)) == read


@pytest.mark.parametrize(
    ("locale", "typed", "read"),
    [("en_US", "8.875", "8.875"), ("de_DE", "8,875 %", "8.875"), ("en_US", "8,875", "8.8750 or 8875")],
)
def test_reading_above_the_limit_does_not_make_a_number_ambiguous(locale: str, typed: str, read: str) -> None:
    assert shown(number(typed, locale=locale, limit=100)) == read
    assert format_typed(Decimal("8.875"), locale="en_US", limit=Decimal(100)) == "8.875"


@pytest.mark.parametrize(
    ("locale", "typed", "read"),
    [
        ("en_US", "30", "30.0"),
        ("en_US", "٣٠", "30.0"),
        ("en_US", "1,000", "1000.0"),
        ("de_DE", "1.000", "1000.0"),
        ("en_US", "1.000", "1 or 1000"),
        ("en_US", "1.5", "too_many_decimals"),
    ],
)
def test_whole_number_is_read_or_refused(locale: str, typed: str, read: str) -> None:
    assert shown(number(typed, places=0, locale=locale)) == read


# A number that is written in one locale is never another number on the page of another.

writings = st.sampled_from([("latn", True), ("latn", False), ("default", True)])


@given(moneys, locales)
@example(Money(2_500, "KWD"), "en_US")
@example(Money(2_500, "AUD"), "to")
def test_formatted_money_is_read_back_or_refused_as_ambiguous(money: Money, locale: str) -> None:
    result = amount(format_money(money, locale), money.currency, locale)
    assert result == money or (code_of(result), EXPONENTS[money.currency]) == ("ambiguous", 3)


@given(moneys, locales, locales)
@example(Money(1_234_500, "KWD"), "en_US", "de_DE")
def test_money_of_another_locale_is_never_read_as_another_amount(
    money: Money, page: str, writer: str
) -> None:
    result = amount(format_money(money, writer), money.currency, page)
    assert result == money or code_of(result) not in ("", "too_large")


@given(
    st.decimals(0, 10**8, places=4) | st.decimals(0, 10**4, places=3) | st.integers(0, 10**6).map(Decimal),
    st.sampled_from([0, 2, 3, 4]),
    locales,
    locales,
    writings,
)
@example(Decimal(2500), 2, "en_US", "de_DE", ("latn", True))
@example(Decimal(2500), 3, "en_US", "de_DE", ("latn", True))
@example(Decimal("2.5"), 3, "de_DE", "en_US", ("latn", True))
@example(Decimal("1.234"), 4, "en_US", "de_DE", ("latn", True))
def test_number_of_another_locale_is_never_read_as_another_number(
    value: Decimal, places: int, page: str, writer: str, writing: tuple[str, bool]
) -> None:
    value = round(value, places)
    system, grouped = writing
    text = format_decimal(
        value, locale=writer, decimal_quantization=False, group_separator=grouped, numbering_system=system
    )
    result = number(text, places, page)
    assert result == value or code_of(result) == "ambiguous" or (page != writer and code_of(result))


@given(moneys, locales)
def test_typed_form_of_money_is_always_read(money: Money, locale: str) -> None:
    assert amount(format_typed_money(money, locale), money.currency, locale) == money


@given(st.decimals(-(10**8), 10**8, places=4), locales)
def test_typed_form_of_number_is_always_read(value: Decimal, locale: str) -> None:
    assert number(format_typed(value, locale=locale), locale=locale) == value


@given(moneys, locales, locales)
def test_typed_form_is_not_another_amount_after_the_locale_was_changed(
    money: Money, before: str, after: str
) -> None:
    result = amount(format_typed_money(money, before), money.currency, after)
    assert result == money or code_of(result) in ("other_separators", "ambiguous")


@given(st.text(max_size=60) | st.text("0123456789.,' -٣٫٬", max_size=12), currencies, locales)
def test_any_text_is_an_amount_or_a_known_error(typed: str, currency: str, locale: str) -> None:
    result = amount(typed, currency, locale)
    if isinstance(result, NumberError):
        codes = "empty not_a_number other_separators ambiguous ambiguous_decimals too_many_decimals too_large"
        assert result.code in codes.split()
        assert result.params["places"] == EXPONENTS[currency]
    else:
        assert abs(result.amount_minor) <= MAX_AMOUNT_MINOR


def code_of(result: object) -> str:
    return result.code if isinstance(result, NumberError) else ""
