"""Creates, changes, rotates, disables and deletes the endpoints that hear of an organization's events."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib.public_addresses import is_in, is_public

from .. import events, outbox
from ..errors import Conflict, FieldError, Invalid, Stale, field_error
from ..events import CLOCK, Actor
from ..models import WebhookEndpoint
from ..webhook_queue import EVENT_TYPES, EVERY_TYPE

MAX_ENDPOINTS, MAX_URL_LENGTH, MAX_DESCRIPTION_LENGTH = 20, 500, 120
# How long the old secret signs beside a new one, by default and at most: until every receiver has the new one.
OLD_SECRET_LIFETIME, MAX_OLD_SECRET_LIFETIME = timedelta(hours=24), timedelta(days=7)
# Signatures are a header, and each secret adds one.
MAX_SECRETS = 4
# An endpoint that fails for so long without a success is disabled.
DISABLED_AFTER = timedelta(days=3)
_FAILURES = ("failing_since", "silence_count", "paused_until")


@dataclass(frozen=True, slots=True)
class EndpointDetails:
    """The fields of an endpoint that a member or a program writes; the type "*" is every type, later ones too."""

    url: str
    event_types: Sequence[str]
    description: str = ""


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def create(
    organization: Organization,
    *,
    details: EndpointDetails,
    by: Actor,
    now: datetime,
    idempotency_key: str | None = None,
) -> tuple[WebhookEndpoint, str]:
    """Returns a new endpoint, enabled, and the secret that its deliveries are signed with.

    Raises Invalid, and Conflict when the same `idempotency_key` has made an endpoint (P8).
    """
    if events.by_idempotency_key(organization, idempotency_key):
        raise Conflict(reason="endpoint_form_used")
    organization.lock()
    if organization.webhook_endpoints.count() >= MAX_ENDPOINTS:
        raise Invalid({"url": field_error("too_many_endpoints", limit=MAX_ENDPOINTS)})
    _check(details)
    endpoint = WebhookEndpoint(organization=organization, created_at=now)
    _write(endpoint, details)
    secret = _new_secret()
    endpoint.secrets = {secret: ""}
    endpoint.save(force_insert=True)
    _note_whether_any_is_enabled(organization)
    data = {**_event_data(endpoint), "event_types": endpoint.event_types}
    events.record(
        "webhook_endpoint.created", organization, by=by, now=now, data=data, idempotency_key=idempotency_key
    )
    return endpoint, secret


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def change(endpoint: WebhookEndpoint, *, details: EndpointDetails, by: Actor, now: datetime) -> None:
    """Changes address, types and description; what waits goes to a new address at once. Raises Invalid and Stale."""
    _lock(endpoint)
    _check(details)
    before = {"url": endpoint.url, "event_types": endpoint.event_types, "description": endpoint.description}
    _write(endpoint, details)
    changed = [name for name, value in before.items() if getattr(endpoint, name) != value]
    if changed:
        if "url" in changed:
            _forget_failures(endpoint)
        endpoint.save(update_fields=[*changed, *_FAILURES])
        data = {**_event_data(endpoint), "before": {name: before[name] for name in changed}}
        data["after"] = {name: getattr(endpoint, name) for name in changed}
        events.record("webhook_endpoint.changed", endpoint.organization, by=by, now=now, data=data)


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def set_enabled(endpoint: WebhookEndpoint, *, on: bool, by: Actor, now: datetime) -> None:
    """Enables or disables; one that is so already stays as it is. Raises Stale.

    Deliveries that wait go on waiting while it is disabled; what happens meanwhile it does not hear of.
    """
    _lock(endpoint)
    if (endpoint.status == "enabled") == on:
        return
    if on:
        _forget_failures(endpoint)
    _store_status(endpoint, reason="" if on else "by_member")
    event_type = f"webhook_endpoint.{'enabled' if on else 'disabled'}"
    events.record(event_type, endpoint.organization, by=by, now=now, data=_event_data(endpoint))


@transaction.atomic
def disable_failing(endpoint: WebhookEndpoint, *, reason: str, now: datetime) -> None:
    """Disables an endpoint that answered 410 Gone (`gone`) or failed for days (`failing`), and mails the owners.

    endpoint: as it was when it was called; one that has another address since stays enabled.
    """
    called = endpoint.url
    try:
        _lock(endpoint)
    except Stale:
        return  # deleted meanwhile
    if endpoint.url != called:
        return
    works = endpoint.failing_since is None or endpoint.failing_since > now - DISABLED_AFTER
    if endpoint.status == "disabled" or (reason == "failing" and works):
        return
    _store_status(endpoint, reason=reason)
    data = {**_event_data(endpoint), "reason": reason}
    event = events.record("webhook_endpoint.disabled", endpoint.organization, by=CLOCK, now=now, data=data)
    outbox.queue_to_owners("webhook_endpoint_disabled", event, data=data)


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def rotate_secret(
    endpoint: WebhookEndpoint,
    *,
    by: Actor,
    now: datetime,
    old_secret_lifetime: timedelta = OLD_SECRET_LIFETIME,
    idempotency_key: str | None = None,
) -> str:
    """Returns a new secret; until the old one ends, deliveries are signed with both, so that no gap arises.

    Raises Invalid, Stale, and Conflict when the same `idempotency_key` has rotated, or too many secrets still sign.
    """
    if events.by_idempotency_key(endpoint.organization, idempotency_key):
        raise Conflict(reason="endpoint_form_used")
    _lock(endpoint)
    if not timedelta(0) <= old_secret_lifetime <= MAX_OLD_SECRET_LIFETIME:
        limit = MAX_OLD_SECRET_LIFETIME // timedelta(hours=1)
        raise Invalid({"old_secret_hours": field_error("hours_out_of_range", limit=limit)})
    living, until = endpoint.signing_secrets(now), now + old_secret_lifetime
    if len(living) >= MAX_SECRETS:
        raise Conflict(reason="too_many_secrets")
    ends = {secret: end or until.isoformat() for secret, end in endpoint.secrets.items() if secret in living}
    secret = _new_secret()
    endpoint.secrets = {**ends, secret: ""}
    endpoint.save(update_fields=["sealed_secrets"])
    data = {**_event_data(endpoint), "old_until": until.isoformat()}
    events.record(
        "webhook_endpoint.secret_rotated",
        endpoint.organization,
        by=by,
        now=now,
        data=data,
        idempotency_key=idempotency_key,
    )
    return secret


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def delete(endpoint: WebhookEndpoint, *, by: Actor, now: datetime) -> None:
    """Deletes an endpoint with all its deliveries, those that wait too; raises Stale when it is deleted already."""
    _lock(endpoint)
    data = _event_data(endpoint)
    # In the order in which the worker locks them. An act that is about to commit a delivery holds the endpoint.
    endpoint.deliveries.all().delete()
    list(WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).values_list("pk"))
    endpoint.delete()
    _note_whether_any_is_enabled(endpoint.organization)
    events.record("webhook_endpoint.deleted", endpoint.organization, by=by, now=now, data=data)


def _lock(endpoint: WebhookEndpoint) -> None:
    """Locks the organization, as every act on its endpoints does, and reads the endpoint anew; raises Stale."""
    endpoint.organization.lock()
    try:
        endpoint.refresh_from_db()
    except WebhookEndpoint.DoesNotExist:
        raise Stale(reason="endpoint_deleted") from None


def _store_status(endpoint: WebhookEndpoint, *, reason: str) -> None:
    """Disables for this reason, or enables without one."""
    endpoint.status, endpoint.disabled_reason = "disabled" if reason else "enabled", reason
    endpoint.save(update_fields=["status", "disabled_reason", *_FAILURES])
    _note_whether_any_is_enabled(endpoint.organization)


def _forget_failures(endpoint: WebhookEndpoint) -> None:
    endpoint.failing_since, endpoint.silence_count, endpoint.paused_until = None, 0, None


def _note_whether_any_is_enabled(organization: Organization) -> None:
    organization.has_webhooks = organization.webhook_endpoints.filter(status="enabled").exists()
    organization.save(update_fields=["has_webhooks"])


def _new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def _write(endpoint: WebhookEndpoint, details: EndpointDetails) -> None:
    endpoint.url, endpoint.description = details.url.strip(), details.description.strip()
    chosen = set(details.event_types)
    endpoint.event_types = (
        [EVERY_TYPE] if EVERY_TYPE in chosen else [one for one in EVENT_TYPES if one in chosen]
    )


def _event_data(endpoint: WebhookEndpoint) -> dict[str, object]:
    return {"endpoint": endpoint.pk, "url": endpoint.url}


def _check(details: EndpointDetails) -> None:
    errors: dict[str, FieldError] = {}
    if reason := unusable_url(details.url.strip()):
        params = {"limit": MAX_URL_LENGTH} if reason == "url_too_long" else {}
        errors["url"] = FieldError(reason, params)
    if not details.event_types:
        errors["event_types"] = field_error("event_types_required")
    elif unknown := sorted(set(details.event_types) - {*EVENT_TYPES, EVERY_TYPE}):
        errors["event_types"] = field_error("event_type_unknown", event_type=unknown[0][:60])
    if len(details.description) > MAX_DESCRIPTION_LENGTH:
        errors["description"] = field_error("too_many_characters", limit=MAX_DESCRIPTION_LENGTH)
    if errors:
        raise Invalid(errors)


def unusable_url(url: str) -> str:
    """Returns the code of why no delivery can go to this address; empty when one can.

    A name is looked up at each attempt and not here: it can have another address by then.
    """
    allowed = settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS
    if len(url) > MAX_URL_LENGTH:
        return "url_too_long"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        return "url_unreadable"
    has_more = (parts.fragment, parts.username, parts.password, not url.isprintable(), " " in url)
    if any((not host, parts.scheme not in ("https", "http"), *has_more)):
        return "url_unreadable"
    if parts.scheme == "http" and not allowed:
        return "url_not_encrypted"
    return "url_not_public" if _is_inside(host, allowed) else ""


def _is_inside(host: str, allowed: Sequence[str]) -> bool:
    """Returns whether a host that is an address is one inside a network that is not allowed."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return not is_public(host) and not is_in(host, allowed)
