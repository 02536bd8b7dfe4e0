"""Reads the versions of an invoice: the event of each edit keeps the version before it whole (DESIGN D9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ..models import Event, Invoice
from ..models.fields import MoneyOf


@dataclass(frozen=True, slots=True)
class LineVersion:
    """One line of a version; amounts in minor units."""

    description: str
    quantity: Decimal
    unit_amount_minor: int
    tax_percent: Decimal
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Version:
    """The content of an invoice at one time; `version` counts from 1, `customer` is the customer's name then."""

    version: int
    number: str
    customer: str
    currency: str
    due_on: date
    notes: str
    discount_kind: str
    discount_percent: Decimal
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    lines: tuple[LineVersion, ...]

    total = MoneyOf("total_minor")


def snapshot(invoice: Invoice) -> dict[str, Any]:
    """Returns the invoice's content as JSON for an event: amounts in minor units, decimals as text."""
    return {
        "version": invoice.version,
        "number": invoice.number or "",
        "customer": invoice.customer.name,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
        "notes": invoice.notes,
        "discount_kind": invoice.discount_kind,
        "discount_percent": str(invoice.discount_percent),
        "subtotal_minor": invoice.subtotal_minor,
        "discount_minor": invoice.discount_minor,
        "tax_minor": invoice.tax_minor,
        "total_minor": invoice.total_minor,
        "lines": [
            {
                "description": line.description,
                "quantity": str(line.quantity),
                "unit_amount_minor": line.unit_amount_minor,
                "tax_percent": str(line.tax_percent),
                "amount_minor": line.amount_minor,
            }
            for line in invoice.lines.all()
        ],
    }


def current_version(invoice: Invoice) -> Version:
    """Returns the invoice's content now."""
    return _parse(snapshot(invoice))


def version_before(event: Event) -> Version | None:
    """Returns the version that this event replaced; None for other events, and for the first ones, which kept less."""
    stored = event.data.get("before", {}) if event.type == "invoice.edited" else {}
    return _parse(stored) if "lines" in stored and "version" in stored else None


def previous_versions(invoice: Invoice) -> list[tuple[Version, Event]]:
    """Returns each replaced version, oldest first, with the event that replaced it."""
    edits = Event.objects.filter(invoice=invoice, type="invoice.edited").order_by("created_at", "id")
    return [(version, event) for event in edits if (version := version_before(event))]


def _parse(stored: dict[str, Any]) -> Version:
    # The first snapshots had no number and no terms of the discount.
    content = {"number": "", "discount_kind": "", "discount_percent": "0", **stored}
    content["due_on"] = date.fromisoformat(stored["due_on"])
    content["discount_percent"] = Decimal(content["discount_percent"])
    content["lines"] = tuple(
        LineVersion(
            **{
                **line,
                "quantity": Decimal(line["quantity"]),
                "tax_percent": Decimal(line["tax_percent"]),
            }
        )
        for line in stored["lines"]
    )
    return Version(**content)
