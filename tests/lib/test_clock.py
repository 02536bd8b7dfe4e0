"""The time, and the day it is where somebody lives."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from partway.lib.clock import now, today


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
