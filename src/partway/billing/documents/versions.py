"""What an invoice said before each change: kept whole in the event of the change, and read back from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from partway.lib.money import Money

from ..models import Event, Invoice


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stood; amounts in minor units."""

    description: str
    quantity: Decimal
    unit_amount_minor: int
    tax_percent: Decimal
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Version:
    """All that an invoice said; `version` counts from 1, `number` is what the customer calls it by."""

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
    lines: tuple[Line, ...]

    @property
    def total(self) -> Money:
        """Sum of the lines after discount, with tax."""
        return Money(self.total_minor, self.currency)


def snapshot(invoice: Invoice) -> dict[str, Any]:
    """All that an invoice says now, as an event keeps it: amounts in minor units, decimals as text."""
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
    """What the invoice says now."""
    return _read(snapshot(invoice))


def before(event: Event) -> Version | None:
    """What the invoice said before this change; None where the event does not keep all of it, as the first ones did."""
    kept = event.data.get("before", {}) if event.type == "invoice.edited" else {}
    return _read(kept) if "lines" in kept and "version" in kept else None


def earlier(invoice: Invoice) -> list[tuple[Version, Event]]:
    """Each version that was replaced, oldest first, with the event that replaced it."""
    changes = Event.objects.filter(invoice=invoice, type="invoice.edited").order_by("created_at", "id")
    return [(version, event) for event in changes if (version := before(event))]


def _read(kept: dict[str, Any]) -> Version:
    lines = [{**line, **_decimals(line, "quantity", "tax_percent")} for line in kept["lines"]]
    message = {"number": "", "discount_kind": "", "discount_percent": "0", **kept}
    return Version(
        **{
            **message,
            **_decimals(message, "discount_percent"),
            "due_on": date.fromisoformat(kept["due_on"]),
            "lines": tuple(Line(**line) for line in lines),
        }
    )


def _decimals(kept: dict[str, Any], *names: str) -> dict[str, Decimal]:
    return {name: Decimal(kept[name]) for name in names}
