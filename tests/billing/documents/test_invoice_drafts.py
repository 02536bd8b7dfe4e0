"""Tests of creating and editing draft invoices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from partway.billing.documents import invoices
from partway.billing.documents.drafts import LineDraft
from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.errors import Conflict, Invalid, Stale
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice
from partway.billing.people.customers import CustomerDetails
from partway.lib.clock import now as present
from partway.lib.money import MAX_AMOUNT_MINOR
from tests.support import personas

OAK = LineDraft("Oak staircase", Decimal("1.5"), 20_001, Decimal(10))
OIL = LineDraft("Oil finish", Decimal(3), 1_000, Decimal("7.25"))


def draft(dana: Customer, **changes: Any) -> InvoiceDraft:
    typed = InvoiceDraft(customer=dana, currency="USD", due_on=date(2026, 12, 1), lines=(OAK, OIL))
    return replace(typed, **changes)


def write(dana: Customer, by: Actor, **changes: Any) -> Invoice:
    return invoices.create(dana.organization, draft=draft(dana, **changes), by=by, now=present())


def test_a_new_invoice_is_a_draft_without_a_number(dana: Customer, alice: Actor) -> None:
    invoice = write(dana, alice)
    assert (invoice.status, invoice.number, invoice.version) == ("draft", None, 1)
    assert Event.objects.get(invoice=invoice).type == "invoice.created"


def test_invoice_totals_follow_from_its_lines(dana: Customer, alice: Actor) -> None:
    invoice = Invoice.objects.get(pk=write(dana, alice).pk)
    assert [line.amount_minor for line in invoice.lines.all()] == [30_002, 3_000]  # 30,001.5 rounds half up
    assert (invoice.subtotal_minor, invoice.tax_minor) == (33_002, 3_000 + 218)
    assert invoice.total_minor == 36_220


def test_a_percent_discount_comes_off_before_tax(dana: Customer, alice: Actor) -> None:
    lines = (LineDraft("Work", Decimal(1), 10_000, Decimal(20)),)
    invoice = write(dana, alice, lines=lines, discount_kind="percent", discount_percent=Decimal("12.5"))
    assert (invoice.discount_minor, invoice.tax_minor, invoice.total_minor) == (1_250, 1_750, 10_500)


def test_a_discount_amount_comes_off_before_tax(dana: Customer, alice: Actor) -> None:
    lines = (LineDraft("Work", Decimal(1), 10_000, Decimal(20)),)
    invoice = write(dana, alice, lines=lines, discount_kind="amount", discount_amount_minor=2_000)
    assert (invoice.discount_minor, invoice.tax_minor, invoice.total_minor) == (2_000, 1_600, 9_600)


def test_line_quantity_and_tax_round_trip_exactly(dana: Customer, alice: Actor) -> None:
    line = replace(OAK, quantity=Decimal("0.3333"), tax_percent=Decimal("8.8750"))
    stored = write(dana, alice, lines=(line,)).lines.get()
    assert (str(stored.quantity), str(stored.tax_percent)) == ("0.3333", "8.875")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("lines", {"lines": ()}),
        ("lines", {"lines": (OAK,) * 201}),
        ("lines", {"lines": (replace(OAK, unit_amount_minor=MAX_AMOUNT_MINOR),)}),
        ("currency", {"currency": "XYZ"}),
        ("new_customer_email", {"new_customer": CustomerDetails("Nora", "nora@")}),
        ("notes", {"notes": "x" * 2001}),
        ("lines.0.description", {"lines": (replace(OAK, description=" "),)}),
        ("lines.0.description", {"lines": (replace(OAK, description="x" * 301),)}),
        ("lines.0.quantity", {"lines": (replace(OAK, quantity=Decimal(0)),)}),
        ("lines.0.quantity", {"lines": (replace(OAK, quantity=Decimal("0.00001")),)}),
        ("lines.0.quantity", {"lines": (replace(OAK, quantity=Decimal(10**8 + 1)),)}),
        ("lines.0.quantity", {"lines": (replace(OAK, quantity=Decimal("1e40")),)}),
        ("lines.0.quantity", {"lines": (replace(OAK, quantity=Decimal("NaN")),)}),
        ("lines.1.unit_amount", {"lines": (OAK, replace(OIL, unit_amount_minor=-1))}),
        ("lines.1.tax_percent", {"lines": (OAK, replace(OIL, tax_percent=Decimal("100.0001")))}),
        ("lines.1.tax_percent", {"lines": (OAK, replace(OIL, tax_percent=Decimal("-1")))}),
        ("discount_percent", {"discount_kind": "percent", "discount_percent": Decimal(101)}),
        ("discount_percent", {"discount_kind": "percent", "discount_percent": Decimal("NaN")}),
        ("discount_amount", {"discount_kind": "amount", "discount_amount_minor": 33_003}),
        ("discount_amount", {"discount_kind": "amount", "discount_amount_minor": -1}),
    ],
)
def test_invoice_with_invalid_field_is_refused_by_field(
    dana: Customer, alice: Actor, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refusal:
        write(dana, alice, **changes)
    assert set(refusal.value.fields) == {field}
    assert not Invoice.objects.exists()


def test_invoice_for_customer_of_another_organization_is_refused(dana: Customer, alice: Actor) -> None:
    stranger = personas.customer(personas.mallory().organization, "Eve")
    with pytest.raises(Invalid) as refusal:
        invoices.create(dana.organization, draft=draft(stranger), by=alice, now=present())
    assert set(refusal.value.fields) == {"customer"}


def test_draft_invoice_edit_replaces_lines(dana: Customer, alice: Actor) -> None:
    invoice = write(dana, alice)
    edited = invoices.edit(
        invoice, draft=draft(dana, lines=(OIL,)), expected_version=1, by=alice, now=present()
    )
    assert (edited.version, edited.total_minor, edited.lines.count()) == (2, 3_218, 1)
    event = Event.objects.get(type="invoice.edited")
    assert (event.data["before"]["total_minor"], event.data["total_minor"]) == (36_220, 3_218)


def test_draft_invoice_edit_of_outdated_version_raises_stale(dana: Customer, alice: Actor) -> None:
    invoice = write(dana, alice)
    invoices.edit(invoice, draft=draft(dana, notes="first"), expected_version=1, by=alice, now=present())
    with pytest.raises(Stale):
        invoices.edit(invoice, draft=draft(dana, notes="second"), expected_version=1, by=alice, now=present())
    assert Invoice.objects.get().notes == "first"


def test_invalid_draft_invoice_edit_changes_nothing(dana: Customer, alice: Actor) -> None:
    invoice = write(dana, alice)
    with pytest.raises(Invalid):
        invoices.edit(invoice, draft=draft(dana, lines=()), expected_version=1, by=alice, now=present())
    assert (Invoice.objects.get().version, invoice.lines.count()) == (1, 2)


def test_void_invoice_cannot_be_edited(invoice: Invoice, dana: Customer, alice: Actor) -> None:
    invoice = invoices.void(invoice, by=alice, now=present())
    with pytest.raises(Conflict):
        invoices.edit(invoice, draft=draft(dana), expected_version=invoice.version, by=alice, now=present())
