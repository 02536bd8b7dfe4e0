"""Customers are created and changed, and every change has an event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from partway.accounts.models import Organization
from partway.billing.errors import Invalid
from partway.billing.events import Actor
from partway.billing.models import Customer, Event
from partway.billing.people import customers
from partway.billing.people.customers import CustomerDetails
from partway.lib.clock import now as present
from partway.lib.natural_sort import sort_key
from tests.support import personas

DANA = CustomerDetails("Dana Whitfield", "dana@customer.example", "+1 555 010 4477", "1 Elm Street")


def test_customer_is_created_with_event(organization: Organization, alice: Actor) -> None:
    made = customers.create(organization, details=DANA, by=alice, now=present())
    event = Event.objects.get(customer=made)
    assert (event.type, event.actor_label) == ("customer.created", "Alice")
    assert Customer.objects.for_organization(organization).get() == made


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "  ", "customer_name_required"),
        ("name", "x" * 121, "too_many_characters"),
        ("email", "dana", "bad_address.form"),
        ("email", f"{'d' * 250}@customer.example", "bad_address.length"),
        ("phone", "1" * 41, "too_many_characters"),
        ("address", "x" * 401, "too_many_characters"),
    ],
)
def test_customer_with_invalid_field_is_refused_by_field(
    organization: Organization, alice: Actor, field: str, value: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        customers.create(organization, details=replace(DANA, **{field: value}), by=alice, now=present())
    assert {name: error.code for name, error in refusal.value.fields.items()} == {field: code}
    assert not Customer.objects.exists()


def test_customer_change_event_keeps_previous_values(dana: Customer, alice: Actor) -> None:
    before = dana.email
    customers.change(dana, details=replace(DANA, email="dana@new.example"), by=alice, now=present())
    assert Customer.objects.get().email == "dana@new.example"
    assert Event.objects.get(type="customer.changed").data["before"]["email"] == before


def test_renamed_customer_renames_sort_key_of_documents(dana: Customer, alice: Actor) -> None:
    documents = personas.draft_invoice(dana), personas.sent_invoice(dana), personas.sent_quote(dana)
    other = personas.sent_invoice(personas.customer(dana.organization, "Kenji Tanaka"))
    customers.change(dana, details=replace(DANA, name="Åse"), by=alice, now=present())
    for document in documents:
        document.refresh_from_db()
        assert bytes(document.customer_key) == sort_key("Åse")
    other.refresh_from_db()
    assert bytes(other.customer_key) == sort_key("Kenji Tanaka")


def test_unchanged_customer_records_no_event(organization: Organization, alice: Actor) -> None:
    made = customers.create(organization, details=DANA, by=alice, now=present())
    customers.change(made, details=DANA, by=alice, now=present())
    assert not Event.objects.filter(type="customer.changed").exists()


def test_invalid_customer_change_is_not_stored(dana: Customer, alice: Actor) -> None:
    with pytest.raises(Invalid):
        customers.change(dana, details=replace(DANA, email=""), by=alice, now=present())
    assert Customer.objects.get().name == "Dana Whitfield"
    assert not Event.objects.filter(type="customer.changed").exists()
