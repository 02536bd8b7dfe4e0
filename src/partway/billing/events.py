"""Writes the event of a change, in the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from partway.accounts.models import ApiKey, Member, Organization
from partway.accounts.prepared import insert

from . import webhook_queue
from .models import Customer, Dispute, Event, Invoice, Payment, PaymentRequest, Payout, Quote, Refund

Subject = Invoice | Quote | PaymentRequest | Payment | Refund | Dispute | Payout | Customer | Organization


@dataclass(frozen=True, slots=True)
class Actor:
    """The cause of a change: `kind` is member, key, customer, gateway, clock, operator or visitor."""

    kind: str
    id: str
    label: str


CLOCK = Actor("clock", "", "Partway")
OPERATOR = Actor("operator", "", "The operator")
# Of a wrong password: the member may have typed it, or another person.
VISITOR = Actor("visitor", "", "A visitor")


def member_actor(member: Member) -> Actor:
    """Returns the actor for a member in the browser."""
    return Actor("member", member.pk, member.user.name)


def key_actor(key: ApiKey) -> Actor:
    """Returns the actor for a program that acts by this key."""
    return Actor("key", key.pk, key.name)


def customer_actor(customer: Customer) -> Actor:
    """Returns the actor for the holder of a link that was sent to this customer."""
    return Actor("customer", customer.pk, customer.name)


def gateway_actor(code: str) -> Actor:
    """Returns the actor for a gateway that reported a change; `code` is its name in the registry."""
    return Actor("gateway", code, code.capitalize())


class OutsideTransaction(RuntimeError):
    """An event was recorded outside the transaction of its change."""


def record(
    event_type: str,
    about: Subject,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> Event:
    """Writes and returns the event; amounts in `data` are minor units beside their currency.

    idempotency_key: the one-time key of the form that caused it; the database accepts each only once (DESIGN P8).
    Raises OutsideTransaction when no transaction is open.
    """
    if not transaction.get_connection().in_atomic_block:
        raise OutsideTransaction(f"{event_type} must be recorded in the transaction of its change")
    event = Event(
        type=event_type,
        organization_id=about.pk if isinstance(about, Organization) else about.organization_id,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label,
        data=data or {},
        idempotency_key=idempotency_key,
        created_at=now,
        **_subject_ids(about),
    )
    insert(event)
    webhook_queue.queue(event, about)
    return event


def by_idempotency_key(organization: Organization, key: str | None) -> Event | None:
    """Returns the event that the form with this one-time key caused, None for the first time (DESIGN P8).

    For forms that make a row or send a mail. Locks the organization, so that a double click waits until the first has
    committed: the row that it makes cannot be locked yet.
    """
    if not key:
        return None
    organization.lock()
    return caused_by(organization.pk, key)


def caused_by(organization_id: str, key: str | None) -> Event | None:
    """Returns the event that the form or the call with this one-time key caused, None for the first time (DESIGN P8).

    For acts on a row that exists: the caller has locked it, so that the second of two waits and finds the event.
    """
    if not key:
        return None
    found = Event.objects.filter(organization=organization_id, idempotency_key=key)
    return found.select_related("invoice", "quote", "customer").first()


def _subject_ids(about: Subject) -> dict[str, str | None]:
    match about:
        case Payment():
            return {
                "payment_id": about.pk,
                "payment_request_id": about.payment_request_id,
                "invoice_id": about.invoice_id,
                "quote_id": about.quote_id,
            }
        case Refund() | Dispute():
            return _subject_ids(about.payment)
        case PaymentRequest():
            return {"payment_request_id": about.pk, "invoice_id": about.invoice_id}
        case Invoice():
            return {"invoice_id": about.pk, "customer_id": about.customer_id}
        case Quote():
            return {"quote_id": about.pk, "customer_id": about.customer_id}
        case Customer():
            return {"customer_id": about.pk}
        case Payout():
            return {"payout_id": about.pk}
        case Organization():
            return {}
