"""Pages warn of characters that PDF documents cannot show, and refuse nothing because of them."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Quote
from tests.support import pdf_text, personas

NAME = "𠮷野家"
WARNING = "PDF documents cannot show 𠮷 (U+20BB7). They print [?] instead. Where: %s."
LINE = {
    "currency": "USD",
    "due_on": "2027-12-24",
    "valid_until": "2027-12-24",
    "lines.0.description": "Oak",
    "lines.0.quantity": "1",
    "lines.0.unit_amount": "10.00",
}


@pytest.fixture
def dana(organization: Organization) -> Customer:
    return personas.customer(organization, name=NAME, email="y@shop.example")


def page(client: Client, path: str) -> str:
    return client.get(f"/o/alder/{path}").content.decode()


@pytest.mark.parametrize("editor", ["invoices/new/", "quotes/new/"])
def test_editor_warns_of_chosen_customer_lines_and_notes(bob: Client, dana: Customer, editor: str) -> None:
    assert WARNING % "Customer name" in page(bob, f"{editor}?customer={dana.pk}")
    typed = {"customer": dana.pk, "notes": NAME, **LINE, "lines.0.description": f"Oak {NAME}"}
    figures = bob.post(f"/o/alder/{editor}", {**typed, "operation": "figures"}).content.decode()
    assert WARNING % "Customer name, Line 1, Notes" in figures
    assert bob.post(f"/o/alder/{editor}", typed).status_code == 302


@pytest.mark.parametrize("editor", ["invoices/new/", "quotes/new/"])
def test_editor_warns_of_organization_before_anything_is_typed(
    bob: Client, organization: Organization, editor: str
) -> None:
    assert "cannot show" not in page(bob, editor)
    Organization.objects.update(name=NAME, payment_instructions=NAME)
    assert WARNING % "Your organization’s name, How to pay otherwise" in page(bob, editor)


def test_editor_does_not_warn_of_scripts_with_a_font(bob: Client, dana: Customer) -> None:
    Customer.objects.update(name="አበበ 🪵 ศรี", email="dana@customer.example", address="ක්‍ෂ\r\nক্ষ")
    assert "cannot show" not in page(bob, f"invoices/new/?customer={dana.pk}")
    figures = bob.post("/o/alder/invoices/new/", {"customer": dana.pk, **LINE, "operation": "figures"})
    assert "cannot show" not in figures.content.decode()


def test_send_page_of_invoice_warns_and_its_pdf_has_the_mark(bob: Client, dana: Customer) -> None:
    invoice = personas.draft_invoice(dana)
    assert WARNING % "Customer name" in page(bob, f"invoices/{invoice.pk}/send/")
    bob.post(f"/o/alder/invoices/{invoice.pk}/send/", {"version": invoice.version, "allow_overdue": "yes"})
    assert Invoice.objects.get().status == "sent"
    content = bob.get(f"/o/alder/invoices/{invoice.pk}/pdf/").content
    assert "[?]野家" in pdf_text.text(content)
    assert pdf_text.missing_glyphs(content) == 0


def test_resend_page_and_editor_of_sent_invoice_warn_of_its_own_parties(bob: Client, dana: Customer) -> None:
    invoice = personas.sent_invoice(dana)
    Customer.objects.update(name="Dana Whitfield", email="dana@customer.example")
    for path in ("resend", "edit"):
        assert WARNING % "Customer name" in page(bob, f"invoices/{invoice.pk}/{path}/")


def test_send_and_resend_pages_of_quote_warn(bob: Client, dana: Customer) -> None:
    quote = personas.draft_quote(dana)
    assert WARNING % "Customer name" in page(bob, f"quotes/{quote.pk}/send/")
    sent = personas.sent_quote(dana)
    assert WARNING % "Customer name" in page(bob, f"quotes/{sent.pk}/resend/")
    assert Quote.objects.filter(status="sent").count() == 1


def test_new_customer_is_saved_and_its_page_and_form_warn(bob: Client, organization: Organization) -> None:
    typed = {"name": NAME, "email": "y@shop.example", "address": f"1 {NAME}"}
    saved = bob.post("/o/alder/customers/new/", typed, follow=True).content.decode()
    made = Customer.objects.get()
    assert WARNING % "Customer name, Customer address" in saved
    assert WARNING % "Customer name, Customer address" in page(bob, f"customers/{made.pk}/edit/")


def test_refused_customer_form_warns_of_what_was_typed(bob: Client, organization: Organization) -> None:
    refused = bob.post("/o/alder/customers/new/", {"name": NAME, "email": "nobody"})
    assert refused.status_code == 422
    assert WARNING % "Customer name" in refused.content.decode()


def test_settings_warn_of_profile_prefixes_and_payment_modes(
    alice: Client, organization: Organization
) -> None:
    assert "cannot show" not in page(alice, "settings/")
    Organization.objects.update(address=NAME, invoice_prefix=f"{NAME}-", payment_modes=["cash", NAME])
    assert WARNING % "Your organization’s address, Invoice numbers begin with" in page(alice, "settings/")
    assert WARNING % "Modes of payment" in page(alice, "settings/payments/")
    alice.post("/o/alder/settings/quotes/", {"prefix": f"{NAME}-"})
    assert WARNING % "Quote numbers begin with" in page(alice, "settings/quotes/")


def test_warning_names_six_characters_and_counts_the_rest(bob: Client, dana: Customer) -> None:
    Customer.objects.update(name="𒀀𒀁𒀂𒀃𒀄𒀅𒀆𒀇", email="dana@customer.example")
    assert "𒀅 (U+12005), 2 more. They print" in page(bob, f"customers/{dana.pk}/")
