"""The bodies of webhooks: an event with its object as a call returns it (settings.PARTWAY_WEBHOOK_PAYLOADS)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from partway.accounts.models import ApiKey, KeyScope, Organization
from partway.billing import models
from partway.billing.webhook_queue import EVENT_TYPES, Told

from . import payouts, quotes
from .access import Caller
from .objects import (
    Customer,
    Invoice,
    PaymentRequest,
    invoice_rows,
    request_rows,
    shown_customer,
    shown_invoice,
    shown_request,
)
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
    "customer": (Customer, models.Customer.objects.all, lambda _, row: shown_customer(row)),
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


def openapi_webhooks(reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what the OpenAPI document says of webhooks, by kind of object, and the schema of their body.

    reference: that of a schema of the document, as "#/components/schemas/{model}".
    """
    found = {}
    for noun, (schema, _rows, _shown) in OBJECTS.items():
        types = [event_type for event_type, of_noun in EVENT_TYPES.items() if of_noun == noun]
        narrowed = {
            "type": {"type": "string", "enum": types},
            "object": {"type": "string", "const": noun},
            "data": {"anyOf": [{"$ref": reference.format(model=schema.__name__)}, {"type": "null"}]},
        }
        body = {"allOf": [{"$ref": reference.format(model="Webhook")}, {"properties": narrowed}]}
        found[noun] = {
            "post": {
                "operationId": f"webhook_{noun}",
                "summary": f"Something happened to a {noun.replace('_', ' ')}",
                "description": "Verify it by the headers of Standard Webhooks, and answer within 15 seconds.",
                "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                "responses": {"2XX": {"description": "The program has it; anything else is tried again."}},
            }
        }
    return found, {"Webhook": Webhook.model_json_schema(ref_template=reference)}


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
            data=shown_object.model_dump(mode="json", by_alias=True, exclude={"expanded"})
            if shown_object
            else None,
        ).model_dump_json()
        for one in told
        for shown_object in [objects.get((one.noun, one.object_id))]
    ]
