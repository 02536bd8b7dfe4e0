"""Amounts, dates and numbers as the reader's locale writes them.

A door enters `use_locale(organization.locale)` before it renders; every function takes another `locale` where the
reader is known otherwise. Amounts are exact: the currency's decimals are ISO 4217's, never rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from django.conf import settings
from django.utils import translation

from partway.lib import money as lib_money
from partway.lib.money import Money

DEFAULT_LOCALE = "en_US"

_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Within it, texts are in the language of `locale` (as "en_US") and figures are written its way.

    A language without a catalogue falls back to that of the installation.
    """
    language = Locale.parse(locale).language
    has_catalogue = language in dict(settings.LANGUAGES)
    token = _locale.set(locale)
    try:
        with translation.override(language if has_catalogue else settings.LANGUAGE_CODE):
            yield
    finally:
        _locale.reset(token)


def current_locale() -> str:
    """Returns the reader's locale, as "en_US"."""
    return _locale.get()


def format_money(amount: Money, locale: str = "") -> str:
    """Returns the amount with its currency: $1,250.50, or 1.250,50 $ in German."""
    return lib_money.format_money(amount, locale or current_locale())


def split_decimals(amount: str, locale: str = "") -> tuple[str, str, str]:
    """Returns what stands before an amount's decimals, the decimals with their sign, and what stands after."""
    separator = numbers.get_decimal_symbol(locale or current_locale())
    before, found, rest = amount.rpartition(separator)
    decimals = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if not (found and decimals and before[-1:].isdigit()):
        return amount, "", ""
    return before, separator + decimals, rest[len(decimals) :]


def format_number(value: Decimal, locale: str = "") -> str:
    """Returns a quantity or a percentage, without trailing zeros, groups or an exponent: 1.5, never 1.5000."""
    return numbers.format_decimal(
        value, locale=locale or current_locale(), group_separator=False, decimal_quantization=False
    )


def format_date(day: date, locale: str = "") -> str:
    """Returns a calendar day: Nov 22, 2026."""
    return dates.format_date(day, "medium", locale=locale or current_locale())


def format_datetime(moment: datetime, time_zone: str, locale: str = "") -> str:
    """Returns the moment on a clock in `time_zone`: Nov 22, 2026, 3:14 PM."""
    locale = locale or current_locale()
    local = moment.astimezone(ZoneInfo(time_zone))
    time = dates.format_time(local, "short", tzinfo=local.tzinfo, locale=locale)
    # CLDR sets a narrow space before AM and PM, which not every font of a mail program has.
    pattern = str(dates.get_datetime_format("medium", locale=locale))
    return pattern.replace("{1}", format_date(local, locale)).replace("{0}", time.replace("\u202f", " "))
