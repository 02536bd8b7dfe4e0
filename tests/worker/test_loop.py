"""The loop of the worker survives a failing job, keeps kinds of jobs apart, and ends when stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from partway.billing.models import Mail
from partway.billing.models.due_notifications import TRIGGERS
from partway.lib.clock import now
from partway.worker import due_listener
from partway.worker import loop as worker_loop
from partway.worker.jobs import JOBS, JOBS_BY_KIND, QUEUES
from partway.worker.loop import WorkerLoop
from partway.worker.models import Heartbeat
from tests.support import personas, pooler
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


def pause_of(loop: WorkerLoop, kind: str) -> float | None:
    """Runs the kind until its first pause; returns the seconds of that."""
    paused: list[float | None] = []

    def wait(timeout: float | None = None) -> bool:
        paused.append(timeout)
        loop.stopping.set()
        return True

    loop.wakes[kind].wait = wait  # type: ignore[method-assign]
    loop._run_kind(kind)
    return paused[0]


def trust_notifications(loop: WorkerLoop) -> WorkerLoop:
    """Lets the loop rely on notifications, as where it has just heard one."""
    loop.listener._heard_at = time.monotonic()
    return loop


def test_every_job_belongs_to_one_kind() -> None:
    assert sorted(name for names in JOBS_BY_KIND.values() for name in names) == sorted(JOBS)


def test_guide_says_how_many_connections_a_worker_keeps() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guide" / "operating.md"
    names = {10: "ten", 11: "eleven", 12: "twelve"}
    # One for the heartbeat, and one that listens.
    assert f"each worker {names[len(JOBS_BY_KIND) + 2]}." in guide.read_text()


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


@pytest.mark.django_db
def test_worker_that_is_stopped_ends_after_the_mail_that_it_sends() -> None:
    dana, loop = personas.customer(personas.alder().organization), WorkerLoop()
    for _ in range(3):
        personas.sent_invoice(dana)

    def stop(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("INSERT") and "billing_mailattempt" in sql:
            loop.stopping.set()
        return execute(sql, *args)

    with connection.execute_wrapper(stop):
        assert loop.round("mails") == 1
    assert QUEUES["mails"].due(now()).count() == 2


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
    assert pause_of(WorkerLoop(), kind) == seconds


@pytest.mark.django_db(transaction=True)
def test_worker_that_does_not_hear_heartbeats_any_more_looks_twice_a_second() -> None:
    loop = WorkerLoop()
    loop.listener._heard_at = time.monotonic() - due_listener.TRUSTED_SECONDS
    assert pause_of(loop, "mails") == 0.5


@pytest.mark.parametrize(
    ("due_in", "kind", "least", "most"),
    [(None, "mails", 10, 10), (4, "mails", 3, 4), (60, "mails", 10, 10), (4, "database", 5, 5)],
)
@pytest.mark.django_db(transaction=True)
def test_idle_worker_that_hears_notifications_rests_until_its_first_row_is_due(
    due_in: int | None, kind: str, least: float, most: float
) -> None:
    if due_in:
        personas.sent_invoice(personas.customer(personas.alder().organization))
        Mail.objects.update(next_attempt_at=now() + timedelta(seconds=due_in))
    assert least <= (pause_of(trust_notifications(WorkerLoop()), kind) or 0) <= most


@pytest.mark.parametrize("kind", ["webhooks", *QUEUES])
def test_kind_that_rests_is_notified_of_its_rows(kind: str) -> None:
    assert kind in {trigger.kind for trigger in TRIGGERS}
    assert kind in JOBS_BY_KIND


@pytest.mark.django_db(transaction=True)
def test_resting_worker_sends_new_mail_at_once_on_postgresql() -> None:
    loop = WorkerLoop(idle_seconds=60 if connection.vendor == "postgresql" else 0.1)
    with running(loop):
        wait_until(lambda: connection.vendor == "sqlite" or loop.listener.is_trusted)
        personas.sent_invoice(personas.customer(personas.alder().organization))
        wait_until(lambda: Mail.objects.filter(status="sent").exists(), within=20)


@pytest.mark.django_db(transaction=True)
def test_listener_that_lost_its_connection_listens_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_listener, "_RECONNECT_SECONDS", 0.1)
    monkeypatch.setattr(worker_loop, "_HEARTBEAT_INTERVAL", worker_loop._HEARTBEAT_INTERVAL / 100)
    loop, listens = WorkerLoop(idle_seconds=60), connection.vendor == "postgresql"
    with running(loop):
        wait_until(lambda: loop.listener.is_trusted is listens)
        if listens:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
                )
        wait_until(lambda: not loop.listener.is_trusted)
        wait_until(lambda: loop.listener.is_trusted is listens)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no notifications")
@pytest.mark.django_db(transaction=True)
def test_worker_behind_a_pooler_leaves_no_listening_connection_to_others() -> None:
    listener = due_listener.DueListener(lambda kind: None, [])
    with pooler.in_front_of_database() as passed:
        listener.start()
        try:
            assert passed.client_gone.wait(10)
        finally:
            listener.close(10)
    assert b"pg_backend_pid" in passed.sent
    assert b"LISTEN" not in passed.sent


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
