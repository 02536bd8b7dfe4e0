"""Reads the cells of a file in the formats that its owner named; what does not fit is refused, never guessed (M7)."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR
from partway.lib.table_files import Cell, Unusable

from ..errors import FieldError, field_error

DECIMAL_MARKS = (".", ",")
# How a day is written, with the names of its parts in their order.
DATE_FORMATS: dict[str, re.Pattern[str]] = {
    "YYYY-MM-DD": re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", re.ASCII),
    "DD.MM.YYYY": re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})", re.ASCII),
    "DD/MM/YYYY": re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})", re.ASCII),
    "MM/DD/YYYY": re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})", re.ASCII),
    "DD-MM-YYYY": re.compile(r"(?P<d>\d{1,2})-(?P<m>\d{1,2})-(?P<y>\d{4})", re.ASCII),
    "YYYY/MM/DD": re.compile(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})", re.ASCII),
    "YYYYMMDD": re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})", re.ASCII),
}
# Beside the other of point and comma, what separates thousands.
_GROUP_MARKS = " '’\u00a0\u202f"
_PLACES = 4
_MAX_CHARACTERS = 40


class BadValue(ValueError):
    """A cell that is no value of its column; `error` says why."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(error.code)
        self.error = error


def read_text(cell: Cell) -> str:
    """Returns the text of a cell, also of one that a spreadsheet took for a number or a day."""
    match cell:
        case Unusable():
            raise BadValue(field_error(f"cell_{cell.code}"))
        case Decimal():
            return f"{cell:f}"
        case date():
            return cell.isoformat()
    return cell


def read_decimal(cell: Cell, decimal_mark: str) -> Decimal:
    """Returns the number of a cell; thousands may be separated, by three digits, by anything but the decimal mark."""
    if isinstance(cell, Decimal):
        if not cell.is_finite():
            raise BadValue(field_error("cell_number", example=_example(decimal_mark)))
        return cell
    text = read_text(cell)
    other = {".": ",", ",": "."}[decimal_mark]
    group = f"[{other}{_GROUP_MARKS}]"
    whole = rf"\d{{1,3}}(?P<group>{group})\d{{3}}(?:(?P=group)\d{{3}})*|\d+"
    found = re.fullmatch(
        rf"(?P<sign>[-+−]?)(?P<whole>{whole})(?:\{decimal_mark}(?P<places>\d+))?", text, re.A
    )
    if found is None or len(text) > _MAX_CHARACTERS or isinstance(cell, date):
        raise BadValue(field_error("cell_number", example=_example(decimal_mark)))
    digits = re.sub(r"\D", "", found["whole"], flags=re.ASCII)
    sign = "-" if found["sign"] in ("-", "−") else ""
    return Decimal(f"{sign}{digits}.{found['places'] or '0'}")


def read_percent(cell: Cell, decimal_mark: str) -> Decimal:
    """Returns a percentage of at most four decimals, with or without its sign."""
    bare = cell.removesuffix("%").rstrip() if isinstance(cell, str) else cell
    number = read_decimal(bare, decimal_mark)
    if abs(number) > 100 or number != round(number, _PLACES):
        raise BadValue(field_error("percentage_out_of_range"))
    return number


def read_amount(cell: Cell, currency: str, decimal_mark: str) -> int:
    """Returns an amount in minor units of a known currency; never rounds."""
    number, exponent = read_decimal(cell, decimal_mark), EXPONENTS[currency]
    if abs(number) > MAX_AMOUNT_MINOR:
        raise BadValue(field_error("cell_amount_too_large"))
    minor = number.scaleb(exponent)
    if minor != minor.to_integral_value():
        raise BadValue(field_error("cell_decimals", currency=currency, places=exponent))
    if abs(minor) > MAX_AMOUNT_MINOR:
        raise BadValue(field_error("cell_amount_too_large"))
    return int(minor)


def read_day(cell: Cell, date_format: str) -> date:
    """Returns the day of a cell; one that a spreadsheet has as a day is in no format."""
    if isinstance(cell, date):
        return cell
    found = DATE_FORMATS[date_format].fullmatch(read_text(cell))
    try:
        if found is None or isinstance(cell, Decimal):
            raise ValueError
        return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        raise BadValue(field_error("cell_day", date_format=date_format)) from None


def _example(decimal_mark: str) -> str:
    return f"1234{decimal_mark}50"
