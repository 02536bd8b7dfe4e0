"""The loop of the worker survives a failing job, keeps kinds of jobs apart, and ends when stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection

from partway.billing.models import Mail
from partway.worker import loop as worker_loop
from partway.worker.jobs import JOBS, JOBS_BY_KIND
from partway.worker.loop import WorkerLoop
from partway.worker.models import Heartbeat
from tests.support import personas
from tests.support.sandbox_server import wait_until


def broken(*, now: datetime) -> int:
    raise RuntimeError("this job never works")


@contextmanager
def running(loop: WorkerLoop) -> Iterator[threading.Thread]:
    """Runs the loop on a thread, and stops it."""

    def run() -> None:
        loop.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        loop.stopping.set()
        thread.join(10)


class FirstPause(threading.Event):
    """Ends the loop with its first pause, and keeps how long that would have been."""

    seconds: float | None = None

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds = timeout
        self.set()
        return True


def test_every_job_belongs_to_one_kind() -> None:
    assert sorted(name for names in JOBS_BY_KIND.values() for name in names) == sorted(JOBS)


def test_guide_says_how_many_connections_a_worker_keeps() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guide" / "operating.md"
    names = {10: "ten", 11: "eleven", 12: "twelve"}
    assert f"each worker {names[len(JOBS_BY_KIND) + 1]}." in guide.read_text()  # one for the heartbeat


@pytest.mark.django_db
def test_worker_round_runs_jobs_of_its_kind_and_counts_rows() -> None:
    personas.sent_invoice(personas.customer(personas.alder().organization))
    assert [WorkerLoop().round(kind) for kind in ("database", "mails", "mails")] == [0, 1, 0]
    assert Mail.objects.get().status == "sent"


@pytest.mark.django_db(transaction=True)
def test_failing_job_does_not_stop_other_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOBS, "broken", broken)
    monkeypatch.setitem(JOBS_BY_KIND, "mails", ("broken", "mails"))
    personas.sent_invoice(personas.customer(personas.alder().organization))
    assert WorkerLoop().round("mails") == 1


@pytest.mark.django_db
def test_stopping_worker_starts_no_further_job() -> None:
    loop = WorkerLoop()
    loop.stopping.set()
    personas.sent_invoice(personas.customer(personas.alder().organization))
    assert loop.round("mails") == 0
    assert Mail.objects.get().status == "queued"


@pytest.mark.django_db(transaction=True)
def test_worker_loop_runs_until_stopped() -> None:
    loop = WorkerLoop(idle_seconds=0.01)
    with running(loop) as thread:
        wait_until(Heartbeat.objects.exists)
    assert not thread.is_alive()
    assert not Heartbeat.objects.exists()


@pytest.mark.parametrize(("kind", "seconds"), [("mails", 0.5), ("database", 2)])
@pytest.mark.django_db(transaction=True)
def test_idle_worker_looks_less_often_for_rows_that_only_the_clock_makes_due(
    kind: str, seconds: float
) -> None:
    loop = WorkerLoop()
    loop.stopping = FirstPause()
    loop._run_kind(kind)
    assert loop.stopping.seconds == seconds


@pytest.mark.django_db(transaction=True)
def test_job_that_hangs_delays_no_other_kind_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, released = threading.Event(), threading.Event()

    def hang(*, now: datetime) -> int:
        hanging.set()
        return released.wait(60) * 0

    monkeypatch.setitem(JOBS, "gateway_lists", hang)
    monkeypatch.setattr(worker_loop, "_HEARTBEAT_INTERVAL", worker_loop._HEARTBEAT_INTERVAL / 100)
    monkeypatch.setattr(worker_loop, "_SHUTDOWN", worker_loop._SHUTDOWN / 50)
    personas.sent_invoice(personas.customer(personas.alder().organization))
    try:
        with running(WorkerLoop(idle_seconds=0.01)) as thread:
            hanging.wait(10)
            first = wait_until(Heartbeat.objects.first)
            wait_until(lambda: Mail.objects.filter(status="sent").exists())
            wait_until(lambda: Heartbeat.objects.filter(last_seen_at__gt=first.last_seen_at).exists())
        assert not thread.is_alive()
    finally:
        released.set()
        wait_until(lambda: not any(one.name == "gateway_lists" for one in threading.enumerate()))
