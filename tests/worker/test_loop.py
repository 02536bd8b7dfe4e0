"""The worker's loop: outlives a failing job, and ends when told."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from partway.billing.models import Mail
from partway.worker import jobs
from partway.worker.loop import Loop
from partway.worker.models import Pulse
from tests import personas
from tests.gateways.company import eventually


def broken(*, now: datetime) -> int:
    raise RuntimeError("this job never works")


@pytest.mark.django_db
def test_a_round_does_every_job_and_counts_the_rows() -> None:
    personas.sent(personas.customer(personas.alder().organization))
    assert [Loop().round() for _ in range(2)] == [1, 0]
    assert Mail.objects.get().status == "sent"


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partway.worker.loop.JOBS", {"broken": broken, **jobs.JOBS})
    personas.sent(personas.customer(personas.alder().organization))
    assert Loop().round() == 1


@pytest.mark.django_db
def test_each_worker_leaves_a_pulse() -> None:
    loop = Loop()
    loop.round()
    first = Pulse.objects.get()
    loop.round()
    assert (first.pk, Pulse.objects.get().beat_at) == (loop.process, first.beat_at)


@pytest.mark.django_db
def test_told_to_end_it_begins_no_further_job() -> None:
    loop = Loop()
    loop.stopping.set()
    personas.sent(personas.customer(personas.alder().organization))
    assert loop.round() == 0
    assert Mail.objects.get().status == "queued"


@pytest.mark.django_db(transaction=True)
def test_it_runs_until_told_to_end() -> None:
    loop = Loop(rest_seconds=0.01)

    def run() -> Any:
        loop.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    eventually(Pulse.objects.exists)
    loop.stopping.set()
    thread.join(10)
    assert not thread.is_alive()
    assert not Pulse.objects.exists()
