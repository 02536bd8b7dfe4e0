"""Cells are read in the formats that were named, exactly, or refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.billing.imports.values import (
    DATE_FORMATS,
    DECIMAL_MARKS,
    BadValue,
    read_amount,
    read_day,
    read_decimal,
    read_percent,
)
from partway.lib.money import EXPONENTS


@given(
    minor=st.integers(-(10**13), 10**13),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    mark=st.sampled_from(DECIMAL_MARKS),
    group=st.sampled_from(["", "'", " ", "\u202f"]),
)
def test_amount_is_read_as_it_was_written(minor: int, currency: str, mark: str, group: str) -> None:
    places = EXPONENTS[currency]
    text = f"{Decimal(minor).scaleb(-places):,.{places}f}".replace(",", "G").replace(".", mark)
    assert read_amount(text.replace("G", group), currency, mark) == minor
    assert read_amount(Decimal(minor).scaleb(-places), currency, mark) == minor


@given(day=st.dates(date(1000, 1, 1)), form=st.sampled_from(list(DATE_FORMATS)))
def test_day_is_read_as_it_was_written(day: date, form: str) -> None:
    text = form.replace("YYYY", str(day.year)).replace("MM", f"{day.month:02}").replace("DD", f"{day.day:02}")
    assert read_day(text, form) == read_day(day, form) == day


@given(text=st.text(max_size=12), mark=st.sampled_from(DECIMAL_MARKS))
def test_text_that_is_no_number_is_refused_and_nothing_else_raised(text: str, mark: str) -> None:
    try:
        number = read_decimal(text, mark)
    except BadValue:
        return
    assert number.is_finite()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,23",
        "1.2345",
        "1,2345.6",
        "12,345,67",
        ",5",
        "5.",
        "1e3",
        "$5",
        "٥",
        "--1",
        "1 '000",
        "nan",
        "0x1",
    ],
)
def test_amount_that_could_mean_something_else_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        read_amount(text, "USD", ".")


@pytest.mark.parametrize("text", ["2026-02-30", "26-01-02", "2026-1-2 ", "02.01.2026", "2026-01-02T00:00"])
def test_day_in_another_format_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        read_day(text, "YYYY-MM-DD")


def test_percentage_has_at_most_four_decimals() -> None:
    assert (read_percent("8,25 %", ","), read_percent(Decimal("0.19"), ",")) == (
        Decimal("8.25"),
        Decimal("0.19"),
    )
    for text in ("8.12345", "101", "x%"):
        with pytest.raises(BadValue):
            read_percent(text, ".")
