"""Makes and changes customers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from partway.accounts.models import Organization

from .. import events
from ..errors import Invalid
from ..events import Actor
from ..merge import merge
from ..models import Customer


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """What is known of a customer."""

    name: str
    email: str
    phone: str = ""
    address: str = ""


@transaction.atomic
def create(organization: Organization, *, details: CustomerDetails, by: Actor, now: datetime) -> Customer:
    """Add a customer; raises Invalid with the fields that are wrong."""
    _check(details)
    customer = Customer.objects.create(organization=organization, created_at=now, **asdict(details))
    events.record("customer.created", customer, by=by, now=now)
    return customer


@transaction.atomic
def change(
    customer: Customer,
    *,
    details: CustomerDetails,
    by: Actor,
    now: datetime,
    initial: CustomerDetails | None = None,
) -> Customer:
    """Change what is known of a customer; the event keeps what it was before. Raises Invalid.

    `seen` is what the page showed: fields not touched there keep what somebody else has written meanwhile (D8).
    """
    _check(details)
    new = asdict(details)
    Customer.objects.locked(customer.pk)
    customer.refresh_from_db()  # what was read before the lock may be old
    if initial is not None:
        new = merge({name: getattr(customer, name) for name in new}, initial, details)
    before = {
        name: getattr(customer, name) for name, value in new.items() if getattr(customer, name) != value
    }
    for name, value in new.items():
        setattr(customer, name, value)
    customer.save(update_fields=list(new))
    if before:
        events.record("customer.changed", customer, by=by, now=now, data={"before": before})
    return customer


def _check(details: CustomerDetails) -> None:
    fields: dict[str, str] = {}
    if not details.name.strip():
        fields["name"] = "Enter the customer's name."
    try:
        validate_email(details.email)
    except ValidationError:
        fields["email"] = "Enter an address like name@example.com; invoices are sent there."
    for name, limit in (("name", 120), ("email", 254), ("phone", 40), ("address", 400)):
        if len(getattr(details, name)) > limit:
            fields[name] = f"Use at most {limit} characters."
    if fields:
        raise Invalid(fields)
