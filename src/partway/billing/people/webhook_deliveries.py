"""Retries deliveries by hand, makes test deliveries, books what each attempt came to, and deletes old ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from partway.accounts.permissions import Permission, needs

from .. import events
from ..claims import ClaimableRows, back_off
from ..errors import Conflict, Invalid, Stale, field_error
from ..events import Actor
from ..models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from ..webhook_queue import Told, new_delivery
from . import webhook_endpoints

PENDING = ClaimableRows(
    WebhookDelivery.objects.filter(status="pending"), due_at="next_attempt_at", count="attempt_count"
)
# The wait after each failed attempt: a little more than three days in all, then the delivery has failed.
BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=30),
)
# After each attempt in a row without a response, the whole endpoint rests; longer only where it asks for it.
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_WISH = timedelta(seconds=5), timedelta(minutes=5), timedelta(hours=1)
# Of one call or form, in one transaction.
MAX_RETRIED = 5_000
TEST_EVENT = "webhook_endpoint.tested"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an attempt; an empty `error_code` means that it was delivered.

    is_silent: the endpoint as a whole did not respond, so that others of its deliveries would fare no better.
    """

    status: int | None = None
    body: str = ""
    error_code: str = ""
    error_message: str = ""
    is_silent: bool = False
    retry_after: timedelta | None = None
    request_headers: dict[str, str] = field(default_factory=dict)
    duration: timedelta = timedelta(0)


def record_attempt(delivery: WebhookDelivery, outcome: Outcome, *, now: datetime) -> None:
    """Writes the attempt of a claimed delivery, and disables an endpoint that is gone or fails for days."""
    endpoint = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id)
    claimed = PENDING.unchanged(delivery)
    with transaction.atomic():
        if not WebhookDelivery.objects.select_for_update().filter(pk=delivery.pk).exists():
            return  # deleted with its endpoint
        WebhookAttempt.objects.create(
            delivery=delivery,
            number=delivery.attempt_count,
            attempted_at=now,
            duration_ms=outcome.duration // timedelta(milliseconds=1),
            url=delivery.endpoint.url,
            request_headers=outcome.request_headers,
            response_status=outcome.status,
            response_body=outcome.body,
            error_code=outcome.error_code,
            error_message=outcome.error_message,
        )
        if not outcome.error_code:
            claimed.update(status="delivered", ended_at=now)
            endpoint.exclude(failing_since=None, silence_count=0).update(
                failing_since=None, silence_count=0, paused_until=None
            )
            return
        attempts = delivery.attempt_count - delivery.earlier_attempts
        if attempts <= len(BACK_OFF):
            claimed.update(next_attempt_at=now + BACK_OFF[attempts - 1])
        else:
            claimed.update(status="failed", ended_at=now)
        endpoint.filter(failing_since=None).update(failing_since=now)
        if outcome.is_silent:
            silences = delivery.endpoint.silence_count
            pause = back_off(silences, first=FIRST_PAUSE, longest=LONGEST_PAUSE)
            pause = max(pause, min(outcome.retry_after or pause, LONGEST_WISH))
            endpoint.update(silence_count=silences + 1, paused_until=now + pause)
    # In a transaction of its own, which locks the organization first, as all acts on endpoints do.
    if outcome.status == 410:
        webhook_endpoints.disable_failing(delivery.endpoint, reason="gone", now=now)
    elif endpoint.filter(
        failing_since__lte=now - webhook_endpoints.DISABLED_AFTER, status="enabled"
    ).exists():
        webhook_endpoints.disable_failing(delivery.endpoint, reason="failing", now=now)


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def send_test(
    endpoint: WebhookEndpoint, *, by: Actor, now: datetime, idempotency_key: str | None = None
) -> WebhookDelivery:
    """Queues and returns a delivery that says nothing but that it is a test, whatever types were chosen.

    Once for each `idempotency_key` (P8). Raises Conflict while the endpoint is disabled.
    """
    if earlier := events.by_idempotency_key(endpoint.organization, idempotency_key):
        return WebhookDelivery.objects.get(event=earlier, endpoint=endpoint)
    if endpoint.status == "disabled":
        raise Conflict(reason="endpoint_disabled")
    event = events.record(
        TEST_EVENT,
        endpoint.organization,
        by=by,
        now=now,
        data={"endpoint": endpoint.pk, "url": endpoint.url},
        idempotency_key=idempotency_key,
    )
    said = {
        "type": event.type,
        "timestamp": now.isoformat().replace("+00:00", "Z"),
        "event": event.pk,
        "actor": by.kind,
        "actor_id": by.id,
        "object": "webhook_endpoint",
        "data": {
            "id": endpoint.pk,
            "url": endpoint.url,
            "description": endpoint.description,
            "event_types": endpoint.event_types,
            "status": endpoint.status,
        },
    }
    delivery = new_delivery(endpoint, Told(event, "webhook_endpoint", endpoint.pk), json.dumps(said))
    delivery.save(force_insert=True)
    return delivery


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def retry(delivery: WebhookDelivery, *, by: Actor, now: datetime, idempotency_key: str | None = None) -> None:
    """Sends a delivery again, now and by the whole schedule, under the same id; one that was delivered too.

    Raises Conflict while the endpoint is disabled, Stale when it was deleted.
    """
    if not events.by_idempotency_key(delivery.endpoint.organization, idempotency_key):
        _retry(delivery.endpoint, [delivery.pk], by=by, now=now, idempotency_key=idempotency_key)


@needs(Permission.MANAGE_WEBHOOKS)
@transaction.atomic
def retry_range(
    endpoint: WebhookEndpoint,
    *,
    since: datetime,
    until: datetime,
    include_delivered: bool = False,
    by: Actor,
    now: datetime,
    idempotency_key: str | None = None,
) -> int:
    """Sends again what failed of the events from `since` to `until`, in their order; returns how many deliveries.

    include_delivered: those that were delivered too, as for a program that lost what it had. The same
    `idempotency_key` again returns the number of the first time (P8). Raises Invalid, also for more than MAX_RETRIED,
    and Conflict.
    """
    if earlier := events.by_idempotency_key(endpoint.organization, idempotency_key):
        return int(earlier.data["deliveries"])
    if until < since:
        raise Invalid({"created_until": field_error("range_reversed")})
    statuses = ("failed", "delivered") if include_delivered else ("failed",)
    found = endpoint.deliveries.filter(created_at__gte=since, created_at__lte=until, status__in=statuses)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[: MAX_RETRIED + 1])
    if len(ids) > MAX_RETRIED:
        raise Invalid({"created_until": field_error("range_too_large", limit=MAX_RETRIED)})
    _retry(endpoint, ids, by=by, now=now, idempotency_key=idempotency_key)
    return len(ids)


def _retry(
    endpoint: WebhookEndpoint, ids: Sequence[str], *, by: Actor, now: datetime, idempotency_key: str | None
) -> None:
    if endpoint.status == "disabled":
        raise Conflict(reason="endpoint_disabled")
    rows = WebhookDelivery.objects.filter(endpoint=endpoint)
    count = 0
    for start in range(0, len(ids), 500):
        # A worker that sends it at this moment has claimed it by its count, which stays: it books what comes of that.
        count += rows.filter(pk__in=ids[start : start + 500]).update(
            status="pending", ended_at=None, next_attempt_at=now, earlier_attempts=F("attempt_count")
        )
    if ids and not count:
        raise Stale(reason="endpoint_deleted")
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(paused_until=None)
    events.record(
        "webhook_endpoint.deliveries_retried",
        endpoint.organization,
        by=by,
        now=now,
        data={"endpoint": endpoint.pk, "url": endpoint.url, "deliveries": count},
        idempotency_key=idempotency_key,
    )


def delete_old(*, now: datetime, limit: int = 500) -> int:
    """Deletes deliveries that ended long ago, with their attempts, at most `limit`; returns how many."""
    oldest = now - timedelta(days=settings.PARTWAY_WEBHOOK_RETENTION_DAYS)
    old = WebhookDelivery.objects.filter(Q(ended_at__isnull=False), ended_at__lte=oldest).order_by("ended_at")
    with transaction.atomic():
        # Locked, so that one which a member sends again at this moment is pending first, or gone.
        ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        WebhookDelivery.objects.filter(pk__in=ids).delete()
    return len(ids)
