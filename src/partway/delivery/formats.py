"""Amounts, dates and numbers as the reader's locale writes them.

A door enters `use_locale(organization.locale)` before it renders; every function takes another `locale` where the
reader is known otherwise. Amounts are exact: the currency's decimals are ISO 4217's, never rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, ngettext

from partway.lib import clock, typed_numbers
from partway.lib import money as lib_money
from partway.lib.money import EXPONENTS, Money

DEFAULT_LOCALE = "en_US"
MAX_PERCENT = Decimal(100)

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
    separator = lib_money.decimal_mark(locale or current_locale())
    before, found, rest = amount.rpartition(separator)
    decimals = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if not (found and decimals and before[-1:].isdigit()):
        return amount, "", ""
    return before, separator + decimals, rest[len(decimals) :]


def format_number(value: Decimal, locale: str = "") -> str:
    """Returns a quantity without trailing zeros, groups or an exponent: 1.5, never 1.5000."""
    return numbers.format_decimal(
        value, locale=locale or current_locale(), group_separator=False, decimal_quantization=False
    )


def format_percent(percent: Decimal) -> str:
    """Returns a percentage with its sign where the locale writes it: 8.25%, or 8,25 % in German."""
    return numbers.format_percent(
        percent / 100, locale=current_locale(), group_separator=False, decimal_quantization=False
    )


def format_count(number: int) -> str:
    """Returns a count with groups: 100,000."""
    return numbers.format_decimal(number, locale=current_locale())


def format_typed(value: Money | Decimal) -> str:
    """Returns an amount or a number as a field shows it and its parser reads it, without groups and currency."""
    if isinstance(value, Money):
        return lib_money.format_typed_money(value, current_locale())
    return typed_numbers.format_typed(value, locale=current_locale())


def format_typed_percent(percent: Decimal) -> str:
    """Returns a percentage as a field shows it: 8.875, which cannot be 8,875 percent."""
    return typed_numbers.format_typed(percent, locale=current_locale(), limit=MAX_PERCENT)


def format_reading(number: Decimal, group_places: int | None = None) -> str:
    """Returns one of the numbers that a text could mean, so that it can be typed.

    With `group_places` it is grouped, and has as many decimals unless it is whole: 2.50, 2,500.
    """
    if group_places is None:
        return typed_numbers.format_typed(number, locale=current_locale())
    decimals = "" if number == number.to_integral_value() else "." + "0" * group_places
    pattern = str(Locale.parse(current_locale()).decimal_formats[None].pattern)
    return numbers.format_decimal(
        number, format=re.sub(r"\.[#0]+", decimals, pattern), locale=current_locale()
    )


def example_amount(currency: str) -> str:
    """Returns an amount as it can be typed, to show in an error: 300.00."""
    exponent = EXPONENTS[currency]
    return format_typed(Money(300 * 10**exponent + (500 if exponent == 3 else 0), currency))


def example_number(places: int) -> str:
    """Returns a number as it can be typed, to show in an error: 1.5, or 30 where there are no decimals."""
    return format_typed(Decimal("1.5") if places else Decimal(30))


def format_date(day: date, locale: str = "") -> str:
    """Returns a calendar day: Nov 22, 2026."""
    return dates.format_date(day, "medium", locale=locale or current_locale())


def format_due(due_on: date, due_days: int | None) -> str:
    """Returns the day on which an invoice is due, or the terms of a draft: 14 days after sending."""
    if due_days is None:
        return format_date(due_on)
    if due_days == 0:
        return gettext("on the day of sending")
    days = ngettext("%(days)s day after sending", "%(days)s days after sending", due_days)
    return days % {"days": format_number(Decimal(due_days))}


def format_datetime(moment: datetime, time_zone: str, locale: str = "", *, names_zone: bool = False) -> str:
    """Returns the moment on a clock in `time_zone`: Nov 22, 2026, 3:14 PM; with names_zone also (GMT−05:00)."""
    locale = locale or current_locale()
    local = moment.astimezone(ZoneInfo(time_zone))
    time = dates.format_time(local, "short", tzinfo=local.tzinfo, locale=locale)
    # CLDR sets a narrow space before AM and PM, which not every font of a mail program has.
    pattern = str(dates.get_datetime_format("medium", locale=locale))
    text = pattern.replace("{1}", format_date(local, locale)).replace("{0}", time.replace("\u202f", " "))
    if names_zone:
        zone = dates.get_timezone_gmt(local, "long", locale).replace("-", "−")  # a line breaks at a hyphen
        return f"{text} ({zone})"
    return text


def format_deadline(until: datetime, time_zone: str) -> str:
    """Returns the last day, if `until` is the end of that day in `time_zone`, else the moment with its zone.

    A deadline is read in mails, and by people elsewhere, who would take another clock for theirs.
    """
    day = clock.last_day(until, time_zone)
    ends_with_day = until == clock.end_of_day(day, time_zone)
    return format_date(day) if ends_with_day else format_datetime(until, time_zone, names_zone=True)
