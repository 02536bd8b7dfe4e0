"""The page of API keys: an owner creates one, sees its secret once, and revokes it."""

from __future__ import annotations

import re

from django.test import Client

from partway.accounts.models import ApiKey
from partway.billing.models import Event
from tests.staff.confirmation_pages import confirm_page
from tests.staff.test_double_submits import idempotency_key

URL = "/o/alder/settings/keys/"
TYPED = {
    "name": "Job management",
    "scope": "collect",
    "expires_on": "",
    "networks": "203.0.113.0/24, 10.0.0.1",
}


def secret_in(page: str) -> str:
    found = re.search(r'value="(ptw_\w+)"', page)
    return found[1] if found else ""


def test_secret_of_a_new_key_is_shown_once(alice: Client) -> None:
    form = {**TYPED, "idempotency_key": idempotency_key(alice, f"{URL}new/")}
    created, again = (alice.post(f"{URL}new/", form).content.decode() for _ in range(2))
    key = ApiKey.objects.get()
    assert secret_in(created).endswith(key.last_letters)
    assert secret_in(again) == ""
    assert "has already created a key" in again
    assert (key.scope, key.networks) == ("collect", ["203.0.113.0/24", "10.0.0.1"])
    listed = alice.get(URL).content.decode()
    assert "Job management" in listed
    assert secret_in(created) not in listed


def test_wrong_field_of_a_new_key_is_marked(alice: Client) -> None:
    response = alice.post(f"{URL}new/", {**TYPED, "networks": "here", "idempotency_key": "x"})
    assert response.status_code == 422
    assert "is not an address or a network" in response.content.decode()


def test_revoked_key_is_listed_as_revoked(alice: Client) -> None:
    alice.post(f"{URL}new/", {**TYPED, "expires_on": "2035-01-31", "idempotency_key": "x"})
    key = ApiKey.objects.get()
    assert "Jan 31, 2035" in alice.get(URL).content.decode()
    confirm_page(alice, f"{URL}{key.pk}/revoke/")
    assert "Revoked" in alice.get(URL).content.decode()
    assert Event.objects.get(type="key.revoked").actor_label == "Alice"
    audit = alice.get("/o/alder/settings/audit/?kind=key").content.decode()
    assert "revoked the key “Job management” (collect, …" in audit
