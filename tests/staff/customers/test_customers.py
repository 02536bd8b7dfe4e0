"""Customers: the list, the detail page, adding and changing a customer."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice
from tests.support import personas

NEW = "/o/alder/customers/new/"
GOOD = {
    "name": "Hollis & Reed",
    "email": "books@hollis.example",
    "phone": "555 0100",
    "address": "1 Elm St\nAlder",
}


def test_adding_customer_redirects_to_customer_page(bob: Client, organization: Organization) -> None:
    response = bob.post(NEW, GOOD, follow=True)
    made = Customer.objects.get()
    assert (made.name, made.address) == ("Hollis & Reed", "1 Elm St\nAlder")
    page = response.content.decode()
    assert "Hollis &amp; Reed was added." in page
    assert "has no invoice yet" in page


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("name", " ", "Enter the customer"),
        ("email", "nobody", "name@example.com"),
        ("phone", "5" * 41, "at most 40"),
    ],
)
def test_invalid_customer_input_is_refused_on_field(
    bob: Client, organization: Organization, field: str, text: str, message: str
) -> None:
    response = bob.post(NEW, {**GOOD, field: text})
    assert response.status_code == 422
    assert message in response.context["form"].errors[field][0]
    assert "555 0100" in response.content.decode() or field == "phone"
    assert not Customer.objects.exists()


def test_customer_is_changed(bob: Client, dana: Customer) -> None:
    url = f"/o/alder/customers/{dana.pk}/edit/"
    assert f'value="{dana.email}"' in bob.get(url).content.decode()
    bob.post(url, {**GOOD, "name": "Dana W."})
    dana.refresh_from_db()
    assert (dana.name, dana.email) == ("Dana W.", "books@hollis.example")


def test_customer_page_shows_invoices_with_stage_bars(
    charlie: Client, dana: Customer, invoice: Invoice
) -> None:
    other = personas.sent_invoice(personas.customer(dana.organization, "Kenji Tanaka"))
    personas.request_payment(invoice, 25_000)
    page = charlie.get(f"/o/alder/customers/{dana.pk}/").content.decode()
    assert "Paid $0.00 of $1,000.00, $250.00 requested" in page
    assert str(other.number) not in page


def test_customer_search_matches_names_and_email_addresses(charlie: Client, dana: Customer) -> None:
    personas.customer(dana.organization, "Kenji Tanaka")
    for q in ("KENJI", "kenji.tanaka@"):
        page = charlie.get("/o/alder/customers/", {"q": q}).content.decode()
        assert "Kenji Tanaka" in page
        assert "Dana Whitfield" not in page
    assert "No customer found for “zz”" in charlie.get("/o/alder/customers/?q=zz").content.decode()


def test_customer_list_is_empty(charlie: Client) -> None:
    assert "No customers yet" in charlie.get("/o/alder/customers/").content.decode()


def test_customer_list_sorts_and_finds_names_without_capitals_and_accents(
    charlie: Client, organization: Organization
) -> None:
    for name in ("Zürcher", "zebra", "Ärzte Zentrum", "École"):
        personas.customer(organization, name, email="x@customer.example")

    def listed(query: str) -> list[str]:
        page = charlie.get(f"/o/alder/customers/{query}").context["page"]
        return [row.name for row in page.entries]

    assert listed("") == ["Ärzte Zentrum", "École", "zebra", "Zürcher"]
    for q, found in {"ärzte": "Ärzte Zentrum", "zentrum+aerzte": "Ärzte Zentrum", "ECOLE": "École"}.items():
        assert listed(f"?q={q}") == [found]
    assert listed("?q=%25") == listed("?q=%CC%81") == []


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("jörg@hollis.example", "has letters before the @"),
        ("books@holl_is.example", "no domain can be called"),
        ("books@hollis.example\nBcc: eve@evil.example", "is not a mail address"),
        ("", "Enter an address like name@example.com."),
        ("b" * 65 + "@hollis.example", "is longer than a mail address can be"),
    ],
)
def test_address_that_cannot_be_sent_to_is_refused_with_its_reason(
    bob: Client, organization: Organization, typed: str, message: str
) -> None:
    response = bob.post(NEW, {**GOOD, "email": typed})
    assert message in response.context["form"].errors["email"][0]
    assert not Customer.objects.exists()


@pytest.mark.parametrize("typed", ["books@Bücher.example", "books@xn--bcher-kva.example"])
def test_domain_of_customer_is_shown_in_unicode(bob: Client, organization: Organization, typed: str) -> None:
    page = bob.post(NEW, {**GOOD, "email": typed}, follow=True).text
    assert '<a href="mailto:books@xn--bcher-kva.example">books@bücher.example</a>' in page
    assert page.count("xn--") == 1
    customer = Customer.objects.get()
    edited = bob.get(f"/o/alder/customers/{customer.pk}/edit/").text
    assert 'value="books@bücher.example"' in edited
