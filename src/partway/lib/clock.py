"""The current time, read here and passed in everywhere else, and calendar days in a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from time import monotonic
from zoneinfo import ZoneInfo, available_timezones

# Files that a system keeps beside the zones: what the machine itself is set to, a zone that says that none was chosen,
# rules that are no zone, and copies of all zones, of which right/ counts leap seconds.
_NO_ZONES = ("Factory", "localtime", "posixrules", "posix/", "right/")
_PLAUSIBLE_YEARS = 10


def now() -> datetime:
    """Returns the current time in UTC."""
    return datetime.now(UTC)


class RunningClock:
    """The time for work of many transactions that was given the time at which it begins.

    Each transaction has its own: one that were minutes older than its commit could be booked into a month that was
    closed meanwhile (docs/decisions/0054-journal.md).
    """

    def __init__(self, began: datetime) -> None:
        self._began, self._since = began, monotonic()

    def now(self) -> datetime:
        """Returns the beginning and what has passed since, in whole seconds: a batch without delay has one time."""
        return self._began + timedelta(seconds=int(monotonic() - self._since))


@cache
def time_zones() -> frozenset[str]:
    """Returns the names of the time zone database; only in this spelling, whatever files a system also opens."""
    return frozenset(name for name in available_timezones() if not name.startswith(_NO_ZONES))


def today(at: datetime, time_zone: str) -> date:
    """Returns the calendar day of `at` in the organization's time zone (DESIGN D7)."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def plausible_days(around: date) -> tuple[date, date]:
    """Returns the first and the last day that a person can mean: of the ten years before and after this day's.

    Beyond them is a slip of the keyboard: 1970, 0026, or 2206 for 2026. No business keeps its books for longer.
    """
    return date(around.year - _PLAUSIBLE_YEARS, 1, 1), date(around.year + _PLAUSIBLE_YEARS, 12, 31)


def end_of_day(day: date, time_zone: str) -> datetime:
    """Returns the time, in UTC, at which this calendar day ends in the organization's time zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone)).astimezone(UTC)


def last_day(until: datetime, time_zone: str) -> date:
    """Returns the last calendar day before `until` in the organization's time zone; the inverse of `end_of_day`."""
    return today(until - timedelta(microseconds=1), time_zone)
