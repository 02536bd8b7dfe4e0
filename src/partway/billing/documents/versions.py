"""Reads the versions of an invoice: the event of each change keeps the version before it whole (DESIGN D9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ..models import Event, Invoice, Quote
from ..models.fields import MoneyOf

# The events that replace a version of an invoice; each has it in its data as `before`.
_REPLACING = ("invoice.edited", "invoice.parties_corrected")
_NO_PARTIES = {"issued_by": "", "issued_to": ""}


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
    """The content of an invoice at one time; `version` counts from 1, `customer` is the customer's name then.

    `issued_by` and `issued_to` are the ids of the parties of a sent one, and empty for a draft.
    """

    version: int
    number: str
    customer: str
    issued_by: str
    issued_to: str
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
    due_days: int | None = None  # the terms of a draft in days after sending

    total = MoneyOf("total_minor")


def snapshot(invoice: Invoice) -> dict[str, Any]:
    """Returns the invoice's content as JSON for an event: amounts in minor units, decimals as text."""
    return {
        "version": invoice.version,
        "number": invoice.number or "",
        "customer": invoice.recipient.name,
        "issued_by": invoice.issued_by_id or "",
        "issued_to": invoice.issued_to_id or "",
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
        "due_days": invoice.due_days,
        "notes": invoice.notes,
        "discount_kind": invoice.discount_kind,
        "discount_percent": str(invoice.discount_percent),
        "subtotal_minor": invoice.subtotal_minor,
        "discount_minor": invoice.discount_minor,
        "tax_minor": invoice.tax_minor,
        "total_minor": invoice.total_minor,
        "lines": line_data(invoice),
    }


def line_data(document: Invoice | Quote) -> list[dict[str, Any]]:
    """Returns the lines of a document as JSON for an event: amounts in minor units, decimals as text."""
    return [
        {
            "description": line.description,
            "quantity": str(line.quantity),
            "unit_amount_minor": line.unit_amount_minor,
            "tax_percent": str(line.tax_percent),
            "amount_minor": line.amount_minor,
        }
        for line in document.lines.all()
    ]


def current_version(invoice: Invoice) -> Version:
    """Returns the invoice's content now."""
    return _parse(snapshot(invoice))


def version_before(event: Event) -> Version | None:
    """Returns the version that this event replaced; None for other events, and for the first ones, which kept less."""
    stored = event.data.get("before", {}) if event.type in _REPLACING else {}
    return _parse(stored) if "lines" in stored and "version" in stored else None


def previous_versions(invoice: Invoice) -> list[tuple[Version, Event]]:
    """Returns each replaced version, oldest first, with the event that replaced it."""
    changes = Event.objects.filter(invoice=invoice, type__in=_REPLACING).order_by("created_at", "id")
    return [(version, event) for event in changes if (version := version_before(event))]


def _parse(stored: dict[str, Any]) -> Version:
    # The first snapshots had no number, no terms of the discount and no parties.
    content = {"number": "", "discount_kind": "", "discount_percent": "0", **_NO_PARTIES, **stored}
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
