"""The bodies of webhooks: an event with its object as a call returns it (settings.PARTWAY_WEBHOOK_PAYLOADS)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from partway.accounts.models import ApiKey, KeyScope, Organization
from partway.billing import models
from partway.billing.webhook_queue import Told

from . import customers, payouts, quotes
from .access import Caller
from .objects import Invoice, PaymentRequest, invoice_rows, request_rows, shown_invoice, shown_request
from .payment_objects import (
    Dispute,
    Payment,
    Refund,
    payment_rows,
    shown_dispute,
    shown_payment,
    shown_refund,
)


class Webhook(BaseModel):
    """The body of a webhook: an event, and the object that it is about as it was then.

    event: the id of the event, as `GET /events` lists it. actor: member, key, customer, gateway, clock or operator.
    object: which kind of object `data` is. It is the object as a key of the scope read gets it, without links.
    """

    type: str = Field(examples=["invoice.paid"])
    timestamp: datetime
    event: str
    actor: str
    actor_id: str
    object: str = Field(examples=["invoice"])
    data: dict[str, Any] | None


# Each kind of object: its schema, its rows, and how a row is shown.
OBJECTS: dict[str, tuple[type[BaseModel], Callable[[], Any], Callable[[Caller, Any], BaseModel]]] = {
    "customer": (customers.Customer, models.Customer.objects.all, lambda _, row: customers.shown(row)),
    "invoice": (Invoice, invoice_rows, shown_invoice),
    "quote": (quotes.Quote, quotes.rows, quotes.shown),
    "payment_request": (PaymentRequest, request_rows, shown_request),
    "payment": (Payment, payment_rows, shown_payment),
    "refund": (Refund, models.Refund.objects.all, lambda _, row: shown_refund(row)),
    "dispute": (Dispute, models.Dispute.objects.all, lambda _, row: shown_dispute(row)),
    "payout": (
        payouts.Payout,
        lambda: models.Payout.objects.select_related("gateway_account"),
        lambda _, row: payouts.Payout(**payouts.payout_fields(row)),
    ),
}


def payloads(organization: Organization, told: Sequence[Told]) -> list[str]:
    """Returns the JSON of each, with the objects as they are stored now."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for one in told:
        ids[one.noun].add(one.object_id)
    # As a key that reads, so that no link and no blind copy is stored with a delivery (DESIGN R8).
    key = ApiKey(organization=organization, scope=KeyScope.READ)
    objects: dict[tuple[str, str], BaseModel] = {}
    for noun, of_noun in ids.items():
        _schema, rows, shown = OBJECTS[noun]
        caller = Caller(key, max(one.event.created_at for one in told))
        objects |= {(noun, row.pk): shown(caller, row) for row in rows().filter(pk__in=of_noun)}
    return [
        Webhook(
            type=one.event.type,
            timestamp=one.event.created_at,
            event=one.event.pk,
            actor=one.event.actor_kind,
            actor_id=one.event.actor_id,
            object=one.noun,
            data=shown_object.model_dump(mode="json", by_alias=True) if shown_object else None,
        ).model_dump_json()
        for one in told
        for shown_object in [objects.get((one.noun, one.object_id))]
    ]
