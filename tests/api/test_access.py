"""A call needs a key that is valid, of a sufficient scope, and not used too often."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import Attempt, Organization
from partway.billing.models import Customer, Event, Invoice
from tests.api.program import Program, problem, program
from tests.support import personas

DANA = {"name": "Dana Reed", "email": "dana@reed.example"}


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ptw_0", "Basic {secret}", "{secret}", "Bearer {secret}x"]
)
def test_call_without_a_valid_key_is_unauthenticated(reader: Program, sent: str) -> None:
    response = reader.get("/customers", Authorization=sent.format(secret=reader.secret))
    assert problem(response) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_key_is_refused_outside_of_its_networks(organization: Organization, settings: Settings) -> None:
    settings.PARTWAY_TRUSTED_PROXIES = 1
    inside = program(organization, "read", networks=("203.0.113.0/24",))
    assert inside.get("/customers", X_Forwarded_For="203.0.113.9").status_code == 200
    assert problem(inside.get("/customers", X_Forwarded_For="203.0.114.9")) == (401, "unauthenticated")


def test_session_of_a_member_opens_no_call(organization: Organization) -> None:
    browser = Client()
    browser.force_login(personas.member(organization, "Olive", "owner").user)
    response = browser.get("/api/v1/customers")
    assert problem(response) == (401, "unauthenticated")
    assert not response.cookies


def test_scope_that_does_not_suffice_is_forbidden(reader: Program, invoice: Invoice) -> None:
    before = Event.objects.count()
    refused = reader.post("/customers", DANA)
    assert problem(refused) == (403, "forbidden")
    assert refused.json()["detail"] == "This takes a key of the scope collect."
    assert problem(reader.post(f"/invoices/{invoice.pk}/void")) == (403, "forbidden")
    assert Event.objects.count() == before


def test_key_is_the_actor_of_its_acts(collector: Program) -> None:
    collector.post("/customers", DANA)
    event = Event.objects.latest("created_at")
    assert (event.actor_kind, event.actor_id, event.actor_label) == (
        "key",
        collector.key.pk,
        "collect program",
    )


def test_calls_beyond_the_rate_limit_are_refused_for_this_key_alone(
    reader: Program, collector: Program, settings: Settings
) -> None:
    settings.PARTWAY_API_CALLS_PER_MINUTE = 2
    first, second, third = (reader.get("/customers") for _ in range(3))
    assert [first.headers["RateLimit"], second.headers["RateLimit"]] == ['"key";r=1;t=60', '"key";r=0;t=60']
    assert first.headers["RateLimit-Policy"] == '"key";q=2;w=60'
    assert problem(third) == (429, "rate_limited")
    assert 0 < int(third.headers["Retry-After"]) <= 60
    assert collector.get("/customers").status_code == 200


def test_calls_without_a_valid_key_are_limited_by_address_and_those_with_one_go_on(
    reader: Program, settings: Settings
) -> None:
    settings.PARTWAY_TRUSTED_PROXIES = 1
    guesses = [
        reader.get("/customers", Authorization=f"Bearer ptw_{number}", X_Forwarded_For="2001:db8::1")
        for number in range(61)
    ]
    assert [problem(each) for each in guesses] == [(401, "unauthenticated")] * 60 + [(429, "rate_limited")]
    assert 0 < int(guesses[-1].headers["Retry-After"]) <= 60
    assert problem(reader.get("/customers", Authorization="", X_Forwarded_For="2001:db8::2"))[0] == 429
    assert problem(reader.get("/customers", Authorization="", X_Forwarded_For="203.0.113.9"))[0] == 401
    assert reader.get("/customers", X_Forwarded_For="2001:db8::1").status_code == 200
    assert Attempt.objects.filter(action="api.unauthenticated.network").count() == 61


def test_response_has_the_request_id_of_each_of_its_log_lines(reader: Program) -> None:
    [handler] = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    previous = handler.setStream(lines := StringIO())
    response = reader.get("/invoices/inv_0")
    handler.setStream(previous)
    request_id, logged = response.headers["X-Request-Id"], lines.getvalue().splitlines()
    assert response.json()["request_id"] == request_id
    assert [line for line in logged if request_id not in line] == []
    assert len(logged) == 2


def test_link_is_shown_to_keys_that_may_use_it_only(
    reader: Program, collector: Program, invoice: Invoice
) -> None:
    requested = personas.request_payment(invoice)
    for path in (f"/invoices/{invoice.pk}", f"/payment_requests/{requested.pk}"):
        assert collector.get(path).json()["url"].startswith("http")
        assert reader.get(path).json()["url"] is None
    assert reader.get(f"/payment_requests/{requested.pk}").json()["bcc"] is None


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_answer_that_the_program_has_is_not_sent_again(
    collector: Program, invoice: Invoice, encoding: str
) -> None:
    path = f"/payment_requests/{personas.request_payment(invoice).pk}"
    first = collector.get(path, Accept_Encoding=encoding)
    assert first.headers.get("Content-Encoding", "identity") == encoding
    known = collector.get(path, If_None_Match=first.headers["ETag"], Accept_Encoding=encoding)
    assert (known.status_code, known.content) == (304, b"")
    assert "RateLimit" in known.headers
    collector.post(f"{path}/cancel")
    changed = collector.get(path, If_None_Match=first.headers["ETag"])
    assert (changed.status_code, changed.json()["status"]) == (200, "canceled")


def test_response_is_not_stored_and_opens_no_other_origin(reader: Program, dana: Customer) -> None:
    response = reader.get("/customers", Origin="https://evil.example", Cookie="sessionid=x")
    assert response.headers["Cache-Control"] == "no-store"
    assert not any(name.startswith("Access-Control") for name in response.headers)
    assert not response.cookies
