"""Tests of previous versions of an invoice: each can be read exactly as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from partway.billing.documents import invoices, versions
from partway.billing.documents.drafts import LineDraft
from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice
from partway.lib.clock import now as present
from partway.lib.money import Money

LINES = (
    LineDraft("Linseed oil, per liter", Decimal("1.5"), 2_145, Decimal("8.875")),
    LineDraft("Fitting", Decimal(1), 90_000, Decimal(0)),
)


def full_invoice(dana: Customer, alice: Actor) -> tuple[Invoice, InvoiceDraft]:
    """A sent invoice with everything an invoice can have, and what it was made of."""
    draft = InvoiceDraft(
        customer=dana,
        currency="USD",
        due_on=present().date() + timedelta(days=9),
        lines=LINES,
        discount_kind="percent",
        discount_percent=Decimal("12.5"),
        notes="Thank you.\nUntil soon.",
    )
    made = invoices.create(dana.organization, draft=draft, by=alice, now=present())
    return invoices.send(made, by=alice, now=present()), draft


def change(invoice: Invoice, draft: InvoiceDraft, by: Actor) -> Invoice:
    version = Invoice.objects.get(pk=invoice.pk).version
    return invoices.edit(invoice, draft=draft, expected_version=version, by=by, now=present())


def test_earlier_invoice_version_equals_invoice_before_edit(dana: Customer, alice: Actor) -> None:
    invoice, draft = full_invoice(dana, alice)
    was = versions.current_version(invoice)
    change(invoice, replace(draft, lines=LINES[:1], notes="", discount_kind=""), alice)
    [(before, event)] = versions.previous_versions(invoice)
    assert before == was
    assert event.actor_label == "Alice"
    assert (before.number, before.version, before.customer) == ("INV-0001", 2, "Dana Whitfield")
    assert (before.total, before.discount_percent) == (Money(invoice.total_minor, "USD"), Decimal("12.5"))
    assert [(line.quantity, line.tax_percent) for line in before.lines] == [
        (Decimal("1.5"), Decimal("8.875")),
        (Decimal(1), Decimal(0)),
    ]


def test_invoice_versions_are_kept_in_order(dana: Customer, alice: Actor) -> None:
    invoice, draft = full_invoice(dana, alice)
    for notes in ("Second", "Third"):
        change(invoice, replace(draft, notes=notes), alice)
    assert [version.notes for version, _ in versions.previous_versions(invoice)] == [draft.notes, "Second"]


def test_edit_event_without_snapshot_is_no_invoice_version(dana: Customer, alice: Actor) -> None:
    invoice, draft = full_invoice(dana, alice)
    change(invoice, draft, alice)
    figures = {"total_minor": 100_000, "currency": "USD", "due_on": "2026-11-30"}
    for data in ({"before": figures}, {}):
        Event.objects.filter(type="invoice.edited").update(data=data)
        assert versions.previous_versions(invoice) == []


def test_invoice_version_without_number_and_discount_is_readable(dana: Customer, alice: Actor) -> None:
    invoice, draft = full_invoice(dana, alice)
    change(invoice, draft, alice)
    event = Event.objects.get(type="invoice.edited")
    for name in ("number", "discount_kind", "discount_percent"):
        del event.data["before"][name]
    event.save()
    [(before, _)] = versions.previous_versions(invoice)
    assert (before.number, before.discount_kind, before.discount_percent) == ("", "", Decimal(0))
