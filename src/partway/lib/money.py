"""Money as an integer of minor units with its currency, and the one place that parses and formats it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel import Locale
from babel.numbers import NumberPattern, parse_pattern

# ISO 4217, list one. Babel's own digits follow CLDR (IQD has none there), so the exponents are ours.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DECIMALS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
    "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
    "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW"
)
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}

# Far above any invoice, and far below the 2^53 up to which JSON readers count exactly.
MAX_AMOUNT_MINOR = 10**13

_PLAIN_NUMBER = re.compile(r"[+-]?\d*([.]\d*)?", re.ASCII)
_ENGLISH = Locale("en", "US")


class MoneyError(ValueError):
    """An amount that is not one: `code` is stable, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `amount_minor` in minor units (cents, yen, fils) of an ISO 4217 `currency`."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise MoneyError("unknown_currency", f"{self.currency!r} is not a currency Partway knows.")
        if type(self.amount_minor) is not int:
            raise TypeError(f"minor units are whole numbers, not {type(self.amount_minor).__name__}")

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def __str__(self) -> str:
        return format_money(self)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise MoneyError("mixed_currencies", f"{self.currency} and {other.currency} cannot be mixed.")
        return other.amount_minor

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with as many decimals as the currency has."""
        return Decimal(self.amount_minor).scaleb(-EXPONENTS[self.currency])


_THOUSANDS = 3  # digits of a group


def round_half_up(value: Decimal) -> int:
    """Round to a whole number of minor units, halves away from zero (DESIGN M1)."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_money(text: str, currency: str) -> Money:
    """Read what a person typed, as "1,250.50" or "$300"; raises MoneyError and never rounds.

    Refused with a code of its own each: empty, not_a_number, too_many_decimals, too_large.
    """
    digits = _strip_decoration(text, currency)
    if not digits:
        raise MoneyError("empty", "Enter an amount.")
    if not _well_grouped(digits):
        raise MoneyError(
            "not_a_number",
            f"“{text.strip()[:40]}” is not an amount. Write it like {example_amount(currency)}.",
        )
    exponent = EXPONENTS[currency]
    whole, _, decimals = digits.replace(",", "").partition(".")
    # Three decimals of a currency that has fewer may be thousands, as some write 2.500 for 2,500. Compared as text:
    # arithmetic would round a very long one.
    if decimals[exponent:].strip("0") or (len(decimals) == _THOUSANDS and exponent < _THOUSANDS):
        raise MoneyError("too_many_decimals", _decimals_words(currency, exponent))
    minor = int((whole + decimals[:exponent].ljust(exponent, "0")).lstrip("+") or "0")
    if abs(minor) > MAX_AMOUNT_MINOR:
        raise MoneyError("too_large", f"The most Partway can handle is {Money(MAX_AMOUNT_MINOR, currency)}.")
    return Money(minor, currency)


def _strip_decoration(text: str, currency: str) -> str:
    bare = _without_spaces(text).replace("\u2212", "-")
    for mark in (currency, _without_spaces(_symbol(currency))):
        sign, rest = (bare[0], bare[1:]) if bare[:1] in ("-", "+") else ("", bare)
        bare = sign + rest.removeprefix(mark).removesuffix(mark)
    return bare


def _without_spaces(text: str) -> str:
    return text.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "")


def _well_grouped(digits: str) -> bool:
    whole, _, decimals = digits.lstrip("+-").partition(".")
    groups = whole.split(",")
    grouped = len(groups) == 1 or (0 < len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]))
    plain = digits.replace(",", "")
    has_digit = any(character.isdigit() for character in plain)
    return (
        grouped
        and "," not in decimals
        and has_digit
        and len(plain) < 40
        and bool(_PLAIN_NUMBER.fullmatch(plain))
    )


def _decimals_words(currency: str, exponent: int) -> str:
    if exponent == 0:
        return f"{currency} has no decimals. Write it like {example_amount(currency)}."
    return f"{currency} has {exponent} decimals at most. Write it like {example_amount(currency)}."


def example_amount(currency: str) -> str:
    """A plain amount as one would type it, to show in an error."""
    return f"{Money(300 * 10 ** EXPONENTS[currency], currency).decimal}"


def format_money(money: Money) -> str:
    """The amount as people read it, as "$1,250.50" or "KWD 12.500"."""
    pattern = _pattern(EXPONENTS[money.currency], _symbol(money.currency)[-1].isalpha())
    text: str = pattern.apply(money.decimal, _ENGLISH, currency=money.currency, currency_digits=False)
    return text


@cache
def _pattern(exponent: int, spelled_out: bool) -> NumberPattern:
    mark = "¤\u00a0" if spelled_out else "¤"
    return parse_pattern(f"{mark}#,##0." + "0" * exponent if exponent else f"{mark}#,##0")


@cache
def _symbol(currency: str) -> str:
    return str(_ENGLISH.currency_symbols.get(currency, currency))
