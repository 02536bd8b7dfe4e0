"""Concurrent edits of settings and customers by two members (DESIGN D8)."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer

SETTINGS = "/o/alder/settings/"


def opened(client: Client, url: str) -> dict[str, str]:
    """Returns the fields of the page as a browser would send them."""
    form = client.get(url).context["form"]
    return {**{field.name: str(field.value()) for field in form}, "initial": form.initial_json()}


@pytest.fixture
def edit(dana: Customer) -> str:
    """The path of the form that changes Dana."""
    return f"/o/alder/customers/{dana.pk}/edit/"


def test_stale_settings_form_does_not_restore_old_value(alice: Client, organization: Organization) -> None:
    first, second = opened(alice, SETTINGS), opened(alice, SETTINGS)
    alice.post(SETTINGS, {**first, "payment_instructions": "IBAN 2"})
    assert alice.post(SETTINGS, {**second, "phone": "555"}).status_code == 302
    organization.refresh_from_db()
    assert (organization.payment_instructions, organization.phone) == ("IBAN 2", "555")


def test_stale_customer_form_does_not_restore_old_email(bob: Client, dana: Customer, edit: str) -> None:
    first, second = opened(bob, edit), opened(bob, edit)
    bob.post(edit, {**first, "email": "new@dana.example"})
    assert bob.post(edit, {**second, "phone": "555"}).status_code == 302
    dana.refresh_from_db()
    assert (dana.email, dana.phone) == ("new@dana.example", "555")


def test_stale_customer_field_conflict_is_shown_and_can_be_saved(
    bob: Client, dana: Customer, edit: str
) -> None:
    first, second = opened(bob, edit), opened(bob, edit)
    bob.post(edit, {**first, "email": "new@dana.example", "phone": "1"})
    response = bob.post(edit, {**second, "email": "mine@dana.example"})
    assert response.status_code == 422
    assert "is now “new@dana.example”" in response.text
    assert 'value="mine@dana.example"' in response.text
    resubmitted = {**second, "email": "mine@dana.example", "initial": response.context["form"].initial_json()}
    assert bob.post(edit, resubmitted).status_code == 302
    dana.refresh_from_db()
    assert (dana.email, dana.phone) == ("mine@dana.example", "1")


def test_stale_customer_form_survives_validation_error(bob: Client, dana: Customer, edit: str) -> None:
    first, second = opened(bob, edit), opened(bob, edit)
    bob.post(edit, {**first, "email": "new@dana.example"})
    response = bob.post(edit, {**second, "name": ""})
    assert response.status_code == 422
    bob.post(edit, {**second, "phone": "555", "initial": response.context["form"].initial_json()})
    dana.refresh_from_db()
    assert (dana.email, dana.phone) == ("new@dana.example", "555")


def test_settings_form_is_not_stale_after_new_invoice_number(
    alice: Client, organization: Organization
) -> None:
    page = opened(alice, SETTINGS)
    Organization.objects.update(next_invoice_number=7)
    assert alice.post(SETTINGS, {**page, "phone": "555"}).status_code == 302
    organization.refresh_from_db()
    assert (organization.next_invoice_number, organization.phone) == (7, "555")


@pytest.mark.parametrize("initial", ["", "no", "[]", "{}", '{"name": {"a": 1}}'])
def test_customer_form_with_invalid_initial_values_causes_no_error(
    bob: Client, edit: str, initial: str
) -> None:
    assert bob.post(edit, {**opened(bob, edit), "initial": initial, "phone": "555"}).status_code in (302, 422)
