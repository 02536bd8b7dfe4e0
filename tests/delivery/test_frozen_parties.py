"""PDF files and mails of what was issued, after all that they show of both parties has changed (DESIGN D9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image

from partway.accounts.models import Organization
from partway.billing.documents import invoices, quotes
from partway.billing.models import Customer, Invoice, Mail, Payment, Quote
from partway.billing.people import organizations
from partway.delivery.mail import rendering
from partway.delivery.pdf import PdfFile, invoice_pdf, quote_pdf, receipt_pdf
from partway.lib.clock import now
from tests.support import pdf_text, personas


@pytest.fixture
def dana(organization: Organization) -> Customer:
    """A customer of alder, which has an address, a tax number, a way to pay and a logo."""
    Organization.objects.update(
        address="1 Mill Lane", tax_number="US 11", payment_instructions="Transfer to First Bank."
    )
    organization.refresh_from_db()
    set_logo(organization, (30, 10))
    return personas.customer(organization)


def set_logo(organization: Organization, size: tuple[int, int]) -> None:
    picture, by = BytesIO(), personas.owner_actor(organization)
    Image.new("RGB", size, "#c04020").save(picture, "PNG")
    organizations.set_logo(organization, sent=picture.getvalue(), by=by, now=now())


def change_everything(dana: Customer) -> None:
    personas.change_customer(dana)
    personas.change_organization(dana.organization)
    set_logo(dana.organization, (40, 40))


def deposit(dana: Customer) -> Payment:
    return personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))


def check(dana: Customer) -> Payment:
    return personas.record_check(personas.sent_invoice(dana), 30_000)


def card(dana: Customer) -> Payment:
    return personas.captured_payment(personas.sent_invoice(dana), 30_000)


# What is issued, its file, and the beginning of its text.
FILES: dict[str, tuple[Callable[[Customer], Invoice | Quote | Payment], Callable[..., PdfFile], str]] = {
    "invoice": (personas.sent_invoice, invoice_pdf, "Invoice From Alder Joinery 1 Mill Lane"),
    "quote": (personas.sent_quote, quote_pdf, "Quote From Alder Joinery 1 Mill Lane"),
    "receipt of a card": (card, receipt_pdf, "Receipt From Alder Joinery 1 Mill Lane"),
    "receipt of a check": (check, receipt_pdf, "Receipt From Alder Joinery 1 Mill Lane"),
    "receipt of a deposit": (deposit, receipt_pdf, "Receipt From Alder Joinery 1 Mill Lane"),
}


@pytest.mark.parametrize("name", FILES)
def test_pdf_is_the_same_file_after_both_parties_changed(dana: Customer, name: str) -> None:
    issue, pdf, begin = FILES[name]
    issued = issue(dana)
    before = pdf(issued)
    change_everything(dana)
    after = pdf(type(issued)._default_manager.get(pk=issued.pk))
    text = pdf_text.text(after.content)
    assert text.startswith(begin)
    assert "To Dana Whitfield dana.whitfield@customer.example" in text
    assert after.content == before.content


def test_pdf_of_draft_shows_both_parties_of_today(dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    change_everything(dana)
    content = invoice_pdf(Invoice.objects.get(pk=draft.pk)).content
    text = pdf_text.text(content)
    assert "Elm Joinery 9 Elm Street Tax number DE 99" in text
    assert "Dana Reed 2 New Road dana@reed.example" in text
    assert "Transfer to Second Bank." in text
    assert pdf_text.pictures(content) == [(40, 40)]


def test_pdf_of_invoice_made_of_quote_shows_parties_of_its_own_day(dana: Customer) -> None:
    quote, by = personas.accept_quote(personas.sent_quote(dana)), personas.owner_actor(dana.organization)
    change_everything(dana)
    invoice = invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())
    assert "Elm Joinery" in pdf_text.text(invoice_pdf(invoice).content)
    assert "Alder Joinery" in pdf_text.text(quote_pdf(Quote.objects.get(pk=quote.pk)).content)


def test_pdf_keeps_day_of_the_time_zone_it_was_sent_in(dana: Customer) -> None:
    invoice = personas.sent_invoice(dana)
    Invoice.objects.update(sent_at=datetime(2026, 3, 1, 16, tzinfo=UTC))  # in Tokyo it is the next day
    change_everything(dana)
    text = pdf_text.text(invoice_pdf(Invoice.objects.get(pk=invoice.pk)).content)
    assert "Sent Mar 1, 2026" in text


def test_corrected_invoice_shows_new_parties(dana: Customer) -> None:
    invoice, by = personas.sent_invoice(dana), personas.owner_actor(dana.organization)
    change_everything(dana)
    columns = {"columns": ["issued_by", "issued_to"], "expected_version": invoice.version}
    corrected = invoices.correct_parties(invoice, **columns, by=by, now=now())
    text = pdf_text.text(invoice_pdf(corrected).content)
    assert "Elm Joinery 9 Elm Street Tax number DE 99" in text
    assert "Dana Reed 2 New Road" in text


@pytest.mark.parametrize(
    ("issue", "kind", "subject"),
    [
        (personas.sent_invoice, "invoice_sent", "Invoice INV-0001 from Alder Joinery"),
        (personas.sent_quote, "quote_sent", "Quote QUO-0001 from Alder Joinery"),
        (card, "receipt", "paid to Alder Joinery (invoice INV-0001)"),
    ],
)
def test_mail_names_parties_of_its_document_and_present_contact(
    dana: Customer, issue: Callable[[Customer], object], kind: str, subject: str
) -> None:
    issue(dana)
    change_everything(dana)
    message = rendering.message(rendering.with_related_rows().get(kind=kind))
    assert subject in message.subject
    assert message.from_email == "Elm Joinery <hello@elm.example>"
    assert "Dana Reed" not in str(message.body)
    head, contact = str(message.body).split("\n--\n")
    assert "Elm Joinery" not in head
    assert "Elm Joinery\nhello@elm.example\n+49 30 5550142\n9 Elm Street" in contact


def test_resent_invoice_goes_to_present_address(dana: Customer) -> None:
    invoice = personas.sent_invoice(dana)
    change_everything(dana)
    invoices.resend(invoice, by=personas.owner_actor(dana.organization), now=now())
    mail = Mail.objects.latest("created_at")
    message = rendering.message(rendering.with_related_rows().get(pk=mail.pk))
    assert message.to == ["dana@reed.example"]
    assert str(message.body).startswith("Hello Dana Whitfield,")
