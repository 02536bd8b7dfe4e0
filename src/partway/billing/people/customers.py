"""Creates and changes customers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib.email_addresses import InvalidAddress, normalize_address, unicode_address

from .. import events, external_fields
from ..errors import FieldError, Invalid, address_error, field_error
from ..events import Actor
from ..external_fields import UNCHANGED, ExternalFields
from ..merge import merge
from ..models import Customer, Invoice, Quote


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """The fields of a customer that a member writes."""

    name: str
    email: str
    phone: str = ""
    address: str = ""


@needs(Permission.EDIT_CUSTOMERS)
@transaction.atomic
def create(
    organization: Organization,
    *,
    details: CustomerDetails,
    by: Actor,
    now: datetime,
    external: ExternalFields = UNCHANGED,
    idempotency_key: str | None = None,
) -> Customer:
    """Adds a customer; the same `idempotency_key` again returns the customer it added (P8).

    Raises Invalid, ExternalReferenceTaken.
    """
    previous = events.by_idempotency_key(organization, idempotency_key)
    if previous and previous.customer:
        return previous.customer
    details = _checked(details, external)
    customer = Customer(organization=organization, created_at=now, **asdict(details))
    external_fields.insert(customer, external)
    events.record("customer.created", customer, by=by, now=now, idempotency_key=idempotency_key)
    return customer


@needs(Permission.EDIT_CUSTOMERS)
@transaction.atomic
def change(
    customer: Customer,
    *,
    details: CustomerDetails,
    by: Actor,
    now: datetime,
    initial: CustomerDetails | None = None,
    external: ExternalFields = UNCHANGED,
) -> Customer:
    """Changes a customer and records the old values with the event; raises Invalid, ExternalReferenceTaken.

    `initial` holds the values that the form showed: fields that the member left as they were keep what another
    member has written since (DESIGN D8).
    """
    details = _checked(details)
    new = asdict(details)
    Customer.objects.locked(customer.pk)
    customer.refresh_from_db()  # the caller read it before the lock
    if initial is not None:
        new = merge({name: getattr(customer, name) for name in new}, asdict(initial), new)
    before = {
        name: getattr(customer, name) for name, value in new.items() if getattr(customer, name) != value
    }
    for name, value in new.items():
        setattr(customer, name, value)
    customer.save(update_fields=list(new))
    if "name" in before:
        # In the order of locks. A document that is being written for this customer waits for the lock of the customer.
        for documents in (Quote.objects, Invoice.objects):
            theirs = documents.filter(customer=customer)
            list(theirs.order_by("pk").select_for_update(no_key=True).values_list("pk"))
            theirs.update(customer_key=customer.sort_key)
    if before:
        events.record("customer.changed", customer, by=by, now=now, data={"before": before})
    external_fields.change(customer, external, by=by, now=now)
    return customer


def _checked(details: CustomerDetails, external: ExternalFields = UNCHANGED) -> CustomerDetails:
    """Returns the details as they are stored; raises Invalid."""
    details = replace(details, email=unicode_address(details.email))
    if errors := field_errors(details) | external.errors():
        raise Invalid(errors)
    return details


def field_errors(details: CustomerDetails) -> dict[str, FieldError]:
    """Returns the error of each wrong field."""
    errors: dict[str, FieldError] = {}
    if not details.name.strip():
        errors["name"] = field_error("customer_name_required")
    try:
        normalize_address(details.email)
    except InvalidAddress as error:
        errors["email"] = address_error(error)
    for name, limit in (("name", 120), ("phone", 40), ("address", 400)):
        if len(getattr(details, name)) > limit:
            errors[name] = field_error("too_many_characters", limit=limit)
    return errors
