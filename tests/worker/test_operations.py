"""What monitoring is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from partway.lib.clock import now as present
from partway.worker.models import Pulse
from tests import personas

pytestmark = pytest.mark.django_db


def test_healthz_answers_with_the_database_and_the_workers() -> None:
    for process, seconds in (("alive", 5), ("dead", 60)):
        at = present() - timedelta(seconds=seconds)
        Pulse.objects.create(pk=process, beat_at=at, started_at=at)
    told = Client().get("/healthz").json()
    assert (told["status"], told["workers_alive"]) == ("ok", 1)


def test_metrics_count_what_waits() -> None:
    personas.ask(personas.sent(personas.customer(personas.alder().organization)))
    lines = Client().get("/metrics").content.decode().splitlines()
    assert "partway_mails_queued 2.0" in lines
    assert "partway_payments_unsettled 0.0" in lines
    assert "partway_flags_unresolved 0.0" in lines


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_they_are_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405
