"""Each job of the worker processes the rows that are due, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.lib.clock import now as present
from partway.worker import jobs
from partway.worker.models import Heartbeat
from tests.support import personas

pytestmark = pytest.mark.django_db


def test_jobs_return_zero_in_empty_installation() -> None:
    assert {name: job(now=present()) for name, job in jobs.JOBS.items()} == dict.fromkeys(jobs.JOBS, 0)


def test_mails_job_sends_due_mails_once() -> None:
    personas.request_payment(personas.sent_invoice(personas.customer(personas.alder().organization)))
    assert [jobs.JOBS["mails"](now=present()) for _ in range(2)] == [2, 0]


def test_heartbeat_of_dead_worker_is_deleted_after_a_day() -> None:
    for process, hours in (("gone", 25), ("late", 23)):
        at = present() - timedelta(hours=hours)
        Heartbeat.objects.create(pk=process, last_seen_at=at, started_at=at)
    assert jobs.JOBS["delete_stale_heartbeats"](now=present()) == 1
    assert Heartbeat.objects.get().pk == "late"
