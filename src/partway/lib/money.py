"""Money as an integer of minor units with its currency; the only place that parses and formats amounts."""

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

# At least one digit; thousands in groups of three, or without separators.
_NUMBER = re.compile(r"(?=.*\d)[+-]?(\d{1,3}(,\d{3})+|\d*)([.]\d*)?", re.ASCII)
_MAX_LETTERS = 40


class MoneyError(ValueError):
    """Text that is not an amount, or an operation on different currencies: `code` is stable, the text is for people."""

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


_GROUP_DIGITS = 3


def round_half_up(value: Decimal) -> int:
    """Rounds to a whole number of minor units, halves away from zero (DESIGN M1)."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_money(text: str, currency: str) -> Money:
    """Parses typed text, as "1,250.50" or "$300"; never rounds.

    Raises MoneyError with the code empty, not_a_number, too_many_decimals or too_large.
    """
    digits = _strip_decoration(text, currency)
    if not digits:
        raise MoneyError("empty", "Enter an amount.")
    example = f"Write it like {example_amount(currency)}."
    plain = digits.replace(",", "")
    if not _NUMBER.fullmatch(digits) or len(plain) >= _MAX_LETTERS:
        raise MoneyError("not_a_number", f"“{text.strip()[:40]}” is not an amount. {example}")
    exponent = EXPONENTS[currency]
    whole, _, decimals = plain.partition(".")
    # Three decimals in a currency that has fewer may be thousands, as some write 2.500 for 2,500 (DESIGN M7). The
    # decimals are compared as text, since arithmetic would round a very long one.
    if decimals[exponent:].strip("0") or (len(decimals) == _GROUP_DIGITS and exponent < _GROUP_DIGITS):
        limit = f"{exponent} decimals at most" if exponent else "no decimals"
        raise MoneyError("too_many_decimals", f"{currency} has {limit}. {example}")
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


def example_amount(currency: str) -> str:
    """Returns a plain amount as it can be typed, to show in an error."""
    return f"{Money(300 * 10 ** EXPONENTS[currency], currency).decimal}"


def format_money(money: Money, locale: str = "en_US") -> str:
    """Returns the amount as a reader of `locale` writes it: "$1,250.50" or "KWD 12.500", in German "1.250,50 $"."""
    language = _locale(locale)
    pattern = _pattern(locale, EXPONENTS[money.currency], _symbol(money.currency, locale)[-1].isalpha())
    text: str = pattern.apply(money.decimal, language, currency=money.currency, currency_digits=False)
    return text


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@cache
def _pattern(locale: str, exponent: int, spelled_out: bool) -> NumberPattern:
    """Returns the locale's pattern with the currency's own decimals, and a space between letters and digits."""
    pattern = str(_locale(locale).currency_formats["standard"].pattern)
    pattern = pattern.replace("0.00", "0." + "0" * exponent if exponent else "0")
    return parse_pattern(re.sub(r"¤(?=[#\d])", "¤\u00a0", pattern) if spelled_out else pattern)


@cache
def _symbol(currency: str, locale: str = "en_US") -> str:
    return str(_locale(locale).currency_symbols.get(currency, currency))
