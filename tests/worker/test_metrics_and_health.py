"""/healthz and /metrics report the state of workers, queues and alerts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount
from partway.lib.clock import now as present
from partway.worker.models import Heartbeat
from tests.support import personas

pytestmark = pytest.mark.django_db
TOKEN = "a token of the monitoring"


@pytest.fixture
def monitoring(settings: Settings) -> Client:
    """A client with the token of the monitoring."""
    settings.PARTWAY_METRICS_TOKEN = TOKEN
    return Client(headers={"Authorization": f"Bearer {TOKEN}"})


def test_healthz_reports_database_and_workers() -> None:
    for process, seconds in (("alive", 5), ("dead", 60)):
        at = present() - timedelta(seconds=seconds)
        Heartbeat.objects.create(pk=process, last_seen_at=at, started_at=at)
    health = Client().get("/healthz").json()
    assert (health["status"], health["workers_alive"]) == ("ok", 1)


def test_healthz_is_503_without_a_trace_while_tables_are_missing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {Heartbeat._meta.db_table} RENAME TO elsewhere")
    response = Client().get("/healthz")
    assert (response.status_code, response.json()["status"]) == (503, "no database")


def test_metrics_count_queued_mails_and_unsettled_payments(monitoring: Client) -> None:
    personas.request_payment(personas.sent_invoice(personas.customer(personas.alder().organization)))
    lines = monitoring.get("/metrics").content.decode().splitlines()
    assert "partway_mails_queued 2.0" in lines
    assert "partway_payments_unsettled 0.0" in lines
    assert "partway_alerts_open 0.0" in lines


def test_metrics_report_age_of_unread_gateway_list(monitoring: Client) -> None:
    days = {"read": 0, "unread": 2, "replaced": 9, "seeded": 9}
    for name, age in days.items():
        personas.organization(name, name)
        GatewayAccount.objects.filter(organization__slug=name).update(
            created_at=present() - timedelta(days=age),
            is_current=name != "replaced",
            reconcile_at=present() + timedelta(days=900 if name == "seeded" else 0),
        )
    text = monitoring.get("/metrics").content.decode()
    [age] = re.findall(r"^partway_gateway_list_age_seconds ([\d.e+]+)$", text, re.MULTILINE)
    assert float(age) == pytest.approx(2 * 86_400, abs=60)


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_healthz_and_metrics_refuse_post(path: str) -> None:
    assert Client().post(path).status_code == 405


@pytest.mark.parametrize("sent", ["", "Bearer ", "Bearer wrong", TOKEN, f"Basic {TOKEN}"])
@pytest.mark.parametrize("token", ["", TOKEN])
def test_metrics_are_closed_without_the_token(settings: Settings, sent: str, token: str) -> None:
    settings.PARTWAY_METRICS_TOKEN = token
    answer = Client(headers={"Authorization": sent} if sent else {}).get("/metrics")
    assert (answer.status_code, b"partway_" in answer.content) == (403, False)


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.1.2.3", 200), ("11.1.2.3", 403), ("2001:db8:7:1::9", 200), ("2001:db8:7:2::9", 403), ("::1", 200)],
)
def test_metrics_are_open_to_allowed_networks(settings: Settings, address: str, status: int) -> None:
    settings.PARTWAY_METRICS_NETWORKS = ["10.0.0.0/8", "2001:db8:7:1::5", "::1"]
    assert Client(REMOTE_ADDR=address).get("/metrics").status_code == status


def test_metrics_network_is_not_claimed_by_forwarded_for(settings: Settings) -> None:
    settings.PARTWAY_METRICS_NETWORKS = ["10.0.0.0/8"]
    client = Client(REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": "10.1.2.3"})
    assert client.get("/metrics").status_code == 403


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.1", 200), ("203.0.113.9", 403)])
def test_metrics_believe_headers_of_the_proxies_alone(settings: Settings, peer: str, status: int) -> None:
    settings.PARTWAY_TRUSTED_PROXIES, settings.PARTWAY_PROXY_NETWORKS = 1, ["10.0.0.0/8"]
    settings.PARTWAY_METRICS_NETWORKS = ["192.0.2.0/24"]
    response = Client().get("/metrics", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert response.status_code == status
