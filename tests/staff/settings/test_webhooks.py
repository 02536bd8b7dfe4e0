"""Owners add webhook endpoints, see what was delivered, and send it again."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import WebhookDelivery, WebhookEndpoint
from partway.lib.clock import now
from partway.staff import keyset_pages
from tests.support import personas
from tests.support.personas import Team

HOOK = "https://jobs.alder.example/hooks"
PAGES = "/o/alder/settings/webhooks/"


@pytest.fixture
def endpoint(organization: Organization) -> WebhookEndpoint:
    return personas.webhook_endpoint(organization, HOOK)


def test_owner_adds_endpoint_and_sees_its_secret_once(alice: Client, team: Team) -> None:
    typed = {"url": HOOK, "on invoice.paid": "on", "on quote.accepted": "on"}
    page = alice.post(f"{PAGES}new/", typed).content.decode()
    made = WebhookEndpoint.objects.get()
    assert made.event_types == ["invoice.paid", "quote.accepted"]
    [secret] = made.secrets
    assert secret.replace("+", "&#x2B;").replace("=", "&#x3D;") in page or secret in page
    assert secret not in alice.get(f"{PAGES}{made.pk}/").content.decode()


def test_refused_form_keeps_what_was_chosen(alice: Client, team: Team) -> None:
    response = alice.post(f"{PAGES}new/", {"url": "https://10.0.0.1/", "on dispute.opened": "on"})
    assert response.status_code == 422
    page = response.content.decode()
    assert 'name="on dispute.opened" checked' in page
    assert 'name="on invoice.paid" checked' not in page
    assert "invoice.<wbr>adjustment_<wbr>taken_<wbr>back" in page


def test_page_of_endpoint_filters_and_pages_its_deliveries(alice: Client, endpoint: WebhookEndpoint) -> None:
    oldest, *_rest = [personas.webhook_delivery(endpoint) for _ in range(51)]
    first = alice.get(f"{PAGES}{endpoint.pk}/")
    assert oldest not in first.context["page"].entries
    older = alice.get(f"{PAGES}{endpoint.pk}/", {"after": first.context["page"].following})
    assert older.context["page"].entries == [oldest]
    assert alice.get(f"{PAGES}{endpoint.pk}/", {"status": "failed"}).context["page"].entries == []


def test_page_of_endpoint_that_looked_further_in_vain_says_so(
    alice: Client, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_rest, newest = [personas.webhook_delivery(endpoint) for _ in range(3)]
    WebhookDelivery.objects.filter(pk=newest.pk).update(status="failed", ended_at=now())
    for name in ("MAX_EXAMINED", "PAGE_ROWS"):
        monkeypatch.setattr(keyset_pages, name, 2)
    first = alice.get(f"{PAGES}{endpoint.pk}/", {"status": "failed"}).context["page"]
    further = alice.get(f"{PAGES}{endpoint.pk}/", {"status": "failed", "after": first.following})
    assert (list(first.entries), list(further.context["page"].entries)) == ([newest], [])
    assert "Nothing more found" in further.content.decode()


def test_delivery_page_shows_attempts_and_sends_again(alice: Client, endpoint: WebhookEndpoint) -> None:
    delivery = personas.webhook_delivery(endpoint)
    delivery.attempts.create(
        number=1,
        attempted_at=now(),
        duration_ms=15,
        url=HOOK,
        request_headers={"webhook-id": delivery.pk},
        response_status=500,
        response_body="<b>out of order</b>",
        error_code="status",
    )
    WebhookDelivery.objects.update(status="failed", ended_at=now(), attempt_count=1)
    path = f"{PAGES}{endpoint.pk}/{delivery.pk}/"
    page = alice.get(path).content.decode()
    assert "It did not accept it (status 500)" in page
    assert "&lt;b&gt;out of order" in page
    alice.post(f"{path}retry/")
    delivery.refresh_from_db()
    assert (delivery.status, delivery.earlier_attempts) == ("pending", 1)


def test_days_of_a_range_are_those_of_the_organization(alice: Client, endpoint: WebhookEndpoint) -> None:
    made = [personas.webhook_delivery(endpoint) for _ in range(2)]
    for delivery, at in zip(made, ("2026-01-02T04:59:59Z", "2026-01-02T05:00:00Z"), strict=True):
        WebhookDelivery.objects.filter(pk=delivery.pk).update(created_at=at, status="failed", ended_at=now())
    alice.post(f"{PAGES}{endpoint.pk}/retry/", {"since": "2026-01-02", "until": "2026-01-02"})
    # Midnight in New York is five hours after that of UTC.
    assert [one.status for one in endpoint.deliveries.order_by("pk")] == ["failed", "pending"]
