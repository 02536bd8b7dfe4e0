"""The time, asked in one place and passed in everywhere else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def today(at: datetime, time_zone: str) -> date:
    """The calendar day of `at` where the organization is (DESIGN D7)."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def end_of_day(day: date, time_zone: str) -> datetime:
    """The moment, in UTC, at which this calendar day is over where the organization is."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone)).astimezone(UTC)


def last_day(until: datetime, time_zone: str) -> date:
    """The last calendar day of a time that ends at `until`, where the organization is: the way back of `end_of_day`."""
    return today(until - timedelta(microseconds=1), time_zone)
