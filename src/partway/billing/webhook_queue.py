"""Writes the webhook deliveries of an event, in the transaction of its change (DESIGN D6)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.utils.module_loading import import_string

from partway.accounts.before_commit import before_commit
from partway.accounts.models import Organization
from partway.accounts.prepared import insert

from .models import Event, WebhookDelivery, WebhookEndpoint

log = structlog.get_logger(__name__)

# The types that an endpoint can choose, and the object that a delivery of each shows.
EVENT_TYPES: dict[str, str] = {
    **dict.fromkeys(("customer.created", "customer.changed"), "customer"),
    **dict.fromkeys(
        (
            *("invoice.created", "invoice.edited", "invoice.sent", "invoice.resent", "invoice.opened"),
            *("invoice.deposit_allocated", "invoice.paid", "invoice.reopened", "invoice.voided"),
            *("invoice.written_off", "invoice.settled", "invoice.adjustment_taken_back"),
            *("invoice.payment_refunded", "invoice.payment_restored", "invoice.payment_lost"),
            *("invoice.payment_reinstated", "invoice.parties_corrected"),
            *("credit.applied", "credit.released"),
        ),
        "invoice",
    ),
    **dict.fromkeys(
        (
            *("quote.created", "quote.edited", "quote.sent", "quote.resent", "quote.opened"),
            *("quote.accepted", "quote.declined", "quote.withdrawn", "quote.expired", "quote.invoiced"),
            "quote.reopened",
        ),
        "quote",
    ),
    **dict.fromkeys(
        (
            *("payment_request.sent", "payment_request.resent", "payment_request.opened"),
            *("payment_request.paid", "payment_request.canceled", "payment_request.expired"),
        ),
        "payment_request",
    ),
    **dict.fromkeys(
        (
            *("payment.started", "payment.declined", "payment.processing", "payment.succeeded"),
            *("payment.recorded", "payment.failed", "payment.canceled", "payment.reversed"),
            "payment.fee_booked",
        ),
        "payment",
    ),
    **dict.fromkeys(
        (
            *("refund.started", "refund.reported", "refund.succeeded", "refund.failed"),
            *("refund.reversed", "refund.fee_booked"),
        ),
        "refund",
    ),
    **dict.fromkeys(
        ("dispute.opened", "dispute.updated", "dispute.fee_changed", "dispute.won", "dispute.lost"), "dispute"
    ),
    **dict.fromkeys(("payout.reported", "payout.changed", "payout.paid", "payout.failed"), "payout"),
}
EVERY_TYPE = "*"
# So that many rows stay below the databases' limits of parameters.
_ROWS_AT_ONCE = 500
_HOLD_ENDPOINTS = (
    "SELECT id FROM billing_webhookendpoint WHERE organization_id = ANY(%s) ORDER BY id FOR KEY SHARE"
)


@dataclass(frozen=True, slots=True)
class Told:
    """An event that endpoints may want, and the object that it is about."""

    event: Event
    noun: str
    object_id: str


Payloads = Callable[[Organization, Sequence[Told]], Sequence[str]]


def queue(event: Event, about: Model) -> None:
    """Queues the deliveries of an event for the endpoints that chose its type, when the transaction ends.

    They show the object as the transaction leaves it, and not half-way through the act.
    """
    noun = EVENT_TYPES.get(event.type)
    organization = known_organization(about) if noun else None
    if noun and (organization is None or organization.has_webhooks):
        before_commit(_write, Told(event, noun, about.pk))


def known_organization(row: Model) -> Organization | None:
    """Returns the organization where it was read with this row or with what the row belongs to; reads nothing.

    An organization without endpoints then costs no statement.
    """
    read = row._state.fields_cache
    if found := read.get("organization"):
        organization: Organization = found
        return organization
    owners = filter(None, (read.get(name) for name in ("invoice", "quote", "payment", "customer")))
    return next(filter(None, map(known_organization, owners)), None)


def wants(endpoint: WebhookEndpoint, event: Event) -> bool:
    """Returns whether the event is of the endpoint's organization and of a type that it chose."""
    is_chosen = EVERY_TYPE in endpoint.event_types or event.type in endpoint.event_types
    return is_chosen and endpoint.organization_id == event.organization_id


def _write(told: Sequence[Told]) -> None:
    """Writes the deliveries of these events."""
    ids = {one.event.organization_id for one in told}
    if connection.vendor == "postgresql":
        # It checks foreign keys at the commit: an endpoint that is deleted meanwhile would undo the act. The deletion
        # waits for this lock, other acts do not. SQLite has one writer at a time.
        with connection.cursor() as cursor:
            cursor.execute(_HOLD_ENDPOINTS, [list(ids)])
    rows = WebhookEndpoint.objects.filter(organization__in=ids, status="enabled").select_related(
        "organization"
    )
    endpoints = list(rows.order_by("pk"))
    wanted = [(endpoint, one) for one in told for endpoint in endpoints if wants(endpoint, one.event)]
    heard: defaultdict[Organization, dict[Told, str]] = defaultdict(dict)
    for endpoint, one in wanted:
        heard[endpoint.organization][one] = ""
    for organization, bodies in heard.items():
        bodies.update(zip(bodies, _payloads(organization, list(bodies)), strict=True))
    deliveries = [new_delivery(endpoint, one, heard[endpoint.organization][one]) for endpoint, one in wanted]
    for start in range(0, len(deliveries), _ROWS_AT_ONCE):
        insert(*deliveries[start : start + _ROWS_AT_ONCE])


def new_delivery(endpoint: WebhookEndpoint, told: Told, payload: str) -> WebhookDelivery:
    """Returns the unsaved delivery of an event to an endpoint."""
    return WebhookDelivery(
        organization_id=endpoint.organization_id,
        endpoint=endpoint,
        event=told.event,
        event_type=told.event.type,
        object_id=told.object_id,
        payload=payload,
        created_at=told.event.created_at,
        next_attempt_at=told.event.created_at,
    )


def _payloads(organization: Organization, told: Sequence[Told]) -> Sequence[str]:
    """Returns the body of each delivery."""
    try:
        with transaction.atomic():
            write: Payloads = import_string(settings.PARTWAY_WEBHOOK_PAYLOADS)
            return write(organization, told)
    except Exception:
        # A payment must be booked although its webhook cannot be written. A program that gets no object reads it.
        log.exception("webhook_payload_failed", organization=organization.pk)
        return [
            json.dumps({"type": one.event.type, "event": one.event.pk, "object": one.noun, "data": None})
            for one in told
        ]
