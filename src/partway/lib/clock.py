"""The current time, read here and passed in everywhere else, and calendar days in a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Returns the current time in UTC."""
    return datetime.now(UTC)


def today(at: datetime, time_zone: str) -> date:
    """Returns the calendar day of `at` in the organization's time zone (DESIGN D7)."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def end_of_day(day: date, time_zone: str) -> datetime:
    """Returns the time, in UTC, at which this calendar day ends in the organization's time zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone)).astimezone(UTC)


def last_day(until: datetime, time_zone: str) -> date:
    """Returns the last calendar day before `until` in the organization's time zone; the inverse of `end_of_day`."""
    return today(until - timedelta(microseconds=1), time_zone)
