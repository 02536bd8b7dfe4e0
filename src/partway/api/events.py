"""Events: everything that happened."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q
from ninja import Query, Router
from pydantic import BaseModel, Field

from partway.accounts.permissions import Permission
from partway.billing import models
from partway.billing.models.fields import OrganizationQuerySet

from . import lists
from .access import KeyRequest, call, get_own_or_404
from .schemas import Filters, Id, Page, Time

router = Router(tags=["Events"])


class Event(BaseModel):
    """One change: its type, who caused it, the objects that it is about, and its details.

    actor: member, key, customer, gateway, clock, operator or visitor. data: amounts are in minor units.
    """

    id: str
    type: str
    actor: str
    actor_id: str
    actor_label: str
    customer: str | None
    invoice: str | None
    quote: str | None
    payment_request: str | None
    payment: str | None
    payout: str | None
    data: dict[str, Any]
    created_at: datetime


class EventList(Page[Event]):
    """A page of events, the newest first."""


class EventFilters(Filters):
    """Which events to list."""

    type: Annotated[str, Field(max_length=60, description="As payment_request.sent.")] = ""
    customer: Id | None = None
    invoice: Id | None = None
    quote: Id | None = None
    payment_request: Id | None = None
    payment: Id | None = None
    created_from: Time | None = None
    created_until: Time | None = None


# Without them an event is about members, keys or settings, which the audit log shows to owners alone.
_OF_DOCUMENTS = (
    Q(customer__isnull=False)
    | Q(invoice__isnull=False)
    | Q(quote__isnull=False)
    | Q(payment_request__isnull=False)
    | Q(payment__isnull=False)
    | Q(payout__isnull=False)
)


@call(router, "GET", "/events", permission=Permission.VIEW_INVOICES, returns=EventList)
def index(request: KeyRequest, filters: Query[EventFilters]) -> EventList:
    """Lists what happened to customers, documents and money, the newest first.

    With a key of the scope admin, members, keys and settings too.
    """
    caller = request.caller
    rows = models.Event.objects.for_organization(caller.organization)
    if Permission.VIEW_AUDIT_LOG not in caller.permissions:
        rows = rows.filter(_OF_DOCUMENTS)
    columns: dict[str, Any] = {
        "type": filters.type or None,
        "created_at__gte": filters.created_from,
        "created_at__lte": filters.created_until,
    }
    rows_of: dict[str, OrganizationQuerySet[Any]] = {
        "customer": models.Customer.objects.all(),
        "invoice": models.Invoice.objects.all(),
        "quote": models.Quote.objects.all(),
        "payment_request": models.PaymentRequest.objects.all(),
        "payment": models.Payment.objects.all(),
    }
    for noun, of_noun in rows_of.items():
        if row_id := getattr(filters, noun):
            columns[noun] = get_own_or_404(caller, of_noun, row_id)
    return lists.page(EventList, lists.narrowed(rows, columns), filters, shown)


def shown(row: models.Event) -> Event:
    """Returns an event as calls return it."""
    return Event(
        id=row.pk,
        type=row.type,
        actor=row.actor_kind,
        actor_id=row.actor_id,
        actor_label=row.actor_label,
        customer=row.customer_id,
        invoice=row.invoice_id,
        quote=row.quote_id,
        payment_request=row.payment_request_id,
        payment=row.payment_id,
        payout=row.payout_id,
        data=row.data,
        created_at=row.created_at,
    )
