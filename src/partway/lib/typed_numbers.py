"""Numbers as people type them: read as the page's locale writes them, refused where they could be two (DESIGN M7).

`staff/static/staff/typed_numbers.js` reads the same texts in the browser; docs/decisions/0030 has the rules as a table.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale
from babel.numbers import get_decimal_symbol

# More is no number that a person types, and each further character would only cost time.
MAX_CHARACTERS = 100
_GROUP_SIZE = 3

# Characters that stand for another: the Arabic comma is a comma, and keyboards of East Asia type full width.
EQUIVALENTS = {
    "’": "'",
    "．": ".",
    "，": ",",
    "،": ",",
    "⹁": ",",
    "−": "-",
    "－": "-",
    "＋": "+",
    "％": "%",
    "٪": "%",
    "￥": "¥",
}
# Marks of direction that come along with copied text. Those that turn digits around (U+202D, U+202E) are not among
# them: a person sees another number than the text has.
DIRECTION_MARKS = "\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
_EDGE = "\t\n\r\ufeff\u200b" + DIRECTION_MARKS
# A point or a comma separates decimals for some and thousands for others; these mean the same to everyone.
_DECIMAL_MARK, _GROUP_MARKS = "٫", " '٬"
_OTHER = {".": ",", ",": "."}


@cache
def digit_zeros() -> str:
    """Returns the first digit of each script; the other nine follow it."""
    # At the first use and not at the import: a quarter of a second would be a fifth of the start of each process.
    return "".join(chr(code) for code in range(sys.maxunicode) if unicodedata.decimal(chr(code), None) == 0)


class NumberError(ValueError):
    """Text that is no number, or could be two.

    `code` is one of empty, not_a_number (`text`), other_separators (`text`, `reading`), ambiguous and
    ambiguous_decimals (`readings`, two in ascending order), too_many_decimals, too_large (`limit`). `params` are
    Decimal and text, and always have `places`, the most decimals that the number can have.
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text with a point or a comma as its decimal mark; `decimals` as they were typed, with trailing zeros."""

    number: Decimal
    decimals: str
    is_well_grouped: bool


def parse_number(
    text: str, *, locale: str, places: int, limit: Decimal, marks: Sequence[str] = ()
) -> Decimal:
    """Returns the number of at most `places` decimals that `text` is in `locale`, and in no other way of writing.

    A number beyond `limit`, with or without a sign, is too large. `marks` may stand before or after the number, such
    as "€" or "%". Raises NumberError; never rounds.
    """
    sign, body = _strip_decoration(text, marks)
    mark, indian = decimal_mark(locale), groups_by_two(locale)
    own = _read(sign, body, mark, indian)
    other = _read(sign, body, _OTHER[mark], indian=True)
    readings = sorted({reading.number for reading in (own, other) if reading})
    if own is None or not own.is_well_grouped:
        raise _refusal(text if sign or body else "", readings, places)
    has_excess = _has_excess(own.number, places)
    if len(readings) > 1 and (has_excess or _is_possible(other, places, limit)):
        raise _ambiguous(readings, places)
    if has_excess:
        raise NumberError("too_many_decimals", places=places)
    if abs(own.number) > limit:
        raise NumberError("too_large", limit=limit, places=places)
    return own.number


def _is_possible(other: _Reading | None, places: int, limit: Decimal) -> bool:
    """Returns whether the field could have the other reading.

    A comma in 1,234 cannot be the decimal mark of an amount with two decimals, but it can be that of a quantity. Its
    zeros count as decimals too: they are not written to say nothing.
    """
    if other is None or not other.is_well_grouped:
        return False
    return len(other.decimals) <= places and abs(other.number) <= limit


def _refusal(text: str, readings: Sequence[Decimal], places: int) -> NumberError:
    """Returns the error of a text without a reading in the locale of the page; an empty one has only decoration."""
    if not text:
        return NumberError("empty", places=places)
    if len(readings) > 1:
        return _ambiguous(readings, places)
    shown = _strip_edge(text)[:40]
    if readings:
        return NumberError("other_separators", text=shown, reading=readings[0], places=places)
    return NumberError("not_a_number", text=shown, places=places)


def _ambiguous(readings: Sequence[Decimal], places: int) -> NumberError:
    has_excess = any(_has_excess(reading, places) for reading in readings)
    code = "ambiguous_decimals" if has_excess else "ambiguous"
    return NumberError(code, readings=tuple(readings), places=places)


def _has_excess(number: Decimal, places: int) -> bool:
    # Not by rounding, which the precision of decimals ends at 28 digits.
    return len(f"{number:f}".partition(".")[2].rstrip("0")) > places


def format_typed(number: Decimal, *, locale: str, min_decimals: int = 0, limit: Decimal | None = None) -> str:
    """Returns the number as parse_number reads it in `locale`, with no second meaning: without groups.

    A zero is added to three decimals, which after up to three digits could be thousands: 12.3450. Not where that
    would be above `limit`, as of a percentage.
    """
    whole, _, decimals = f"{number:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(min_decimals, "0")
    if len(decimals) == _GROUP_SIZE and re.fullmatch("-?[1-9][0-9]{0,2}", whole):
        decimals += "" if limit is not None and abs(Decimal(whole + decimals)) > limit else "0"
    return f"{whole}{get_decimal_symbol(locale)}{decimals}" if decimals else whole


@cache
def decimal_mark(locale: str) -> str:
    """Returns which of point and comma separates decimals in `locale`."""
    return "," if get_decimal_symbol(locale) == "," else "."


@cache
def groups_by_two(locale: str) -> bool:
    """Returns whether `locale` writes 1,23,456: groups of two before the last three digits."""
    return bool(Locale.parse(locale).decimal_formats[None].grouping[1] == 2)


def _strip_decoration(text: str, marks: Sequence[str]) -> tuple[str, str]:
    """Returns the sign and what is left without spaces and marks around it; the latter is "?" for no number."""
    if len(text) > MAX_CHARACTERS:
        return "", "?"
    bare, sign = _strip_edge(_canonical(text)), ""
    for mark in (*(_canonical(mark) for mark in marks), ""):
        if not sign and bare[:1] in ("-", "+"):
            sign, bare = bare[0], _strip_edge(bare[1:])
        size = len(mark)
        if mark and bare[:size].upper() == mark.upper():
            bare = _strip_edge(bare[size:])
        if mark and bare[-size:].upper() == mark.upper():
            bare = _strip_edge(bare[:-size])
    return sign, _with_ascii_digits(bare)


def _canonical(text: str) -> str:
    return "".join(EQUIVALENTS.get(char, char) for char in text)


def _strip_edge(text: str) -> str:
    first, last = 0, len(text)
    while first < last and _is_edge(text[first]):
        first += 1
    while first < last and _is_edge(text[last - 1]):
        last -= 1
    return text[first:last]


def _is_edge(char: str) -> bool:
    return char in _EDGE or unicodedata.category(char) == "Zs"


def _with_ascii_digits(text: str) -> str:
    """Returns the text with ASCII digits and plain spaces; "?" for other characters, and for digits of two scripts."""
    converted, zeros = "", set()
    for char in text:
        digit = unicodedata.decimal(char, None)
        if digit is not None:
            zeros.add(ord(char) - digit)
            converted += str(digit)
        elif unicodedata.category(char) == "Zs":
            converted += " "
        elif char in ".,'٫٬":
            converted += char
        else:
            return "?"
    return converted if len(zeros) <= 1 else "?"


def _read(sign: str, body: str, mark: str, indian: bool) -> _Reading | None:
    """Returns the reading with `mark` before the decimals; None where there is none."""
    whole, *rest = re.split(f"[{mark}{_DECIMAL_MARK}]", body)
    decimals = rest[0] if rest else ""
    groups = re.split(f"[{_OTHER[mark]}{_GROUP_MARKS}]", whole)
    digits = "".join(groups)
    if (
        len(rest) > 1
        or not re.fullmatch("[0-9]+", digits + decimals)
        or len(set(re.sub("[0-9]", "", whole))) > 1
    ):
        return None
    if len(groups) > 1 and not _has_group_sizes(groups, indian=indian):
        return None
    is_well_grouped = len(groups) == 1 or not groups[0].startswith("0")
    return _Reading(Decimal(f"{sign}{digits or '0'}.{decimals or '0'}"), decimals, is_well_grouped)


def _has_group_sizes(groups: Sequence[str], *, indian: bool) -> bool:
    """Returns whether the last group has three digits, and those before it three each, or two as in India."""
    first, *middle, last = groups
    sizes = {len(group) for group in middle}
    by_three = sizes <= {_GROUP_SIZE} and 1 <= len(first) <= _GROUP_SIZE
    by_two = indian and sizes <= {2} and 1 <= len(first) <= 2
    return len(last) == _GROUP_SIZE and (by_three or by_two)
