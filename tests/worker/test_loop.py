"""The loop of the worker survives a failing job, and ends when stopped."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from partway.billing.models import Mail
from partway.worker import jobs
from partway.worker.loop import WorkerLoop
from partway.worker.models import Heartbeat
from tests.support import personas
from tests.support.sandbox_server import wait_until


def broken(*, now: datetime) -> int:
    raise RuntimeError("this job never works")


@pytest.mark.django_db
def test_worker_round_runs_every_job_and_counts_rows() -> None:
    personas.sent_invoice(personas.customer(personas.alder().organization))
    assert [WorkerLoop().round() for _ in range(2)] == [1, 0]
    assert Mail.objects.get().status == "sent"


@pytest.mark.django_db(transaction=True)
def test_failing_job_does_not_stop_other_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partway.worker.loop.JOBS", {"broken": broken, **jobs.JOBS})
    personas.sent_invoice(personas.customer(personas.alder().organization))
    assert WorkerLoop().round() == 1


@pytest.mark.django_db
def test_worker_writes_heartbeat() -> None:
    loop = WorkerLoop()
    loop.round()
    first = Heartbeat.objects.get()
    loop.round()
    assert (first.pk, Heartbeat.objects.get().last_seen_at) == (loop.process, first.last_seen_at)


@pytest.mark.django_db
def test_stopping_worker_starts_no_further_job() -> None:
    loop = WorkerLoop()
    loop.stopping.set()
    personas.sent_invoice(personas.customer(personas.alder().organization))
    assert loop.round() == 0
    assert Mail.objects.get().status == "queued"


@pytest.mark.django_db(transaction=True)
def test_worker_loop_runs_until_stopped() -> None:
    loop = WorkerLoop(idle_seconds=0.01)

    def run() -> Any:
        loop.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(Heartbeat.objects.exists)
    loop.stopping.set()
    thread.join(10)
    assert not thread.is_alive()
    assert not Heartbeat.objects.exists()
