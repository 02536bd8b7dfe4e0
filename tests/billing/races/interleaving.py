"""Runs two acts in a fixed order: the first is held at a named failpoint while the second runs.

The second runs to its end. Where it must wait for a lock of the first, the first continues up to its commit
and is held again there; so the order is the same in every run, and on both databases.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, NamedTuple

from django.db import connection

from partway.billing.errors import BillingError
from tests.support import failpoints

TIMEOUT_SECONDS = 30
POLL_SECONDS = 0.002  # how often the test checks whether the second act waits; no outcome depends on it

_READS = ("SELECT", "PRAGMA", "SAVEPOINT", "RELEASE")


class Failpoint(NamedTuple):
    """A failpoint of an act, and at which pass of it the act is held."""

    name: str
    time: int = 1


class RaceResult(NamedTuple):
    """The result of each act, or the error it raised; and whether the second had to wait for the first."""

    first: Any
    second: Any
    waited: bool


class FailpointNotReached(AssertionError):
    """The first act never reached its failpoint, so the acts did not overlap."""


class ActThreads:
    """The threads of the two acts, which keep their database connections until the block ends."""

    def __enter__(self) -> ActThreads:
        self.first, self.second = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        return self

    def __exit__(self, *_: object) -> None:
        for thread in (self.first, self.second):
            thread.submit(lambda: connection.close())  # each thread has its own connection
            thread.shutdown()


def run_interleaved(
    first: Callable[[], Any], second: Callable[[], Any], *, at: Failpoint, threads: ActThreads | None = None
) -> RaceResult:
    """Holds `first` at a failpoint, runs `second` to its end, then lets `first` run to its end.

    Raises every exception but a BillingError, and FailpointNotReached when the first act never reaches the failpoint.
    """
    if threads is None:
        with ActThreads() as own:
            return run_interleaved(first, second, at=at, threads=own)
    first_act, second_act = _Act(first, threads.first), _Act(second, threads.second)
    try:
        if not first_act.runs_to(at):
            raise FailpointNotReached(f"the first act returned {first_act.result()!r} and never reached {at}")
        second_act.start()
        waited = _waits(second_act, first_act)
        if waited:
            first_act.runs_to(Failpoint("after commit"))
        second_result = second_act.result()
    finally:
        first_act.resume()
    return RaceResult(first_act.result(), second_result, waited)


def _waits(second_act: _Act, first_act: _Act) -> bool:
    """Returns True once the second act waits for the commit of the first, False once it has ended."""
    for _ in range(int(TIMEOUT_SECONDS / POLL_SECONDS)):
        if second_act.ended.wait(POLL_SECONDS):
            return False
        if _is_blocked_by(first_act, second_act):
            return True
    raise TimeoutError("the second act neither ended nor waited for the first")


def _is_blocked_by(first_act: _Act, second_act: _Act) -> bool:
    if connection.vendor == "sqlite":
        # There is one write lock, so an act that is about to write waits for the act that holds it.
        return first_act.holds_the_write_lock and second_act.is_about_to_write
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s = ANY(pg_blocking_pids(%s))", [first_act.backend, second_act.backend])
        return bool(cursor.fetchone()[0])


class _Act:
    """One act on a thread with a database connection of its own, held at a given failpoint."""

    def __init__(self, act: Callable[[], Any], thread: ThreadPoolExecutor) -> None:
        self._act = act
        self._thread = thread
        self._is_started = False
        self._until: Failpoint | None = None
        self._go = Event()
        self._held_or_ended = Event()
        self._result: Any = None
        self._defect: BaseException | None = None
        self.ended = Event()
        self.backend = 0
        self.holds_the_write_lock = False
        self.is_about_to_write = False

    def start(self) -> None:
        """Runs the act to its end."""
        self._is_started = True
        self._thread.submit(self._run)

    def runs_to(self, stop: Failpoint) -> bool:
        """Starts or continues the act until it is held at this failpoint (True) or has ended (False)."""
        self._until = stop
        self._held_or_ended.clear()
        self._go.set()
        if not self._is_started:
            self.start()
        if not self._held_or_ended.wait(TIMEOUT_SECONDS):
            raise TimeoutError(f"an act neither ended nor reached {stop}")
        return not self.ended.is_set()

    def resume(self) -> None:
        """Lets the act continue, and holds it nowhere any more."""
        self._until = None
        self._go.set()

    def result(self) -> Any:
        """Returns the result of the act, or the BillingError it raised."""
        if not self.ended.wait(TIMEOUT_SECONDS):
            raise TimeoutError("an act did not end")
        if self._defect is not None:
            raise self._defect
        return self._result

    def _run(self) -> None:
        try:
            connection.ensure_connection()
            if connection.vendor == "postgresql":
                self.backend = connection.connection.info.backend_pid
            with failpoints.on_failpoint(self._hold_at), connection.execute_wrapper(self._note_write):
                self._result = self._act()
        except BillingError as refusal:
            self._result = refusal
        except BaseException as defect:  # noqa: BLE001 - handed to the test's own thread, which raises it
            self._defect = defect
            connection.close()
        finally:
            self.ended.set()
            self._held_or_ended.set()

    def _hold_at(self, name: str) -> None:
        until = self._until
        if until is None or name != until.name:
            return
        if until.time > 1:
            self._until = until._replace(time=until.time - 1)
            return
        self.holds_the_write_lock = connection.vendor == "sqlite" and connection.connection.in_transaction
        self._go.clear()
        self._held_or_ended.set()
        if not self._go.wait(TIMEOUT_SECONDS):
            raise TimeoutError(f"held at “{name}” for too long")

    def _note_write(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        self.is_about_to_write |= not sql.startswith(_READS)
        return execute(sql, *rest)
