"""The page of an earlier version of an invoice."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.billing.models import Event, Invoice
from tests.staff.invoices.test_detail import page_of, text_of
from tests.support import personas


def url(invoice: Invoice, version: int) -> str:
    return f"/o/alder/invoices/{invoice.pk}/versions/{version}/"


@pytest.fixture
def changed(invoice: Invoice) -> Invoice:
    """First $1,000.00, then $1,200.00, now $900.00."""
    personas.edit_invoice(invoice, 120_000)
    return personas.edit_invoice(invoice, 90_000)


def test_invoice_timeline_shows_changes_and_links_to_version(charlie: Client, changed: Invoice) -> None:
    page = page_of(charlie, changed)
    text = text_of(page)
    assert "Alice changed the invoice Total $1,200.00 → $900.00 Earlier version" in text
    assert "Total $1,000.00 → $1,200.00" in text
    assert url(changed, 2) in page
    assert url(changed, 3) in page


def test_invoice_version_page_shows_earlier_document(charlie: Client, changed: Invoice) -> None:
    text = text_of(charlie.get(url(changed, 2)).content.decode())
    for message in (
        "INV-0001, earlier version",
        "This is the invoice as it was until Alice changed it on",
        "Dana Whitfield",
        "Oak staircase",
        "Subtotal$1,000.00",
        "Total $1,000.00 → $1,200.00",
        "The version after",
    ):
        assert message in text
    assert "The version before" not in text


def test_last_invoice_version_is_compared_with_current(charlie: Client, changed: Invoice) -> None:
    text = text_of(charlie.get(url(changed, 3)).content.decode())
    assert "Total $1,200.00 → $900.00" in text
    assert "The version before" in text
    assert "The version after" not in text


def test_invoice_version_without_changes_is_marked(charlie: Client, invoice: Invoice) -> None:
    personas.edit_invoice(invoice, 100_000)
    assert "Nothing: it was saved as it was." in charlie.get(url(invoice, 2)).content.decode()


@pytest.mark.parametrize("version", [0, 1, 4, 10**30])
def test_unknown_invoice_version_is_404(charlie: Client, changed: Invoice, version: int) -> None:
    assert charlie.get(url(changed, version)).status_code == 404


@pytest.mark.parametrize(
    "data", [{}, {"before": {"total_minor": 5, "currency": "USD", "due_on": "2026-11-30"}}]
)
def test_edit_event_without_snapshot_has_no_version_link(
    charlie: Client, changed: Invoice, data: dict[str, object]
) -> None:
    figures = {"total_minor": 90_000, "currency": "USD", "due_on": "2026-11-30"}
    Event.objects.filter(type="invoice.edited").update(data={**figures, **data})
    page = page_of(charlie, changed)
    assert "Alice changed the invoice" in page
    assert "Earlier version" not in page
    assert charlie.get(url(changed, 2)).status_code == 404


def test_invoice_version_page_escapes_typed_text(charlie: Client, invoice: Invoice) -> None:
    invoice.lines.update(description="<i>Oak</i>")
    personas.edit_invoice(invoice, 100_000)
    page = charlie.get(url(invoice, 2)).content.decode()
    assert "<i>Oak</i>" not in page
    assert "&lt;i&gt;Oak&lt;/i&gt;" in page
