"""Acts that happen at the same moment, each on a thread with a database connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from partway.billing.errors import BillingError

PATIENCE_SECONDS = 30


def together(*acts: Callable[[], Any], behind_ms: float = 0) -> list[Any]:
    """What each act answered, or the refusal it raised; the second starts `behind_ms` after the first.

    Negative: the first starts after the second. Anything but a refusal is a defect and is raised here.
    """
    barrier = Barrier(len(acts))
    delays = [max(0, -behind_ms), max(0, behind_ms), *[0] * len(acts)]

    def run(act: Callable[[], Any], delay_ms: float) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE_SECONDS)
            time.sleep(delay_ms / 1000)
            return act()
        except BillingError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        running = [threads.submit(run, act, delay) for act, delay in zip(acts, delays, strict=False)]
        return [one.result(PATIENCE_SECONDS) for one in running]


SURE_MS = 800  # a head start that no busy machine eats up


def sweep(rounds: int, width_ms: float) -> Iterator[float]:
    """Head starts from -width to +width, densest around the tie; the first and the last are sure wins."""
    yield -SURE_MS
    yield from (width_ms * (2 * number / (rounds - 3) - 1) ** 3 for number in range(rounds - 2))
    yield SURE_MS
