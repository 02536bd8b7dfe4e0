"""Money as an integer of minor units with its currency, and the only place that formats amounts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel import Locale
from babel.numbers import NumberPattern, get_decimal_symbol, get_group_symbol, parse_pattern

from .typed_numbers import DIRECTION_MARKS, NumberError, format_typed, parse_number

# ISO 4217, list one, as of November 2026. Babel's own digits follow CLDR (IQD has none there), so the exponents are
# ours; nor does babel say which currencies are of the past. Gone are ANG (since 2025 XCG, in Curaçao and Sint Maarten),
# BGN (Bulgaria has the euro since 2026), CUC, HRK and SLL; new is ZWG, the gold of Zimbabwe.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DECIMALS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
    "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
    "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG"
)
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}

# Far above any invoice, and far below the 2^53 up to which JSON readers count exactly.
MAX_AMOUNT_MINOR = 10**13
_GROUP_SIZE = 3


class MoneyError(ValueError):
    """Money that cannot be: `code` is unknown_currency or mixed_currencies, `currencies` the ones it is about."""

    def __init__(self, code: str, *currencies: str) -> None:
        super().__init__(f"{code}: {', '.join(currencies)}")
        self.code = code
        self.currencies = currencies


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `amount_minor` in minor units (cents, yen, fils) of an ISO 4217 `currency`."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise MoneyError("unknown_currency", self.currency)
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
            raise MoneyError("mixed_currencies", self.currency, other.currency)
        return other.amount_minor

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with as many decimals as the currency has."""
        return Decimal(self.amount_minor).scaleb(-EXPONENTS[self.currency])


def round_half_up(value: Decimal) -> int:
    """Rounds to a whole number of minor units, halves away from zero (DESIGN M1)."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_money(text: str, currency: str, *, locale: str) -> Money:
    """Parses typed text, as "1,250.50" or "$300"; never rounds, and refuses what could be two amounts.

    Raises NumberError; its params have the `currency`.
    """
    exponent = EXPONENTS[currency]
    try:
        number = parse_number(
            text,
            locale=locale,
            places=exponent,
            limit=Money(MAX_AMOUNT_MINOR, currency).decimal,
            marks=currency_marks(currency, locale),
        )
    except NumberError as error:
        raise NumberError(error.code, **error.params, currency=currency) from None
    return Money(int(number.scaleb(exponent)), currency)


def format_typed_money(money: Money, locale: str) -> str:
    """Returns the amount as a field shows it, without a currency: 1250.50, in German 1250,50."""
    exponent = EXPONENTS[money.currency]
    # Three decimals may look like thousands, so those of a dinar are written as far as they are needed.
    return format_typed(money.decimal, locale=locale, min_decimals=exponent if exponent < _GROUP_SIZE else 0)


def currency_marks(currency: str, locale: str) -> tuple[str, ...]:
    """Returns what may stand before or after a typed amount: code and symbol in the locale, the longer one first."""
    # In Tongan the symbol is "AUD$", of which the code alone would leave a dollar sign.
    marks = {currency, _symbol(currency, locale).strip(DIRECTION_MARKS)}
    return tuple(sorted(marks, key=lambda mark: (-len(mark), mark)))


def format_money(money: Money, locale: str = "en_US") -> str:
    """Returns the amount as a reader of `locale` writes it: "$1,250.50" or "KWD 12.500", in German "1.250,50 $"."""
    style = _style(money.currency, locale)
    before, after = style.negative if money.amount_minor < 0 else style.positive
    digits = str(abs(money.amount_minor)).rjust(style.exponent + 1, "0")
    whole, decimals = digits[: len(digits) - style.exponent], digits[len(digits) - style.exponent :]
    last, size = style.groups
    for position in range(len(whole) - last, 0, -size):
        whole = whole[:position] + style.group_mark + whole[position:]
    return before + whole + (style.decimal_mark + decimals if decimals else "") + after


@dataclass(frozen=True, slots=True)
class _Style:
    """How a locale writes amounts of a currency: what stands before and after, the marks, and the sizes of groups."""

    positive: tuple[str, str]
    negative: tuple[str, str]
    group_mark: str
    decimal_mark: str
    groups: tuple[int, int]  # the last one, and all before it
    exponent: int


@cache
def _style(currency: str, locale: str) -> _Style:
    """Returns the style, read from what babel makes of the smallest amounts: its own way takes ten times as long."""
    language, exponent = _locale(locale), EXPONENTS[currency]
    # "Cg." of the Caribbean guilder is as spelled out as "KWD".
    spelled_out = _symbol(currency, locale).rstrip(".")[-1:].isalpha()
    pattern = _pattern(locale, exponent, spelled_out)
    mark = decimal_mark(locale)
    one = "0" + mark + "1".rjust(exponent, "0") if exponent else "1"
    texts = [
        str(pattern.apply(Money(minor, currency).decimal, language, currency=currency, currency_digits=False))
        for minor in (1, -1)
    ]
    (before, _, after), (before_minus, _, after_minus) = (text.partition(one) for text in texts)
    return _Style(
        (before, after),
        (before_minus, after_minus),
        get_group_symbol(language),
        mark,
        pattern.grouping,
        exponent,
    )


@cache
def decimal_mark(locale: str) -> str:
    """Returns what stands before the decimals of a number in `locale`."""
    return str(get_decimal_symbol(_locale(locale)))


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
