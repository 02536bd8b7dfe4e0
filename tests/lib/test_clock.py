"""The time, and the day it is where somebody lives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partway.lib.clock import end_of_day, last_day, now, today


def test_now_has_a_zone() -> None:
    assert now().tzinfo == UTC


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", date(2026, 3, 1)),
        ("UTC", date(2026, 3, 2)),
        ("Pacific/Kiritimati", date(2026, 3, 2)),
    ],
)
def test_today_is_a_different_day_elsewhere(zone: str, day: date) -> None:
    assert today(datetime(2026, 3, 2, 0, 30, tzinfo=UTC), zone) == day


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("America/New_York", datetime(2026, 12, 1, 5, tzinfo=UTC)),
        ("UTC", datetime(2026, 12, 1, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 11, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_ends_when_the_next_begins_there_and_is_the_last_until_then(zone: str, until: datetime) -> None:
    day = date(2026, 11, 30)
    assert end_of_day(day, zone) == until
    assert last_day(until, zone) == day
    assert last_day(until + timedelta(microseconds=1), zone) == date(2026, 12, 1)


def test_a_day_whose_midnight_the_clocks_leave_out_ends_too() -> None:
    day = date(2026, 4, 23)  # in Cairo the 24th begins at one o'clock
    assert last_day(end_of_day(day, "Africa/Cairo"), "Africa/Cairo") == day
