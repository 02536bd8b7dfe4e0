"""The hint that a party of a sent invoice has changed, and the page that corrects it."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.billing.models import Customer, Event, Invoice
from tests.staff.confirmation_pages import hidden_fields
from tests.staff.invoices.test_detail import page_of, text_of
from tests.support import personas


def url(invoice: Invoice) -> str:
    return f"/o/alder/invoices/{invoice.pk}/parties/"


@pytest.fixture
def moved(dana: Customer) -> None:
    """Dana's and Alder's details have changed."""
    personas.change_customer(dana)
    personas.change_organization(dana.organization)


def test_invoice_page_has_no_hint_while_nothing_changed(bob: Client, invoice: Invoice) -> None:
    assert url(invoice) not in page_of(bob, invoice)


def test_invoice_page_names_what_changed_since_it_was_sent(
    bob: Client, invoice: Invoice, moved: None
) -> None:
    text = text_of(page_of(bob, invoice))
    assert "Details of Dana Reed have changed since this was sent (name, address, email)." in text
    assert "Your organization’s details have changed since this was sent (name, address," in text
    assert url(invoice) in page_of(bob, invoice)


def test_reader_sees_hint_without_correction(charlie: Client, invoice: Invoice, moved: None) -> None:
    page = page_of(charlie, invoice)
    assert "Details of Dana Reed have changed" in text_of(page)
    assert url(invoice) not in page
    assert charlie.get(url(invoice)).status_code == 403


def test_new_color_alone_is_no_reason_for_a_correction(bob: Client, invoice: Invoice, dana: Customer) -> None:
    type(dana.organization).objects.update(color="#803020")
    assert url(invoice) not in page_of(bob, invoice)


def test_draft_has_no_hint(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    personas.change_customer(dana)
    assert url(draft) not in page_of(bob, draft)


def test_editor_of_sent_invoice_shows_its_customer_and_links_to_correction(
    bob: Client, invoice: Invoice, moved: None
) -> None:
    page = bob.get(f"/o/alder/invoices/{invoice.pk}/edit/").content.decode()
    assert "Dana Whitfield · dana.whitfield@customer.example" in page
    assert url(invoice) in page


def test_correction_page_shows_old_and_new_details(bob: Client, invoice: Invoice, moved: None) -> None:
    text = text_of(bob.get(url(invoice)).content.decode())
    assert "The customer, Dana Reed NameDana WhitfieldDana ReedAddressnone2 New Road" in text


def test_correction_replaces_chosen_party_and_leads_back(bob: Client, invoice: Invoice, moved: None) -> None:
    answer = bob.post(url(invoice), {**hidden_fields(bob.get(url(invoice))), "issued_to": "on"}, follow=True)
    text = text_of(answer.content.decode())
    assert "INV-0001 is corrected. The customer gets no mail of it unless you resend it." in text
    assert "Bob corrected who the invoice is from and to Earlier version" in text
    assert "Details of Dana Reed" not in text
    assert "Your organization’s details have changed" in text
    event = Event.objects.get(type="invoice.parties_corrected")
    earlier = bob.get(f"/o/alder/invoices/{invoice.pk}/versions/2/").content.decode()
    assert event.data["before"]["version"] == 2
    assert "Customer Dana Whitfield → Dana Reed" in text_of(earlier)


def test_correction_of_nothing_is_refused(bob: Client, invoice: Invoice, moved: None) -> None:
    answer = bob.post(url(invoice), hidden_fields(bob.get(url(invoice))))
    assert answer.status_code == 409
    assert "Choose what to correct." in answer.content.decode()


def test_correction_of_unchanged_invoice_offers_nothing(bob: Client, invoice: Invoice) -> None:
    assert "there is nothing to correct" in bob.get(url(invoice)).content.decode()


def test_correction_of_another_organization_is_not_found(mallory: Client, invoice: Invoice) -> None:
    assert mallory.post(f"/o/birch/invoices/{invoice.pk}/parties/", {"issued_to": "on"}).status_code == 404
