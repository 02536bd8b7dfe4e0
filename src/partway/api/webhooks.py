"""Webhook endpoints: where a program hears of events, what was delivered there, and sending it again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from ninja import Body, Query, Router
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, WithJsonSchema

from partway.accounts.permissions import Permission
from partway.billing import events, models
from partway.billing.errors import Conflict
from partway.billing.models.webhooks import DeliveryStatus, DisabledReason, EndpointStatus
from partway.billing.people import webhook_deliveries, webhook_endpoints
from partway.billing.people.webhook_endpoints import MAX_OLD_SECRET_LIFETIME, EndpointDetails
from partway.billing.webhook_queue import EVENT_TYPES, EVERY_TYPE

from . import lists
from .access import Caller, KeyRequest, call, get_own_or_404
from .schemas import Filters, Id, Input, Page, Time, shown_as

router = Router(tags=["Webhook endpoints"])

EventType = Annotated[
    str,
    WithJsonSchema({"type": "string", "enum": [EVERY_TYPE, *EVENT_TYPES], "description": "* is every type."}),
]


class WebhookEndpoint(BaseModel):
    """An address that is called with the events of the types it chose.

    disabled_reason: by_member, failing (for days, without a success) or gone (it answered 410); null while it is
    enabled. failing_since: since when every attempt has failed, null when the last one was delivered.
    """

    id: str
    url: str
    description: str
    event_types: list[EventType]
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    created_at: datetime


class WebhookEndpointWithSecret(WebhookEndpoint):
    """An endpoint with its newest secret, which is shown this one time."""

    secret: str


class WebhookEndpointList(Page[WebhookEndpoint]):
    """A page of endpoints, the newest first."""


class NewWebhookEndpoint(Input):
    """An endpoint to create."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://jobs.example.com/partway", "event_types": ["invoice.paid", "payment.failed"]}
            ]
        }
    )

    url: str
    event_types: list[EventType]
    description: str = ""


class WebhookEndpointChanges(Input):
    """The fields of an endpoint to change; those left out stay as they are."""

    model_config = shown_as(event_types=["invoice.paid", "payment_request.paid"])

    url: str | None = None
    event_types: list[EventType] | None = None
    description: str | None = None
    status: EndpointStatus | None = None


class SecretRotation(Input):
    """How many hours the old secret goes on signing beside the new one."""

    model_config = shown_as(old_secret_hours=48)

    old_secret_hours: Annotated[
        StrictInt, Field(ge=0, le=MAX_OLD_SECRET_LIFETIME // timedelta(hours=1), description="By default 24.")
    ] = 24


class WebhookDelivery(BaseModel):
    """An event for an endpoint; its id is the header `webhook-id` of every attempt.

    event: its id, as `GET /events` lists it. object: the id of what it is about. next_attempt_at: null when no attempt
    follows.
    """

    id: str
    endpoint: str
    event: str
    event_type: str
    object: str
    status: DeliveryStatus
    attempt_count: int
    next_attempt_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class WebhookAttempt(BaseModel):
    """One attempt: the headers that were sent, and the beginning of the response, or why there was none.

    error: empty when it was delivered, else status, redirect, timeout, unreachable, unknown_host, tls, not_encrypted,
    address_refused, secret_unreadable or unknown.
    """

    number: int
    attempted_at: datetime
    duration_ms: int
    url: str
    request_headers: dict[str, str]
    response_status: int | None
    response_body: str
    error: str
    error_message: str


class WebhookDeliveryWithAttempts(WebhookDelivery):
    """A delivery with its body and every attempt."""

    payload: dict[str, Any]
    attempts: list[WebhookAttempt]


class WebhookDeliveryList(Page[WebhookDelivery]):
    """A page of deliveries, the newest first."""


class WebhookDeliveryFilters(Filters):
    """Which deliveries to list."""

    status: DeliveryStatus | None = None
    type: Annotated[str, Field(max_length=60, description="As invoice.paid.")] = ""
    created_from: Time | None = None
    created_until: Time | None = None


class RetryRange(Input):
    """The time of the events whose deliveries are sent again: those that failed, or all that ended."""

    model_config = shown_as(created_from="2026-11-29T00:00:00Z", created_until="2026-11-30T00:00:00Z")

    created_from: Time
    created_until: Time
    include_delivered: StrictBool = False


class RetriedDeliveries(BaseModel):
    """How many deliveries are sent again."""

    count: int


NOTHING, ROTATION = Input(), SecretRotation()


def shown(row: models.WebhookEndpoint) -> WebhookEndpoint:
    """Returns an endpoint as calls return it."""
    return WebhookEndpoint(**_fields(row))


def _fields(row: models.WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": row.url,
        "description": row.description,
        "event_types": row.event_types,
        "status": EndpointStatus(row.status),
        "disabled_reason": DisabledReason(row.disabled_reason) if row.disabled_reason else None,
        "failing_since": row.failing_since,
        "created_at": row.created_at,
    }


def shown_delivery(row: models.WebhookDelivery) -> WebhookDelivery:
    """Returns a delivery as calls return it."""
    return WebhookDelivery(**_delivery_fields(row))


def _delivery_fields(row: models.WebhookDelivery) -> dict[str, Any]:
    return {
        "id": row.pk,
        "endpoint": row.endpoint_id,
        "event": row.event_id,
        "event_type": row.event_type,
        "object": row.object_id,
        "status": DeliveryStatus(row.status),
        "attempt_count": row.attempt_count,
        "next_attempt_at": row.next_attempt_at if row.status == DeliveryStatus.PENDING else None,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def _get(caller: Caller, endpoint_id: str) -> models.WebhookEndpoint:
    return get_own_or_404(caller, models.WebhookEndpoint.objects.select_related("organization"), endpoint_id)


def _get_delivery(caller: Caller, endpoint_id: str, delivery_id: str) -> models.WebhookDelivery:
    rows = models.WebhookDelivery.objects.filter(endpoint=_get(caller, endpoint_id))
    return get_own_or_404(caller, rows.select_related("endpoint__organization"), delivery_id)


@call(router, "GET", "", permission=Permission.MANAGE_WEBHOOKS, returns=WebhookEndpointList)
def index(request: KeyRequest, filters: Query[Filters]) -> WebhookEndpointList:
    """Lists webhook endpoints, the newest first."""
    rows = models.WebhookEndpoint.objects.for_organization(request.caller.organization)
    return lists.page(WebhookEndpointList, rows, filters, shown)


@call(
    router,
    "POST",
    "",
    permission=Permission.MANAGE_WEBHOOKS,
    returns=WebhookEndpointWithSecret,
    status=201,
)
def create(request: KeyRequest, body: NewWebhookEndpoint) -> WebhookEndpointWithSecret:
    """Creates a webhook endpoint; its answer has the secret by which the program verifies what it gets."""
    caller = request.caller
    try:
        row, secret = webhook_endpoints.create(
            caller.organization,
            details=EndpointDetails(**body.model_dump()),
            by=caller.actor,
            now=caller.now,
            idempotency_key=caller.one_time_key,
        )
    except Conflict as error:
        return _made_before(caller, error)
    return WebhookEndpointWithSecret(**_fields(row), secret=secret)


@call(router, "GET", "/{endpoint_id}", permission=Permission.MANAGE_WEBHOOKS, returns=WebhookEndpoint)
def show(request: KeyRequest, endpoint_id: Id) -> WebhookEndpoint:
    """Reads a webhook endpoint."""
    return shown(_get(request.caller, endpoint_id))


@call(router, "PATCH", "/{endpoint_id}", permission=Permission.MANAGE_WEBHOOKS, returns=WebhookEndpoint)
def change(request: KeyRequest, endpoint_id: Id, body: WebhookEndpointChanges) -> WebhookEndpoint:
    """Changes a webhook endpoint, or enables or disables it.

    Deliveries that wait go on waiting while it is disabled; what happens meanwhile it does not hear of.
    """
    caller = request.caller
    row = _get(caller, endpoint_id)
    stored = {"url": row.url, "event_types": row.event_types, "description": row.description}
    sent = body.model_dump(exclude_none=True)
    status = sent.pop("status", None)
    if sent:
        details = EndpointDetails(**{**stored, **sent})
        webhook_endpoints.change(row, details=details, by=caller.actor, now=caller.now)
    if status:
        is_on = status == EndpointStatus.ENABLED
        webhook_endpoints.set_enabled(row, on=is_on, by=caller.actor, now=caller.now)
    return shown(row)


@call(router, "DELETE", "/{endpoint_id}", permission=Permission.MANAGE_WEBHOOKS, returns=None, status=204)
def delete(request: KeyRequest, endpoint_id: Id) -> None:
    """Deletes a webhook endpoint with all its deliveries, those that wait too."""
    caller = request.caller
    webhook_endpoints.delete(_get(caller, endpoint_id), by=caller.actor, now=caller.now)


@call(
    router,
    "POST",
    "/{endpoint_id}/rotate_secret",
    permission=Permission.MANAGE_WEBHOOKS,
    returns=WebhookEndpointWithSecret,
)
def rotate_secret(
    request: KeyRequest, endpoint_id: Id, body: Body[SecretRotation] = ROTATION
) -> WebhookEndpointWithSecret:
    """Makes a new secret; what is sent is signed by the old one too until that ends, so that no gap arises."""
    caller = request.caller
    row = _get(caller, endpoint_id)
    try:
        secret = webhook_endpoints.rotate_secret(
            row,
            by=caller.actor,
            now=caller.now,
            old_secret_lifetime=timedelta(hours=body.old_secret_hours),
            idempotency_key=caller.one_time_key,
        )
    except Conflict as error:
        return _made_before(caller, error)
    return WebhookEndpointWithSecret(**_fields(row), secret=secret)


def _made_before(caller: Caller, error: Conflict) -> WebhookEndpointWithSecret:
    """Returns the endpoint with the secret that this call made before its process was killed; else raises the error."""
    event = events.caused_by(caller.organization.pk, caller.one_time_key)
    if error.reason != "endpoint_form_used" or event is None:
        raise error
    row = _get(caller, event.data["endpoint"])
    return WebhookEndpointWithSecret(**_fields(row), secret=row.signing_secrets(caller.now)[0])


@call(
    router,
    "POST",
    "/{endpoint_id}/test",
    permission=Permission.MANAGE_WEBHOOKS,
    returns=WebhookDelivery,
)
def send_test(request: KeyRequest, endpoint_id: Id, body: Body[Input] = NOTHING) -> WebhookDelivery:
    """Sends an event of the type webhook_endpoint.tested, whatever types were chosen."""
    caller = request.caller
    return shown_delivery(
        webhook_deliveries.send_test(
            _get(caller, endpoint_id),
            by=caller.actor,
            now=caller.now,
            idempotency_key=caller.one_time_key,
        )
    )


@call(
    router,
    "GET",
    "/{endpoint_id}/deliveries",
    permission=Permission.MANAGE_WEBHOOKS,
    returns=WebhookDeliveryList,
)
def list_deliveries(
    request: KeyRequest, endpoint_id: Id, filters: Query[WebhookDeliveryFilters]
) -> WebhookDeliveryList:
    """Lists the deliveries of an endpoint; those that ended are kept for some weeks."""
    columns = {
        "status": filters.status,
        "event_type": filters.type or None,
        "created_at__gte": filters.created_from,
        "created_at__lte": filters.created_until,
    }
    rows = lists.narrowed(_get(request.caller, endpoint_id).deliveries.all(), columns)
    return lists.page(WebhookDeliveryList, rows, filters, shown_delivery)


@call(
    router,
    "GET",
    "/{endpoint_id}/deliveries/{delivery_id}",
    permission=Permission.MANAGE_WEBHOOKS,
    returns=WebhookDeliveryWithAttempts,
)
def show_delivery(request: KeyRequest, endpoint_id: Id, delivery_id: Id) -> WebhookDeliveryWithAttempts:
    """Reads a delivery with its body and every attempt."""
    row = _get_delivery(request.caller, endpoint_id, delivery_id)
    attempts = [
        WebhookAttempt(
            number=one.number,
            attempted_at=one.attempted_at,
            duration_ms=one.duration_ms,
            url=one.url,
            request_headers=one.request_headers,
            response_status=one.response_status,
            response_body=one.response_body,
            error=one.error_code,
            error_message=one.error_message,
        )
        for one in row.attempts.order_by("number")
    ]
    return WebhookDeliveryWithAttempts(**_delivery_fields(row), payload=row.body(), attempts=attempts)


@call(
    router,
    "POST",
    "/{endpoint_id}/retry_deliveries",
    permission=Permission.MANAGE_WEBHOOKS,
    returns=RetriedDeliveries,
)
def retry_range(request: KeyRequest, endpoint_id: Id, body: RetryRange) -> RetriedDeliveries:
    """Sends again what failed of the events of a time, in their order and under the same ids."""
    caller = request.caller
    count = webhook_deliveries.retry_range(
        _get(caller, endpoint_id),
        since=body.created_from,
        until=body.created_until,
        include_delivered=body.include_delivered,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return RetriedDeliveries(count=count)


@call(
    router,
    "POST",
    "/{endpoint_id}/deliveries/{delivery_id}/retry",
    permission=Permission.MANAGE_WEBHOOKS,
    returns=WebhookDelivery,
)
def retry(
    request: KeyRequest, endpoint_id: Id, delivery_id: Id, body: Body[Input] = NOTHING
) -> WebhookDelivery:
    """Sends a delivery again under the same id, also one that was delivered."""
    caller = request.caller
    webhook_deliveries.retry(
        _get_delivery(caller, endpoint_id, delivery_id),
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return shown_delivery(_get_delivery(caller, endpoint_id, delivery_id))
