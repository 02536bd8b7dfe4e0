"""The differences between two versions of an invoice, as sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from partway.billing.documents.versions import LineVersion, Version
from partway.billing.models import Party
from partway.staff.invoices.differences import diff

OAK = LineVersion("Oak staircase", Decimal(1), 100_000, Decimal(0), 100_000)
OIL = LineVersion("Oil, per liter", Decimal("1.5"), 2_000, Decimal("8.25"), 3_000)
FIT = LineVersion("Fitting", Decimal(2), 5_000, Decimal(0), 10_000)
OLD = Version(
    version=1,
    number="INV-0001",
    customer="Dana Whitfield",
    issued_by="pty_seller",
    issued_to="pty_dana",
    currency="USD",
    due_on=date(2026, 11, 30),
    notes="",
    discount_kind="",
    discount_percent=Decimal(0),
    subtotal_minor=103_000,
    discount_minor=0,
    tax_minor=248,
    total_minor=103_248,
    lines=(OAK, OIL),
)
PARTIES = {
    "pty_seller": Party(name="Alder Joinery", address="1 Mill Lane\nBurlington"),
    "pty_new_seller": Party(name="Elm Joinery", address="1 Mill Lane\nBurlington", tax_number="99"),
    "pty_dana": Party(name="Dana Whitfield", email="dana@customer.example"),
    "pty_moved": Party(name="Dana Whitfield", email="dana@customer.example", address="2 New Road"),
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, []),
        ({"version": 2, "subtotal_minor": 1}, []),
        ({"total_minor": 120_000}, ["Total $1,032.48 → $1,200.00"]),
        ({"due_on": date(2026, 12, 14)}, ["Due Nov 30, 2026 → Dec 14, 2026"]),
        ({"due_days": 14}, ["Due Nov 30, 2026 → 14 days after sending"]),
        ({"customer": "Eli"}, ["Customer Dana Whitfield → Eli"]),
        (
            {"issued_to": "pty_moved"},
            ["Customer’s details dana@customer.example → 2 New Road, dana@customer.example"],
        ),
        (
            {"issued_by": "pty_new_seller"},
            ["Sender Alder Joinery, 1 Mill Lane Burlington → Elm Joinery, 1 Mill Lane Burlington, 99"],
        ),
        ({"issued_by": "", "issued_to": ""}, []),  # of a draft, which shows what is stored now
        ({"tax_minor": 0}, ["Tax $2.48 → $0.00"]),
        ({"discount_kind": "amount", "discount_minor": 5_000}, ["Discount none → $50.00"]),
        (
            {"discount_kind": "percent", "discount_percent": Decimal("12.5"), "discount_minor": 12_875},
            ["Discount none → 12.5% ($128.75)"],
        ),
        ({"notes": "Thank\nyou"}, ["Notes none → “Thank you”"]),
        ({"notes": "x" * 81}, ["The notes changed"]),
        ({"lines": (OIL, OAK)}, ["The order of the lines changed"]),
        ({"lines": (OAK, OIL, FIT)}, ["Line added: “Fitting”, 2 × $50.00"]),
        ({"lines": (OAK,)}, ["Line removed: “Oil, per liter”, 1.5 × $20.00"]),
        ({"lines": (OAK, OIL, OIL)}, ["Line added: “Oil, per liter”, 1.5 × $20.00"]),
        (
            {
                "lines": (
                    OAK,
                    replace(OIL, quantity=Decimal(2), unit_amount_minor=1_950, tax_percent=Decimal(0)),
                )
            },
            ["Line “Oil, per liter”: quantity 1.5 → 2, unit price $20.00 → $19.50, tax 8.25% → 0%"],
        ),
        (
            {"lines": (replace(OAK, description="Ash staircase"), OIL)},
            ["Line “Oak staircase”: now “Ash staircase”"],
        ),
        (
            {"lines": (replace(OAK, unit_amount_minor=90_000), FIT)},
            [
                "Line “Oak staircase”: unit price $1,000.00 → $900.00",
                "Line added: “Fitting”, 2 × $50.00",
                "Line removed: “Oil, per liter”, 1.5 × $20.00",
            ],
        ),
    ],
)
def test_each_invoice_version_difference_is_a_sentence(
    changes: dict[str, object], message: list[str]
) -> None:
    assert diff(OLD, replace(OLD, **changes), PARTIES) == message  # type: ignore[arg-type]


def test_version_difference_of_currency_shows_both_currencies() -> None:
    yen = replace(OLD, currency="JPY", total_minor=480, tax_minor=2)
    assert diff(OLD, yen, PARTIES)[:2] == ["Total $1,032.48 → ¥480", "Tax $2.48 → ¥2"]
