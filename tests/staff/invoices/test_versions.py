"""Reading what an invoice said before it was changed."""

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


def test_the_timeline_says_what_changed_and_leads_to_what_was_said(charlie: Client, changed: Invoice) -> None:
    page = page_of(charlie, changed)
    text = text_of(page)
    assert "Alice changed the invoice Total $1,200.00 → $900.00 What it said before" in text
    assert "Total $1,000.00 → $1,200.00" in text
    assert url(changed, 2) in page
    assert url(changed, 3) in page


def test_a_version_reads_as_the_document_it_was(charlie: Client, changed: Invoice) -> None:
    text = text_of(charlie.get(url(changed, 2)).content.decode())
    for message in (
        "INV-0001, earlier version",
        "This is what it said until Alice changed it on",
        "Dana Whitfield",
        "Oak staircase",
        "Subtotal$1,000.00",
        "Total $1,000.00 → $1,200.00",
        "The version after",
    ):
        assert message in text
    assert "The version before" not in text


def test_the_last_one_is_compared_with_how_it_stands_now(charlie: Client, changed: Invoice) -> None:
    text = text_of(charlie.get(url(changed, 3)).content.decode())
    assert "Total $1,200.00 → $900.00" in text
    assert "The version before" in text
    assert "The version after" not in text


def test_saved_as_it_was_is_said(charlie: Client, invoice: Invoice) -> None:
    personas.edit_invoice(invoice, 100_000)
    assert "Nothing: it was saved as it was." in charlie.get(url(invoice, 2)).content.decode()


@pytest.mark.parametrize("version", [0, 1, 4, 10**30])
def test_what_was_never_replaced_is_not_there(charlie: Client, changed: Invoice, version: int) -> None:
    assert charlie.get(url(changed, version)).status_code == 404


@pytest.mark.parametrize(
    "data", [{}, {"before": {"total_minor": 5, "currency": "USD", "due_on": "2026-11-30"}}]
)
def test_a_change_from_before_versions_were_kept_has_no_link_and_breaks_nothing(
    charlie: Client, changed: Invoice, data: dict[str, object]
) -> None:
    figures = {"total_minor": 90_000, "currency": "USD", "due_on": "2026-11-30"}
    Event.objects.filter(type="invoice.edited").update(data={**figures, **data})
    page = page_of(charlie, changed)
    assert "Alice changed the invoice" in page
    assert "What it said before" not in page
    assert charlie.get(url(changed, 2)).status_code == 404


def test_what_was_typed_is_escaped(charlie: Client, invoice: Invoice) -> None:
    invoice.lines.update(description="<i>Oak</i>")
    personas.edit_invoice(invoice, 100_000)
    page = charlie.get(url(invoice, 2)).content.decode()
    assert "<i>Oak</i>" not in page
    assert "&lt;i&gt;Oak&lt;/i&gt;" in page
