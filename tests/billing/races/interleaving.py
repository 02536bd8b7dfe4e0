"""Two acts whose steps stand in one order: the first is held at a named stop point while the second runs.

The second runs to its end. Where it must wait for what the first has locked, the first goes on as far as its commit
and is held again there; so the order is the same in every run, and on both databases.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any, NamedTuple

from django.db import connection

from partway.billing.errors import BillingError
from tests.support import failpoints

TIMEOUT_SECONDS = 30
LOOK_EVERY_SECONDS = 0.002  # how often we ask whether the second waits; no outcome depends on it

_READS = ("SELECT", "PRAGMA", "SAVEPOINT", "RELEASE")


class Failpoint(NamedTuple):
    """A stop point of an act, and which time it is passed there."""

    name: str
    time: int = 1


class RaceResult(NamedTuple):
    """What each act answered, or the refusal it raised; and whether the second had to wait for the first."""

    first: Any
    second: Any
    waited: bool


class FailpointNotReached(AssertionError):
    """The first act did not come to its stop point, so the race was none."""


def run_interleaved(first: Callable[[], Any], second: Callable[[], Any], *, at: Failpoint) -> RaceResult:
    """Hold `first` at a stop point, run `second` to its end, let `first` go on to its own.

    Anything but a refusal is a defect and is raised here; so is a first act that never comes to the stop point.
    """
    first_act, second_act = _Act(first), _Act(second)
    try:
        if not first_act.runs_to(at):
            raise FailpointNotReached(f"the first act answered {first_act.answer()!r} and never came to {at}")
        second_act.start()
        waited = _waits(second_act, first_act)
        if waited:
            first_act.runs_to(Failpoint("after commit"))
        second_answer = second_act.answer()
    finally:
        first_act.let_go()
    return RaceResult(first_act.answer(), second_answer, waited)


def _waits(second_act: _Act, first_act: _Act) -> bool:
    """True once the follower cannot go on before the leader commits, False once it has ended."""
    for _ in range(int(TIMEOUT_SECONDS / LOOK_EVERY_SECONDS)):
        if second_act.ended.wait(LOOK_EVERY_SECONDS):
            return False
        if _is_stopped_by(first_act, second_act):
            return True
    raise TimeoutError("the second act neither ended nor waited for the first")


def _is_stopped_by(first_act: _Act, second_act: _Act) -> bool:
    if connection.vendor == "sqlite":
        # There is one write lock: whoever is about to write stands before whoever holds it.
        return first_act.holds_the_write_lock and second_act.is_about_to_write
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s = ANY(pg_blocking_pids(%s))", [first_act.backend, second_act.backend])
        return bool(cursor.fetchone()[0])


class _Act:
    """One act on a thread with a database connection of its own, held where it is told to."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act
        self._thread = Thread(target=self._run, daemon=True)
        self._until: Failpoint | None = None
        self._go = Event()
        self._held_or_ended = Event()
        self._answer: Any = None
        self._defect: BaseException | None = None
        self.ended = Event()
        self.backend = 0
        self.holds_the_write_lock = False
        self.is_about_to_write = False

    def start(self) -> None:
        """Run to the end."""
        self._thread.start()

    def runs_to(self, stop: Failpoint) -> bool:
        """Start or go on, until it is held at this stop point (True) or has ended (False)."""
        self._until = stop
        self._held_or_ended.clear()
        self._go.set()
        if not self._thread.is_alive() and not self.ended.is_set():
            self._thread.start()
        if not self._held_or_ended.wait(TIMEOUT_SECONDS):
            raise TimeoutError(f"an act neither ended nor came to {stop}")
        return not self.ended.is_set()

    def let_go(self) -> None:
        """Hold it nowhere any more."""
        self._until = None
        self._go.set()

    def answer(self) -> Any:
        """What it answered, or the refusal it raised."""
        if not self.ended.wait(TIMEOUT_SECONDS):
            raise TimeoutError("an act did not end")
        self._thread.join(TIMEOUT_SECONDS)
        if self._defect is not None:
            raise self._defect
        return self._answer

    def _run(self) -> None:
        try:
            connection.ensure_connection()
            if connection.vendor == "postgresql":
                self.backend = connection.connection.info.backend_pid
            with failpoints.on_failpoint(self._visit), connection.execute_wrapper(self._notice):
                self._answer = self._act()
        except BillingError as refusal:
            self._answer = refusal
        except BaseException as defect:  # noqa: BLE001 - handed to the test's own thread, which raises it
            self._defect = defect
        finally:
            connection.close()
            self.ended.set()
            self._held_or_ended.set()

    def _visit(self, name: str) -> None:
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

    def _notice(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        self.is_about_to_write |= not sql.startswith(_READS)
        return execute(sql, *rest)
