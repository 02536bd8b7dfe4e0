"""The clock is in UTC, and calendar days follow a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from partway.lib.clock import end_of_day, last_day, now, plausible_days, time_zones, today


def test_now_is_in_utc() -> None:
    assert now().tzinfo == UTC


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", date(2026, 3, 1)),
        ("UTC", date(2026, 3, 2)),
        ("Pacific/Kiritimati", date(2026, 3, 2)),
    ],
)
def test_today_depends_on_time_zone(zone: str, day: date) -> None:
    assert today(datetime(2026, 3, 2, 0, 30, tzinfo=UTC), zone) == day


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("America/New_York", datetime(2026, 12, 1, 5, tzinfo=UTC)),
        ("UTC", datetime(2026, 12, 1, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 11, 30, 10, tzinfo=UTC)),
    ],
)
def test_end_of_day_and_last_day_follow_time_zone(zone: str, until: datetime) -> None:
    day = date(2026, 11, 30)
    assert end_of_day(day, zone) == until
    assert last_day(until, zone) == day
    assert last_day(until + timedelta(microseconds=1), zone) == date(2026, 12, 1)


def test_end_of_day_handles_skipped_midnight() -> None:
    day = date(2026, 4, 23)  # in Cairo the 24th begins at 01:00
    assert last_day(end_of_day(day, "Africa/Cairo"), "Africa/Cairo") == day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Africa/Cairo", date(2026, 4, 24), 23),  # begins at 01:00
        ("Asia/Beirut", date(2026, 3, 29), 23),  # begins at 01:00
        ("America/Havana", date(2026, 11, 1), 25),  # has the hour from 00:00 twice
        ("Europe/Vienna", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # never was
    ],
)
def test_days_adjoin_where_clocks_change(zone: str, day: date, hours: float) -> None:
    begin, end = end_of_day(day - timedelta(days=1), zone), end_of_day(day, zone)
    assert end - begin == timedelta(hours=hours)


def test_plausible_days_are_those_of_ten_years_around() -> None:
    assert plausible_days(date(2028, 2, 29)) == (date(2018, 1, 1), date(2038, 12, 31))


def test_time_zones_are_zones_and_no_files_beside_them() -> None:
    names = time_zones()
    assert {"UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires"} <= names
    assert not {"Factory", "localtime", "posixrules", "Europe", "europe/vienna"} & names
    assert not [name for name in names if name.startswith(("posix/", "right/"))]
