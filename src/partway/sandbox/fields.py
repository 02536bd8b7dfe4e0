"""Reads the fields of a JSON body; each raises an ApiError that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from partway.lib.money import EXPONENTS
from partway.sandbox.errors import ApiError, invalid

Body = Mapping[str, Any]

MAX_AMOUNT_MINOR = 10**13
MIN_YEAR, MAX_YEAR = 1970, 2199

# By the currency's decimals, in minor units: the smallest amount, and the step of amounts.
_MINIMUM = {0: 50, 2: 50, 3: 100}
_STEP = {0: 1, 2: 1, 3: 10}


def text(body: Body, name: str, *, most: int = 200) -> str:
    """Returns a string, empty when missing."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise invalid(name, f"must be text of at most {most} letters.")
    return value


def amount(body: Body, name: str = "amount") -> int:
    """Returns a positive number of minor units."""
    value = body.get(name)
    if type(value) is not int or not 0 < value <= MAX_AMOUNT_MINOR:
        raise invalid(name, "must be a positive integer of minor units.")
    return value


def payable(body: Body) -> tuple[int, str]:
    """Returns the amount (minor units) and the currency of a checkout that can be paid."""
    minor, currency = amount(body), text(body, "currency", most=3)
    if currency not in EXPONENTS:
        raise invalid("currency", "is not a currency.")
    least, step = _MINIMUM[EXPONENTS[currency]], _STEP[EXPONENTS[currency]]
    if minor < least:
        raise ApiError(422, "amount_too_small", f"At least {least} minor units of {currency}.")
    if minor % step:
        raise ApiError(422, "amount_not_a_multiple", f"{currency} amounts must be multiples of {step}.")
    return minor, currency


def same_currency(body: Body, currency: str) -> None:
    """Raises when the body names another currency than the checkout's."""
    if body.get("currency", currency) != currency:
        raise invalid("currency", f"this checkout is in {currency}.")


def url(body: Body, name: str, *, fallback: str = "") -> str:
    """Returns an absolute http or https address."""
    value = text(body, name, most=500) or fallback
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # half an IPv6 address, a port that is no number
        is_address = False
    if not is_address or any(sign in value for sign in "\r\n ;,"):
        raise invalid(name, "must be an http or https address.")
    return value


def timestamp(value: str, name: str) -> datetime:
    """Parses a time with its offset, as RFC 3339 writes it."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid(name, "must be a time, as 2026-01-31T12:00:00Z.") from error
    if at.tzinfo is None:
        raise invalid(name, "must have an offset, as Z.")
    # A moment in any time zone stays within what Python and the database can keep.
    if not MIN_YEAR <= at.year <= MAX_YEAR:
        raise invalid(name, f"must be between {MIN_YEAR} and {MAX_YEAR}.")
    return at


def number(body: Body, name: str, fallback: int, *, least: int = 0, most: int) -> int | float:
    """Returns a number, or the fallback when missing."""
    value = body.get(name, fallback)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise invalid(name, f"must be a number from {least} to {most}.")
    return value


def choice(body: Body, name: str, allowed: tuple[str, ...], *, fallback: str = "") -> str:
    """Returns one of the allowed values."""
    value = body.get(name, fallback)
    if value not in (*allowed, fallback):
        raise invalid(name, f"must be one of {', '.join(allowed)}.")
    return str(value)
