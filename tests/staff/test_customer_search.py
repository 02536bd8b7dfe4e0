"""A document is written for a customer who is found by a part of their name, however many customers there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Quote
from partway.staff import keyset_pages
from tests.support import personas

_NEW = ("/o/alder/invoices/new/", "/o/alder/quotes/new/")
TYPED = {
    "currency": "USD",
    "due_on": "2026-12-24",
    "valid_until": "2027-01-15",
    "notes": "Ring twice",
    "lines.0.description": "Oak staircase",
    "lines.0.quantity": "1",
    "lines.0.unit_amount": "1,000.00",
}


@pytest.fixture
def many(organization: Organization, dana: Customer) -> Customer:
    """Two of the name Kenji Tanaka, and others that were added later."""
    personas.customer(organization, "Kenji Tanaka", "home@tanaka.example")
    work = personas.customer(organization, "Kenji Tanaka", "work@tanaka.example")
    work.phone, work.external_reference = "+1 555 0100", "CRM-7"
    work.save()
    add_customers(dana, 20)
    return work


def add_customers(like: Customer, count: int) -> None:
    """Adds customers of one name."""
    made = [
        Customer(
            organization=like.organization, name=f"Whitfield & Sons {number:x}", email=f"w{number}@x.example"
        )
        for number in range(count)
    ]
    for customer in made:
        customer.created_at = personas.present()
    Customer.objects.bulk_create(made, batch_size=2_000)


def choices(page: Any) -> dict[str, bool]:
    """Returns the offered values, and whether each is chosen."""
    found = re.findall(r'type="radio"[^>]* name="customer" value="(\w+)"( checked)?', page.content.decode())
    return {value: bool(checked) for value, checked in found}


def find(client: Client, typed: str, address: str = _NEW[0], **fields: str) -> Any:
    """Presses the button beside the search."""
    form = {**TYPED, **fields, "customer_search": typed, "operation": "find_customer"}
    return client.post(address, form)


@pytest.mark.parametrize("address", _NEW)
def test_search_without_scripts_finds_customer_and_keeps_what_was_typed(
    bob: Client, many: Customer, address: str
) -> None:
    page = find(bob, "tanaka", address, customer=many.pk)
    text = page.content.decode()
    assert page.status_code == 200
    assert next(iter(choices(page).items())) == (many.pk, True)
    assert set(choices(page).values()) == {True, False}
    assert len(choices(page)) == 3  # both, and a new one
    assert "work@tanaka.example · +1 555 0100 · CRM-7" in text
    assert "2 customers match “tanaka”." in text
    assert all(typed in text for typed in ("Ring twice", "Oak staircase", "1,000.00"))
    saved = {**TYPED, "customer": many.pk, "customer_search": "tanaka", "customer_searched": "tanaka"}
    assert bob.post(address, saved).status_code == 302
    made = [*Invoice.objects.all(), *Quote.objects.all()]
    assert [document.customer for document in made] == [many]


@pytest.mark.parametrize("typed", ["naka", "WORK@tan", "CRM-7", "kenji work"])
def test_customer_is_found_by_a_part_of_name_or_address_or_the_reference(
    bob: Client, many: Customer, typed: str
) -> None:
    assert many.pk in choices(find(bob, typed))


@pytest.mark.parametrize(("typed", "advice"), [("ji", "three letters or more"), ("jimanji", "Type less")])
def test_search_without_result_says_what_to_type(
    bob: Client, many: Customer, typed: str, advice: str
) -> None:
    assert advice in find(bob, typed).content.decode()


def test_search_that_was_not_run_yet_is_run_before_anything_is_saved(bob: Client, many: Customer) -> None:
    page = bob.post(_NEW[0], {**TYPED, "customer": many.pk, "customer_search": "home"})
    assert (page.status_code, len(choices(page)), choices(page)[many.pk]) == (200, 3, True)
    assert not Invoice.objects.exists()


def test_customers_found_while_one_types_come_alone(bob: Client, many: Customer) -> None:
    form = {**TYPED, "customer_search": "tanaka", "operation": "find_customer"}
    page = bob.post(_NEW[0], form, headers={"HX-Request": "true", "HX-Target": "customer-choices"})
    assert len(choices(page)) == 3
    assert "<form" not in page.content.decode()


def test_refused_document_comes_back_with_its_customer_and_search(bob: Client, many: Customer) -> None:
    form = {**TYPED, "lines.0.quantity": "none", "customer": many.pk}
    page = bob.post(_NEW[0], {**form, "customer_search": "tanaka", "customer_searched": "tanaka"})
    assert (page.status_code, choices(page)[many.pk], len(choices(page))) == (422, True, 3)
    assert 'name="customer_search" value="tanaka"' in page.content.decode()


def test_document_begins_with_the_customer_of_its_address(bob: Client, many: Customer) -> None:
    assert choices(bob.get(f"{_NEW[0]}?customer={many.pk}")) == {many.pk: True, "new": False}
    draft = personas.draft_invoice(many)
    assert choices(bob.get(f"/o/alder/invoices/{draft.pk}/edit/")) == {many.pk: True, "new": False}


def test_customer_of_another_organization_is_neither_found_nor_shown(
    bob: Client, mallory: Client, many: Customer
) -> None:
    foreign = personas.customer(
        Organization.objects.get(slug="birch"), "Kenji Tanaka", "birch@tanaka.example"
    )
    foreign.external_reference = "CRM-8"
    foreign.save()
    pages = [find(bob, typed, customer=foreign.pk) for typed in ("tanaka", "birch@tanaka", "CRM-8", "")]
    pages.append(bob.get(f"{_NEW[0]}?customer={foreign.pk}"))
    assert not any(
        "birch@tanaka.example" in page.content.decode() or foreign.pk in choices(page) for page in pages
    )


def test_reader_finds_no_customers_of_a_form_they_may_not_send(charlie: Client, many: Customer) -> None:
    assert find(charlie, "tanaka").status_code == 403


def test_ten_thousand_customers_make_the_form_no_larger_and_ask_no_more(
    bob: Client, many: Customer, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    small = [len(bob.get(_NEW[0]).content), len(find(bob, "whitfield").content)]
    add_customers(many, 10_000)
    with django_assert_max_num_queries(40):
        large = [len(bob.get(_NEW[0]).content), len(find(bob, "whitfield").content)]
    assert all(after < before + 200 for before, after in zip(small, large, strict=True))
    found = find(bob, "whitfield")
    assert len(choices(found)) == 13
    assert "More than 12 may match “whitfield”." in found.content.decode()
    monkeypatch.setattr(keyset_pages, "MAX_EXAMINED", 5)
    assert "may match" in find(bob, "whitfield sons").content.decode()
