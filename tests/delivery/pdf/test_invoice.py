"""An invoice as PDF, in each of its states."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.documents import invoices
from partway.billing.documents.drafts import LineDraft
from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.models import Customer, Invoice
from partway.billing.people import organizations
from partway.billing.receivables import write_offs
from partway.delivery.pdf import invoice_pdf
from partway.delivery.pdf.invoice import document
from partway.lib.clock import now, today
from tests.support import pdf_text, personas


def _text(invoice: Invoice) -> str:
    return pdf_text.text(invoice_pdf(invoice).content)


def _pay_all(invoice: Invoice) -> Invoice:
    personas.captured_payment(invoice, 100_000)
    Invoice.objects.filter(pk=invoice.pk).update(status="paid")
    return Invoice.objects.get(pk=invoice.pk)


@pytest.fixture
def dana(organization: Organization) -> Customer:
    return personas.customer(organization)


@pytest.fixture
def detailed(dana: Customer) -> Invoice:
    """Two rates, a discount and notes, sent."""
    lines = (
        LineDraft("Oak staircase", Decimal("1.5"), 50_000, Decimal("8.25")),
        LineDraft("Old stairs taken away", Decimal(1), 25_000, Decimal(0)),
    )
    draft = InvoiceDraft(
        customer=dana,
        currency="USD",
        due_on=today(now(), "America/New_York") + timedelta(days=14),
        lines=lines,
        discount_kind="percent",
        discount_percent=Decimal(10),
        notes="Thank you for your trust.",
    )
    by = personas.owner_actor(dana.organization)
    return invoices.send(invoices.create(dana.organization, draft=draft, by=by, now=now()), by=by, now=now())


def test_invoice_pdf_shows_every_amount(detailed: Invoice) -> None:
    text = _text(detailed)
    for words in (
        "Oak staircase 1.5 $500.00 8.25% $750.00",
        "Old stairs taken away 1 $250.00 0% $250.00",
        "Subtotal $1,000.00",
        "Discount (10%) −$100.00",
        "Tax 8.25% on $675.00 $55.69",
        "Tax 0% on $225.00 $0.00",
        "Total $955.69",
        "Notes Thank you for your trust.",
    ):
        assert words in text
    assert detailed.total_minor == 95_569


def test_invoice_pdf_lists_reversed_check_and_does_not_count_the_amount(invoice: Invoice) -> None:
    personas.reverse_check(personas.record_check(invoice, 40_000))
    text = _text(Invoice.objects.get(pk=invoice.pk))
    for words in (", Check $400.00", "Check reversed −$400.00", "Total Amount Due $1,000.00"):
        assert words in text


def test_invoice_pdf_shows_paid_requested_and_left_amounts(invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    personas.request_payment(invoice, 20_000)
    text = _text(invoice)
    assert "Total Amount Due $700.00" in text
    assert "Paid $300.00 Requested $200.00 Left $500.00" in text
    assert "Amount paid −$300.00 Total Amount Due $700.00" in text
    assert "Paid so far" in text
    assert ", Card $300.00" in text


def test_invoice_pdf_lists_a_settled_rest_under_paid_and_settled(invoice: Invoice) -> None:
    personas.captured_payment(invoice, 99_000)
    personas.settle_rest(Invoice.objects.get(pk=invoice.pk))
    text = _text(Invoice.objects.get(pk=invoice.pk))
    assert "Paid and settled" in text
    assert "Paid so far" not in text


def test_invoice_pdf_shows_organization_profile(dana: Customer) -> None:
    Organization.objects.update(
        tax_number="DE 123 456",
        phone="+1 555 0142",
        payment_instructions="Transfer to First Bank,\naccount 0123.",
    )
    text = _text(personas.sent_invoice(dana))
    assert "Tax number DE 123 456 billing@alder.example +1 555 0142" in text
    assert "How to pay Transfer to First Bank, account 0123." in text


def test_invoice_pdf_shows_stored_logo(organization: Organization, dana: Customer) -> None:
    picture = BytesIO()
    Image.new("RGB", (30, 10), "#c04020").save(picture, "PNG")
    by = personas.owner_actor(organization)
    organizations.set_logo(organization, sent=picture.getvalue(), by=by, now=now())
    content = invoice_pdf(personas.sent_invoice(dana)).content
    assert pdf_text.text(content).startswith("Invoice From Alder Joinery")
    assert pdf_text.pictures(content) == [(30, 10)]


def test_invoice_pdf_qr_code_links_to_invoice_page(invoice: Invoice) -> None:
    content = invoice_pdf(invoice).content
    assert pdf_text.targets(content) == [links.invoice_url(invoice)]
    assert "Scan to pay" in pdf_text.text(content)


def test_invoice_pdf_asks_for_no_payment_while_payments_are_disabled(invoice: Invoice) -> None:
    invoice.organization.payments_enabled = False
    assert "Scan to see it online" in _text(invoice)


def test_invoice_pdf_of_paid_invoice_asks_for_no_payment(invoice: Invoice) -> None:
    Organization.objects.update(payment_instructions="Transfer to First Bank.")
    paid = _pay_all(personas.sent_invoice(invoice.customer))
    text = _text(paid)
    assert "Total $1,000.00 paid in full, thank you" in text
    assert "Total Amount Due $0.00" in text
    assert "How to pay" not in text


def test_invoice_pdf_of_draft_is_marked_and_has_no_link(dana: Customer) -> None:
    content = invoice_pdf(personas.draft_invoice(dana)).content
    text = pdf_text.text(content)
    assert "Draft Invoice" in text
    assert "Number" not in text
    assert pdf_text.targets(content) == []


def test_invoice_pdf_of_void_invoice_has_nothing_due(invoice: Invoice) -> None:
    void = invoices.void(invoice, by=personas.owner_actor(invoice.organization), now=now())
    content = invoice_pdf(void).content
    assert "Void Invoice" in pdf_text.text(content)
    assert "void: nothing is due" in pdf_text.text(content)
    assert pdf_text.targets(content) == []


def test_invoice_pdf_date_follows_organization_time_zone(invoice: Invoice) -> None:
    assert invoice.sent_at is not None
    invoice.sent_at = invoice.sent_at.replace(year=2026, month=3, day=1, hour=3)
    assert "Sent Feb 28, 2026" in _text(invoice)


@pytest.mark.parametrize(
    ("currency", "due", "paper"),
    [("JPY", "¥100,000", "a4"), ("KWD", "KWD 100.000", "a4"), ("USD", "$1,000.00", "us-letter")],
)
def test_invoice_pdf_uses_decimals_and_paper_size_of_currency(
    currency: str, due: str, paper: str, db: None
) -> None:
    organization = personas.alder(currency=currency).organization
    invoice = personas.sent_invoice(personas.customer(organization))
    assert f"Total Amount Due {due}" in _text(invoice)
    assert document(invoice, with_link=True).issuer.paper == paper


def test_invoice_pdf_is_byte_identical_when_rendered_twice(detailed: Invoice) -> None:
    assert invoice_pdf(detailed) == invoice_pdf(Invoice.objects.get(pk=detailed.pk))


def test_invoice_pdf_of_written_off_invoice_asks_for_no_payment(dana: Customer) -> None:
    invoice = personas.sent_invoice(dana)
    write_offs.write_off(invoice, by=personas.owner_actor(dana.organization), now=now())
    text = _text(Invoice.objects.get())
    assert "Written off" in text
    assert "no payment is expected" in text
    assert "Total Amount Due" not in text
    assert "Scan to" not in text
