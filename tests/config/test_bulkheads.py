"""The bulkheads of a web process leave half of its threads to everything else."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from partway.config.bulkheads import check_bulkheads
from partway.lib.bulkheads import BULKHEADS


@pytest.mark.parametrize(
    ("threads", "sizes", "found"),
    [
        (18, (4, 2, 2, 1), []),
        (17, (4, 2, 2, 1), ["partway.E030"]),
        (18, (5, 2, 2, 1), ["partway.E030"]),
        (18, (4, 0, 2, 1), ["partway.E030"]),
    ],
)
def test_bulkheads_beyond_half_of_threads_fail_system_check(
    settings: Settings, threads: int, sizes: tuple[int, ...], found: list[str]
) -> None:
    settings.PARTWAY_THREADS = threads
    settings.PARTWAY_BULKHEADS = dict(zip(settings.PARTWAY_BULKHEADS, sizes, strict=True))
    assert [error.id for error in check_bulkheads()] == found


def test_every_bulkhead_has_its_setting_and_it_fits(settings: Settings) -> None:
    assert set(settings.PARTWAY_BULKHEADS) == {bulkhead.name for bulkhead in BULKHEADS}
    assert check_bulkheads() == []
