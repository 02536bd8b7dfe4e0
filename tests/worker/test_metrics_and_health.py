"""/healthz and /metrics report the state of workers, queues and alerts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from partway.accounts.models import GatewayAccount
from partway.lib.clock import now as present
from partway.worker.models import Heartbeat
from tests.support import personas

pytestmark = pytest.mark.django_db


def test_healthz_reports_database_and_workers() -> None:
    for process, seconds in (("alive", 5), ("dead", 60)):
        at = present() - timedelta(seconds=seconds)
        Heartbeat.objects.create(pk=process, last_seen_at=at, started_at=at)
    health = Client().get("/healthz").json()
    assert (health["status"], health["workers_alive"]) == ("ok", 1)


def test_metrics_count_queued_mails_and_unsettled_payments() -> None:
    personas.request_payment(personas.sent_invoice(personas.customer(personas.alder().organization)))
    lines = Client().get("/metrics").content.decode().splitlines()
    assert "partway_mails_queued 2.0" in lines
    assert "partway_payments_unsettled 0.0" in lines
    assert "partway_alerts_open 0.0" in lines


def test_metrics_report_age_of_unread_gateway_list() -> None:
    days = {"read": 0, "unread": 2, "replaced": 9, "seeded": 9}
    for name, age in days.items():
        personas.organization(name, name)
        GatewayAccount.objects.filter(organization__slug=name).update(
            created_at=present() - timedelta(days=age),
            is_current=name != "replaced",
            reconcile_at=present() + timedelta(days=900 if name == "seeded" else 0),
        )
    text = Client().get("/metrics").content.decode()
    [age] = re.findall(r"^partway_gateway_list_age_seconds ([\d.e+]+)$", text, re.MULTILINE)
    assert float(age) == pytest.approx(2 * 86_400, abs=60)


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_healthz_and_metrics_refuse_post(path: str) -> None:
    assert Client().post(path).status_code == 405
