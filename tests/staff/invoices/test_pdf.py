"""The PDF of an invoice, for every member."""

from __future__ import annotations

from django.test import Client

from partway.billing.models import Customer, Invoice
from tests.support import pdf_text, personas


def test_reader_can_download_invoice_pdf(charlie: Client, invoice: Invoice) -> None:
    response = charlie.get(f"/o/alder/invoices/{invoice.pk}/pdf/")
    assert response.headers["Content-Disposition"] == f'inline; filename="Invoice-{invoice.number}.pdf"'
    assert "no-store" in response.headers["Cache-Control"]
    assert "Total Amount Due $1,000.00" in pdf_text.text(response.content)


def test_draft_invoice_pdf_is_marked_as_draft(bob: Client, dana: Customer) -> None:
    response = bob.get(f"/o/alder/invoices/{personas.draft_invoice(dana).pk}/pdf/")
    assert "Draft Invoice" in pdf_text.text(response.content)


def test_invoice_page_links_to_pdf_for_every_role(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get(f"/o/alder/invoices/{invoice.pk}/").text
    assert f'href="/o/alder/invoices/{invoice.pk}/pdf/" download>Download PDF</a>' in page


def test_invoice_pdf_accepts_only_get(bob: Client, invoice: Invoice) -> None:
    assert bob.post(f"/o/alder/invoices/{invoice.pk}/pdf/").status_code == 405


def test_invoice_pdf_of_another_organization_is_404(mallory: Client, invoice: Invoice) -> None:
    assert mallory.get(f"/o/birch/invoices/{invoice.pk}/pdf/").status_code == 404
