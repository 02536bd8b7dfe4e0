"""An invoice as plain data, of which each test changes a part."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from partway.delivery.pdf.content import (
    Document,
    Headline,
    Issuer,
    LabeledValue,
    Line,
    Link,
    Recipient,
    Row,
    Stages,
)
from partway.lib.money import Money

URL = (
    "https://pay.alder.example/i/inv_01k3xyzabcdefghjkmnpqrstvw-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg/"
)


def usd(minor: int) -> Money:
    """Dollars, from cents."""
    return Money(minor, "USD")


def line(description: str = "Oak staircase", amount_minor: int = 100_000, currency: str = "USD") -> Line:
    """One line of one piece, without tax."""
    amount = Money(amount_minor, currency)
    return Line(description, Decimal(1), amount, Decimal(0), amount)


def invoice(**changes: Any) -> Document:
    """An invoice of $1,000.00, of which $300.00 is paid and $250.00 requested."""
    parts: dict[str, Any] = {
        "kind": "Invoice",
        "number": "INV-7",
        "document_date": date(2026, 11, 22),
        "issuer": Issuer("Alder Joinery", address="18 Quarry Lane\nBurlington", tax_number="47-1234567"),
        "recipient": Recipient("Dana Whitfield"),
        "facts": (LabeledValue("Number", "INV-7"), LabeledValue("Due", date(2026, 12, 6))),
        "headline": Headline("Total Amount Due", usd(70_000), "due Dec 6, 2026"),
        "sums": (Row("Total", usd(100_000), strong=True),),
        "stages": Stages(usd(100_000), usd(30_000), usd(25_000), "Paid", "Requested", "Left"),
        "link": Link(URL, "Scan to pay"),
        "lines": (line(),),
    }
    return Document(**{**parts, **changes})
