"""Creates, finds and revokes the keys by which programs act for an organization.

A secret has 160 random bits, which no guessing reaches, so a fast digest is stored in its place: a slow hash protects
passwords, which people choose, and would cost every call of a program half a second.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from partway.accounts.models import ApiKey, KeyScope, Organization
from partway.accounts.permissions import Permission, needs
from partway.lib.ids import encode
from partway.lib.ip_addresses import is_in_networks
from partway.lib.links import KEY_PREFIX
from partway.lib.sealing import digest

from .. import events
from ..errors import Conflict, FieldError, Invalid, TooLate, field_error
from ..events import Actor

MAX_KEYS, MAX_NAME_LENGTH, MAX_NETWORKS = 100, 80, 20
_SECRET_BITS = 160
# Not every call writes: the last use is moved on once it is this much out of date.
_USE_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as an owner or the operator asks for it; without `networks` it works from anywhere."""

    name: str
    scope: str
    expires_at: datetime | None = None
    networks: tuple[str, ...] = ()


@needs(Permission.MANAGE_KEYS)
@transaction.atomic
def create(
    organization: Organization,
    *,
    new_key: NewKey,
    by: Actor,
    now: datetime,
    idempotency_key: str | None = None,
) -> tuple[ApiKey, str]:
    """Returns a new key and its secret, which is stored nowhere.

    Raises Invalid, and Conflict when the same `idempotency_key` has made a key: its secret is not known any more (P8).
    """
    if events.by_idempotency_key(organization, idempotency_key):
        raise Conflict(reason="key_form_used")
    organization.lock()
    if errors := _field_errors(organization, new_key, now):
        raise Invalid(errors)
    secret = KEY_PREFIX + encode(secrets.randbits(_SECRET_BITS), _SECRET_BITS // 5)
    key = ApiKey.objects.create(
        organization=organization,
        name=new_key.name.strip(),
        scope=new_key.scope,
        digest=digest(secret),
        last_letters=secret[-4:],
        networks=list(new_key.networks),
        created_at=now,
        expires_at=new_key.expires_at,
    )
    expires_at = key.expires_at.isoformat() if key.expires_at else None
    data = {**_event_data(key), "networks": key.networks, "expires_at": expires_at}
    events.record("key.created", organization, by=by, now=now, data=data, idempotency_key=idempotency_key)
    return key, secret


@needs(Permission.MANAGE_KEYS)
@transaction.atomic
def revoke(key: ApiKey, *, by: Actor, now: datetime) -> None:
    """Ends a key: the next call with it is refused. Raises TooLate when it was revoked already."""
    # The condition decides which of two owners revoked it.
    if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
        raise TooLate(reason="key_revoked")
    key.revoked_at = now
    events.record("key.revoked", key.organization, by=by, now=now, data=_event_data(key))


def authenticate(secret: str, *, ip_address: str | None, now: datetime) -> ApiKey | None:
    """Returns the key of this secret, with its organization, and notes its use; None where it may not be used."""
    found = ApiKey.objects.select_related("organization").filter(digest=digest(secret)).first()
    if found is None or not found.is_usable(now):
        return None
    if found.networks and not (ip_address and is_in_networks(ip_address, found.networks)):
        return None
    if found.last_used_at is None or found.last_used_at < now - _USE_STEP:
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def _field_errors(organization: Organization, new_key: NewKey, now: datetime) -> dict[str, FieldError]:
    errors: dict[str, FieldError] = {}
    if not new_key.name.strip():
        errors["name"] = field_error("key_name_required")
    elif len(new_key.name) > MAX_NAME_LENGTH:
        errors["name"] = field_error("too_many_characters", limit=MAX_NAME_LENGTH)
    if new_key.scope not in KeyScope.values:
        errors["scope"] = field_error("key_scope_unknown")
    if new_key.expires_at is not None and new_key.expires_at <= now:
        errors["expires_at"] = field_error("expiry_in_past")
    if len(new_key.networks) > MAX_NETWORKS:
        errors["networks"] = field_error("too_many_addresses", limit=MAX_NETWORKS)
    elif wrong := _wrong_network(new_key.networks):
        errors["networks"] = field_error("network_unreadable", network=wrong[:60])
    if organization.api_keys.filter(revoked_at__isnull=True).count() >= MAX_KEYS:
        errors["name"] = field_error("too_many_keys", limit=MAX_KEYS)
    return errors


def _wrong_network(networks: Sequence[str]) -> str:
    """Returns the first text that is no network; empty when all are."""
    for network in networks:
        try:
            is_in_networks("127.0.0.1", [network])
        except ValueError:
            return network
    return ""


def _event_data(key: ApiKey) -> dict[str, object]:
    return {"key": key.pk, "name": key.name, "scope": key.scope, "last_letters": key.last_letters}
