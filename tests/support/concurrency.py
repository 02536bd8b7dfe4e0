"""Runs acts concurrently, each on a thread with a database connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

from django.db import connection

from partway.billing.errors import BillingError
from tests.support import failpoints
from tests.support.sandbox_server import wait_until

TIMEOUT_SECONDS = 30


def run_concurrently(*acts: Callable[[], Any], offset_ms: float = 0) -> list[Any]:
    """Returns the result of each act, or the BillingError it raised; the second starts `offset_ms` after the first.

    With a negative offset the first starts after the second. Any other exception is raised here.
    """
    barrier = Barrier(len(acts))
    delays = [max(0, -offset_ms), max(0, offset_ms), *[0] * len(acts)]

    def wait(delay_ms: float) -> None:
        connection.ensure_connection()
        barrier.wait(TIMEOUT_SECONDS)
        time.sleep(delay_ms / 1000)

    with ThreadPoolExecutor(len(acts)) as threads:
        running = [
            threads.submit(_answer, act, lambda delay=delay: wait(delay))
            for act, delay in zip(acts, delays, strict=False)
        ]
        return [one.result(TIMEOUT_SECONDS) for one in running]


def run_behind_open_transaction(
    first: Callable[[], Any], second: Callable[[], Any], *, meanwhile: Callable[[], Any] = lambda: None
) -> Any:
    """Returns the result of `second`, which starts when `first` has written everything and not yet committed.

    On PostgreSQL `first` continues once `second` waits for a lock, or has finished, which an act that decides about the
    same rows must not; `meanwhile` is called while it waits. On SQLite `second` starts after the commit. `first` does
    what it does after its commit when `second` has finished.
    """
    written, go_on, over = Event(), Event(), Event()

    def hold(stop: str) -> None:
        if stop == "before commit" and not written.is_set():
            written.set()
            go_on.wait(TIMEOUT_SECONDS)
        elif stop == "after commit":
            over.wait(TIMEOUT_SECONDS)

    def held() -> Any:
        with failpoints.on_failpoint(hold):
            return first()

    with ThreadPoolExecutor(2) as threads:
        leading = threads.submit(_answer, held)
        written.wait(TIMEOUT_SECONDS)
        following = threads.submit(_answer, second)
        following.add_done_callback(lambda _: over.set())
        try:
            wait_until(lambda: following.done() or _is_lock_awaited())
            meanwhile()
        finally:
            go_on.set()
        leading.result(TIMEOUT_SECONDS)
        return following.result(TIMEOUT_SECONDS)


@contextmanager
def meanwhile(table: str, act: Callable[[], object], *, after: int = 0) -> Iterator[None]:
    """Runs `act` on another connection right before the first query of this table in the block, `after` so many."""
    waiting = [lambda: None] * after + [act]

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if waiting and f'FROM "{table}"' in sql:
            run_concurrently(waiting.pop(0))
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield
    assert not waiting, f"{table} was not read"


def _is_lock_awaited() -> bool:
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def _answer(act: Callable[[], Any], wait: Callable[[], None] = lambda: None) -> Any:
    try:
        wait()
        return act()
    except BillingError as refusal:
        return refusal
    finally:
        connection.close()


def start_offsets_ms(rounds: int, width_ms: float) -> Iterator[float]:
    """Returns offsets from -width to +width, densest around zero; which act wins at an offset is not determined."""
    yield from (width_ms * (2 * number / (rounds - 1) - 1) ** 3 for number in range(rounds))
