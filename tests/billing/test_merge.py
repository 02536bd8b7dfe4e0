"""Concurrent edits are merged field by field; when both changed one field, the second edit raises an error (D8)."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from partway.billing.errors import Invalid, field_error
from partway.billing.events import Actor
from partway.billing.merge import merge
from partway.billing.models import Customer
from partway.billing.people import customers, organizations
from partway.billing.people.customers import CustomerDetails
from partway.lib.clock import now

INITIAL = CustomerDetails(name="Dana", email="dana@old.example", phone="1", address="")
MOVED = {**asdict(INITIAL), "email": "dana@new.example"}


def test_merge_keeps_concurrent_change_of_untouched_field() -> None:
    assert merge(MOVED, asdict(INITIAL), {**asdict(INITIAL), "phone": "2"}) == {**MOVED, "phone": "2"}


def test_merge_conflict_names_field_and_current_value() -> None:
    with pytest.raises(Invalid) as refusal:
        merge(MOVED, asdict(INITIAL), {**asdict(INITIAL), "email": "dana@mine.example"})
    changed = field_error("changed_meanwhile", stored="dana@new.example")
    assert (refusal.value.code, refusal.value.fields) == ("stale", {"email": changed})


def test_merge_of_identical_changes_is_no_conflict() -> None:
    assert merge(MOVED, asdict(INITIAL), MOVED) == MOVED


def test_customer_change_is_merged_with_stored_row_not_with_stale_instance(
    dana: Customer, alice: Actor
) -> None:
    read_before = Customer.objects.get(pk=dana.pk)
    seen = CustomerDetails(name=dana.name, email=dana.email, phone=dana.phone, address=dana.address)
    customers.change(dana, details=replace(seen, email="dana@new.example"), by=alice, now=now())
    customers.change(read_before, details=replace(seen, phone="2"), initial=seen, by=alice, now=now())
    stored = Customer.objects.get(pk=dana.pk)
    assert (stored.email, stored.phone) == ("dana@new.example", "2")


def test_organization_profile_change_is_merged_with_stored_row(dana: Customer, alice: Actor) -> None:
    owner = dana.organization
    read_before = type(owner).objects.get(pk=owner.pk)
    seen = organizations.Profile(
        **{name: getattr(owner, name) for name in organizations.Profile.__dataclass_fields__}
    )
    organizations.change(owner, profile=replace(seen, payment_instructions="IBAN 2"), by=alice, now=now())
    organizations.change(read_before, profile=replace(seen, phone="2"), initial=seen, by=alice, now=now())
    stored = type(owner).objects.get(pk=owner.pk)
    assert (stored.payment_instructions, stored.phone) == ("IBAN 2", "2")
