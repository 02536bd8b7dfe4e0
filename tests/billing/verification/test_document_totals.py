"""Tests of the checks of lines, totals, currencies and sent documents (M1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from partway.billing.models import (
    Allocation,
    Customer,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentRequest,
    Quote,
    QuoteLine,
)
from partway.lib.clock import now
from tests.billing.verification.corruption import Case, is_detected, overwrite, without_constraint
from tests.support import personas


@pytest.fixture
def documents(paid: Payment, dana: Customer, erin: Customer) -> None:
    """An invoice that was paid in part, and a quote that was sent."""
    personas.sent_quote(dana)


MORE = {"subtotal_minor": F("subtotal_minor") + 1, "total_minor": F("total_minor") + 1}
LESS = {"discount_minor": 100, "total_minor": F("total_minor") - 100}

CORRUPTIONS: dict[str, Case] = {
    "a line that is not quantity times price": (
        "M1",
        "line amount 99999 is not 1 times 100000",
        overwrite(InvoiceLine, amount_minor=99_999),
    ),
    "the same on a quote": ("M1", "line amount 1 is not", overwrite(QuoteLine, amount_minor=1)),
    "a total that is not what the lines say": (
        "M1",
        "subtotal, discount and tax are",
        overwrite(Invoice, **MORE),
    ),
    "discount differs from terms": ("M1", "(100000, 100, 0)", overwrite(Invoice, **LESS)),
    "the total of a quote": ("M1", "subtotal, discount and tax are", overwrite(Quote, **MORE)),
    "a currency that there is not": ("M1", "XXX is not a currency", overwrite(Invoice, currency="XXX")),
    "the same on a quote, too": ("M1", "XXX is not a currency", overwrite(Quote, currency="XXX")),
    "money in a currency that there is not": (
        "M1",
        "XXX is not a currency",
        overwrite(Payment, captured_currency="XXX"),
    ),
    "a request in another currency": ("M1", "asks for CAD", overwrite(PaymentRequest, currency="CAD")),
    "a payment in another currency": ("M1", "is in CAD", overwrite(Payment, currency="CAD")),
    "an allocation in another currency": (
        "M1",
        "allocates CAD: USD came in",
        overwrite(Allocation, currency="CAD"),
    ),
    "number without sent event": (
        "M1",
        "INV-0007 for",
        overwrite(Invoice, number="INV-0007"),
    ),
    "a sent invoice of no number": (
        "M1",
        "was never sent",
        without_constraint(Invoice, "invoice_numbered_when_sent", overwrite(Invoice, number=None)),
    ),
    "sent at another time": ("M1", "was never sent", overwrite(Invoice, sent_at=now() - timedelta(days=1))),
    "a deposit that was not offered": ("M1", "deposit 1, was never sent", overwrite(Quote, deposit_minor=1)),
    "a quote sent at another time": (
        "M1",
        "was never sent",
        overwrite(Quote, sent_at=now() - timedelta(days=1)),
    ),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_wrong_document_totals(documents: None, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_invoice_sent_to_another_customer(invoice: Invoice, erin: Customer) -> None:
    assert is_detected(("M1", "was never sent", overwrite(Invoice, customer=erin)))


def test_verify_finds_quote_sent_to_another_customer(documents: None, erin: Customer) -> None:
    assert is_detected(("M1", "was never sent", overwrite(Quote, customer=erin)))
