"""One row per change, written in the same transaction as the change."""

from __future__ import annotations

from typing import ClassVar

from django.db import connection, models
from django.db.models import Q

from partway.accounts.models import Organization

from .customers import Customer
from .fields import OrganizationQuerySet, id_field
from .invoices import Invoice
from .payment_requests import PaymentRequest
from .payments import Payment
from .payouts import Payout
from .quotes import Quote

_TYPES = """
    WITH RECURSIVE types(name) AS (
        SELECT MIN(type) FROM billing_event WHERE organization_id = %s
        UNION ALL
        SELECT (SELECT MIN(type) FROM billing_event WHERE organization_id = %s AND type > name)
        FROM types WHERE name IS NOT NULL
    )
    SELECT name FROM types WHERE name IS NOT NULL
"""


class EventQuerySet(OrganizationQuerySet["Event"]):
    """The vocabulary for events."""

    def types(self, organization: Organization) -> list[str]:
        """Returns the types of all events of an organization, skipping in an index from each to the next."""
        with connection.cursor() as cursor:
            cursor.execute(_TYPES, [organization.pk, organization.pk])
            return [name for (name,) in cursor.fetchall()]


class Event(models.Model):
    """One change: its `type`, the actor who caused it, the rows it is about, and its details as `data`.

    Amounts in `data` are minor units beside their currency; `data` never holds a sentence.
    """

    id = id_field("evt")
    # Without an index of its own: those of the audit log begin with it.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    type = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_label = models.CharField(max_length=160)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="events")
    # Only a draft that was never sent can be deleted. Its events stay, and that of the deletion has its content.
    invoice = models.ForeignKey(Invoice, on_delete=models.SET_NULL, null=True, related_name="events")
    quote = models.ForeignKey(Quote, on_delete=models.SET_NULL, null=True, related_name="events")
    payment_request = models.ForeignKey(
        PaymentRequest, on_delete=models.PROTECT, null=True, related_name="events"
    )
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="events")
    # Of few events, which verify looks up by it.
    payout = models.ForeignKey(
        Payout, on_delete=models.PROTECT, null=True, related_name="events", db_index=False
    )
    data = models.JSONField(default=dict)
    # The one-time key of the form that caused it, so that a double click does a thing once (DESIGN P8).
    idempotency_key = models.CharField(max_length=40, null=True)
    created_at = models.DateTimeField()

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="event_once_per_idempotency_key",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["invoice", "created_at", "id"], name="event_timeline"),
            models.Index(fields=["quote", "created_at", "id"], name="event_quote_timeline"),
            models.Index(fields=["organization", "-created_at", "-id"], name="event_newest"),
            # Filters of the audit log; the few that name former members are found by their type.
            models.Index(fields=["organization", "type", "-created_at", "-id"], name="event_of_type"),
            models.Index(
                fields=["organization", "actor_kind", "actor_id", "-created_at", "-id"], name="event_by_actor"
            ),
            models.Index(fields=["payout"], condition=Q(payout__isnull=False), name="event_of_payout"),
        ]
