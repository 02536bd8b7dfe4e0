"""Programs manage their webhook endpoints by the API."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.models import Event, WebhookEndpoint
from partway.billing.webhook_queue import EVENT_TYPES
from tests.api.program import DOCUMENT, Program, problem
from tests.support import personas

HOOK = "https://jobs.alder.example/hooks"


def create(admin: Program, url: str = HOOK, *types: str, **more: Any) -> Any:
    return admin.post("/webhook_endpoints", {"url": url, "event_types": list(types or ["*"]), **more})


def test_secret_is_shown_once_and_stored_sealed(admin: Program) -> None:
    made = create(admin).json()
    assert made["secret"].startswith("whsec_")
    assert "secret" not in admin.get(f"/webhook_endpoints/{made['id']}").json()
    assert made["secret"] not in WebhookEndpoint.objects.get().sealed_secrets
    assert made["secret"] not in str(Event.objects.values_list("data"))
    rotated = admin.post(f"/webhook_endpoints/{made['id']}/rotate_secret", {"old_secret_hours": 1}).json()
    assert rotated["secret"] != made["secret"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://jobs.alder.example/", "url_not_encrypted"),
        ("ftp://jobs.alder.example/", "url_unreadable"),
        ("https://user:word@jobs.alder.example/", "url_unreadable"),
        ("https:///hooks", "url_unreadable"),
        ("https://jobs.alder.example:99999/", "url_unreadable"),
        ("https://[::1/", "url_unreadable"),
        ("https://127.0.0.1/", "url_not_public"),
        ("https://[::ffff:10.0.0.1]/", "url_not_public"),
        ("https://[fe80::1%25eth0]/", "url_not_public"),
        ("https://jobs.alder.example/" + "x" * 500, "url_too_long"),
    ],
)
def test_address_that_cannot_be_called_is_refused(admin: Program, url: str, code: str) -> None:
    response = create(admin, url)
    assert problem(response) == (422, "invalid")
    assert [(one["field"], one["code"]) for one in response.json()["fields"]] == [("url", code)]


def test_operator_allows_networks_and_plain_http_in_them(admin: Program, settings: Settings) -> None:
    settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS = ["10.0.0.0/8"]
    assert create(admin, "http://10.1.2.3:8099/").status_code == 201
    [refused] = create(admin, "http://192.168.1.1/").json()["fields"]
    assert ("PARTWAY_WEBHOOK_ALLOW_NETWORKS" in refused["message"], "params" in refused) == (True, False)


def test_unknown_and_missing_types_are_refused(admin: Program) -> None:
    assert create(admin, HOOK, "invoice.painted").json()["fields"][0]["code"] == "event_type_unknown"
    none = admin.post("/webhook_endpoints", {"url": HOOK, "event_types": []})
    assert none.json()["fields"][0]["code"] == "event_types_required"


def test_endpoint_is_changed_disabled_and_deleted(admin: Program, organization: Organization) -> None:
    path = f"/webhook_endpoints/{create(admin, HOOK, 'invoice.paid').json()['id']}"
    changed = admin.patch(
        path, {"event_types": ["invoice.sent", "invoice.paid"], "status": "disabled"}
    ).json()
    assert (changed["url"], changed["status"], changed["disabled_reason"]) == (HOOK, "disabled", "by_member")
    assert changed["event_types"] == ["invoice.sent", "invoice.paid"]
    assert problem(admin.post(f"{path}/test")) == (409, "conflict")
    assert admin.patch(path, {"status": "enabled"}).json()["disabled_reason"] is None
    organization.refresh_from_db()
    assert organization.has_webhooks
    assert admin.call("DELETE", path).status_code == 204
    assert problem(admin.get(path)) == (404, "not_found")
    organization.refresh_from_db()
    assert not organization.has_webhooks


def test_delivery_of_another_endpoint_is_not_found(admin: Program, organization: Organization) -> None:
    mine, other = (personas.webhook_endpoint(organization, HOOK) for _ in range(2))
    delivery = personas.webhook_delivery(mine)
    shown = admin.get(f"/webhook_endpoints/{mine.pk}/deliveries/{delivery.pk}").json()
    assert (shown["payload"]["type"], shown["attempts"]) == ("webhook_endpoint.tested", [])
    assert problem(admin.get(f"/webhook_endpoints/{other.pk}/deliveries/{delivery.pk}")) == (404, "not_found")


def test_document_has_the_body_of_every_type() -> None:
    parts = [
        webhook["post"]["requestBody"]["content"]["application/json"]["schema"]["allOf"][1]["properties"]
        for webhook in DOCUMENT["webhooks"].values()
    ]
    assert [one for part in parts for one in part["type"]["enum"]] == list(EVENT_TYPES)
    named = [part["data"]["anyOf"][0]["$ref"].rpartition("/")[2] for part in parts]
    assert set(named) <= DOCUMENT["components"]["schemas"].keys()
