"""Customers: list, read, add and change."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from ninja import Query, Router
from pydantic import ConfigDict, Field

from partway.accounts.permissions import Permission
from partway.billing import models
from partway.billing.people import customers
from partway.billing.people.customers import CustomerDetails

from . import lists
from .access import KeyRequest, call, get_customer
from .objects import Customer, shown_customer
from .schemas import (
    ExternalInput,
    Filters,
    Id,
    Page,
    ReferenceFilter,
    SearchText,
    Time,
    shown_as,
)

router = Router(tags=["Customers"])


class CustomerList(Page[Customer]):
    """A page of customers, the newest first."""


class CustomerFilters(Filters):
    """Which customers to list."""

    external_reference: ReferenceFilter | None = None
    search: Annotated[SearchText, Field(description="Words of the name or the mail address.")] = ""
    updated_since: Annotated[
        Time | None, Field(description="Those that were added or changed then or later.")
    ] = None


class NewCustomer(ExternalInput):
    """A customer to add."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Dana Whitfield", "email": "dana@example.com"}]}
    )

    name: str
    email: str
    phone: str = ""
    address: str = ""


class CustomerChanges(ExternalInput):
    """The fields of a customer to change; those left out stay as they are."""

    model_config = shown_as(phone="555 0142", metadata={"route": "north"})

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None


@call(router, "GET", "", permission=Permission.VIEW_CUSTOMERS, returns=CustomerList)
def index(request: KeyRequest, filters: Query[CustomerFilters]) -> CustomerList:
    """Lists customers, the newest first."""
    organization = request.caller.organization
    rows = lists.searched(models.Customer.objects.all(), filters.search, organization)
    rows = lists.narrowed(rows, {"external_reference": filters.external_reference})
    if filters.updated_since:
        types = ("customer.created", "customer.changed", "customer.external_fields_changed")
        rows = lists.changed_since(rows, "customer", organization, filters.updated_since, types=types)
    return lists.page(CustomerList, rows, filters, shown_customer)


@call(router, "POST", "", permission=Permission.EDIT_CUSTOMERS, returns=Customer, status=201)
def create(request: KeyRequest, body: NewCustomer) -> Customer:
    """Adds a customer."""
    caller = request.caller
    details = CustomerDetails(body.name, body.email, body.phone, body.address)
    made = customers.create(
        caller.organization,
        details=details,
        by=caller.actor,
        now=caller.now,
        external=body.external,
        idempotency_key=caller.one_time_key,
    )
    return shown_customer(made)


@call(router, "GET", "/{customer_id}", permission=Permission.VIEW_CUSTOMERS, returns=Customer)
def show(request: KeyRequest, customer_id: Id) -> Customer:
    """Reads a customer."""
    return shown_customer(get_customer(request.caller, customer_id))


@call(router, "PATCH", "/{customer_id}", permission=Permission.EDIT_CUSTOMERS, returns=Customer)
def change(request: KeyRequest, customer_id: Id, body: CustomerChanges) -> Customer:
    """Changes a customer; documents that were sent keep the customer as they show them."""
    row = get_customer(request.caller, customer_id)
    stored = CustomerDetails(row.name, row.email, row.phone, row.address)
    changes = body.model_dump(exclude_none=True, exclude={"external_reference", "metadata"})
    # A field that was left out keeps what another member or program has written since it was read.
    changed = customers.change(
        row,
        details=replace(stored, **changes),
        initial=stored,
        external=body.external,
        by=request.caller.actor,
        now=request.caller.now,
    )
    return shown_customer(changed)
