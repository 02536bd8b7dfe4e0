"""Keys of programs: created, found by their secret, limited, and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from partway.accounts.models import ApiKey, Organization
from partway.billing.errors import Conflict, Invalid, TooLate
from partway.billing.events import OPERATOR
from partway.billing.models import Event
from partway.billing.people import api_keys
from partway.billing.people.api_keys import NewKey
from partway.lib.clock import now
from partway.lib.links import mask_links


def create(organization: Organization, **changes: Any) -> tuple[ApiKey, str]:
    new_key = NewKey(**{"name": "Job management", "scope": "collect", **changes})
    return api_keys.create(organization, new_key=new_key, by=OPERATOR, now=now())


def authenticated(secret: str, ip_address: str | None = "192.0.2.7", **later: float) -> ApiKey | None:
    return api_keys.authenticate(secret, ip_address=ip_address, now=now() + timedelta(**later))


def test_secret_of_key_is_in_no_row(organization: Organization) -> None:
    key, secret = create(organization)
    stored = [*ApiKey.objects.values_list(), *Event.objects.values_list("data")]
    assert len(secret) > 32
    assert secret not in str(stored)
    assert secret.endswith(key.last_letters)
    assert secret not in mask_links(f"/api/v1/invoices?key={secret}")


def test_key_is_found_by_its_secret_only(organization: Organization) -> None:
    key, secret = create(organization)
    assert authenticated(secret) == key
    assert authenticated(secret[:-1]) is None
    assert authenticated(key.digest) is None


def test_key_works_until_it_is_revoked_or_expires(organization: Organization) -> None:
    key, secret = create(organization)
    _brief, ending = create(organization, expires_at=now() + timedelta(hours=1))
    assert authenticated(ending, minutes=59)
    assert authenticated(ending, minutes=61) is None
    api_keys.revoke(key, by=OPERATOR, now=now())
    assert authenticated(secret) is None
    with pytest.raises(TooLate):
        api_keys.revoke(key, by=OPERATOR, now=now())
    assert [event.type for event in Event.objects.filter(type__startswith="key.").order_by("pk")] == [
        "key.created",
        "key.created",
        "key.revoked",
    ]


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [("203.0.113.9", True), ("2001:db8::", True), ("203.0.114.9", False), (None, False)],
)
def test_key_with_networks_works_from_them_only(
    organization: Organization, address: str | None, is_allowed: bool
) -> None:
    _key, secret = create(organization, networks=("203.0.113.0/24", "2001:db8::/64"))
    assert (authenticated(secret, address) is not None) == is_allowed


def test_last_use_of_key_is_written_once_a_minute(organization: Organization) -> None:
    key, secret = create(organization)
    written = []
    for seconds in (0, 30, 90):
        authenticated(secret, seconds=seconds)
        key.refresh_from_db()
        written.append(key.last_used_at)
    assert written[0] == written[1] < written[2]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scope": "owner"}, "scope"),
        ({"expires_at": now() - timedelta(days=1)}, "expires_at"),
        ({"networks": ("203.0.113.0/99",)}, "networks"),
        ({"networks": ("10.0.0.1",) * 21}, "networks"),
    ],
)
def test_key_with_wrong_field_is_refused(
    organization: Organization, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        create(organization, **changes)
    assert list(refused.value.fields) == [field]
    assert not ApiKey.objects.exists()


def test_form_of_a_key_that_is_sent_twice_creates_one(organization: Organization) -> None:
    new_key = NewKey("Job management", "read")
    for expected in (ApiKey, Conflict):
        try:
            made = api_keys.create(
                organization, new_key=new_key, by=OPERATOR, now=now(), idempotency_key="once"
            )[0]
        except Conflict as error:
            made = error  # type: ignore[assignment]
        assert isinstance(made, expected)
    assert ApiKey.objects.count() == 1
