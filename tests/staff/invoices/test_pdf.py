"""The PDF of an invoice, for every member."""

from __future__ import annotations

from django.test import Client

from partway.billing.models import Customer, Invoice
from tests.support import pdf_text, personas


def test_a_reader_can_save_it(charlie: Client, invoice: Invoice) -> None:
    response = charlie.get(f"/o/alder/invoices/{invoice.pk}/pdf/")
    assert response.headers["Content-Disposition"] == f'inline; filename="Invoice-{invoice.number}.pdf"'
    assert "no-store" in response.headers["Cache-Control"]
    assert "Total Amount Due $1,000.00" in pdf_text.text(response.content)


def test_a_draft_is_marked_as_one(bob: Client, dana: Customer) -> None:
    response = bob.get(f"/o/alder/invoices/{personas.draft_invoice(dana).pk}/pdf/")
    assert "Draft Invoice" in pdf_text.text(response.content)


def test_the_page_offers_it_to_all(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get(f"/o/alder/invoices/{invoice.pk}/").text
    assert f'href="/o/alder/invoices/{invoice.pk}/pdf/" download>Download PDF</a>' in page


def test_it_is_only_looked_at(bob: Client, invoice: Invoice) -> None:
    assert bob.post(f"/o/alder/invoices/{invoice.pk}/pdf/").status_code == 405


def test_nobody_elses_invoice_can_be_saved(mallory: Client, invoice: Invoice) -> None:
    assert mallory.get(f"/o/birch/invoices/{invoice.pk}/pdf/").status_code == 404
