"""Readers of single values in Stripe's objects, which refuse what no column of ours could hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ..protocol import OutcomeUnknown

Json = Mapping[str, Any]


class Unreadable(OutcomeUnknown):
    """One object of Stripe is not as documented; others may be."""


@contextmanager
def reading() -> Iterator[None]:
    """Turns the errors of an object that is not as documented into OutcomeUnknown: nothing of it is booked."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"unreadable answer: {error!r}") from error


def text(value: object, *, max_length: int = 200) -> str:
    """Returns text that fits into a column, cut at `max_length`; raises TypeError for anything else."""
    # PostgreSQL stores no NUL, and one in a gateway's text must not undo the booking of money.
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{value!r} is not text")
    return value[:max_length]


def moment(seconds: object) -> datetime | None:
    """Returns the time of a Unix timestamp, None for none; raises TypeError or ValueError."""
    if seconds is None:
        return None
    if type(seconds) is not int:
        raise TypeError(f"{seconds!r} is not a time")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds} is not a time") from error


def unix_time(at: datetime) -> int:
    """Returns the Unix timestamp of a time for Stripe, which has no parts of seconds; never below zero."""
    return max(0, int(at.timestamp()))


def expanded(value: object) -> Json:
    """Returns an object that Stripe sent in full, or an empty one where there is none.

    Raises TypeError for an id alone: the object was not expanded, and nothing may be concluded from that.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is not expanded")
    return value


def id_of(value: object) -> str:
    """Returns the id of an object that may be expanded or not; empty for none."""
    if value is None:
        return ""
    return text(value["id"] if isinstance(value, Mapping) else value)
