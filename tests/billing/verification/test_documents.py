"""Tests of the checks of deposits, void invoices and versions (D1 to D3, D8)."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.models import Allocation, Customer, Event, Invoice, Payment, Quote
from partway.billing.receivables import write_offs
from partway.lib.clock import now
from tests.billing.verification.corruption import (
    Case,
    delete_events,
    differences_of,
    duplicate,
    is_detected,
    overwrite,
    reported_as,
    without_constraint,
)
from tests.support import personas

TERMS, TWICE = "quote_deposit_within_total", "one_deposit_per_quote"
WAITS = {
    "status": "capturing",
    "accepted": None,
    "captured_minor": None,
    "issued_by": None,
    "issued_to": None,
    "settled_at": None,
    "allocated_minor": 0,
}

CORRUPTIONS: dict[str, Case] = {
    "deposit differs from terms": (
        "D1",
        "deposit 29999, its terms say 30000",
        overwrite(Quote, deposit_minor=29_999),
    ),
    "payment of a part of the deposit": (
        "D1",
        "asks for 10000, the deposit is 30000",
        overwrite(Payment, amount_minor=10_000),
    ),
    "a second deposit": (
        "D1",
        "a second deposit of quo_",
        without_constraint(Payment, TWICE, duplicate(Payment)),
    ),
    "deposit of declined quote": (
        "D1",
        "which is declined",
        reported_as(
            Payment,
            without_constraint(Quote, "quote_accepted_by_set", overwrite(Quote, status="declined")),
        ),
    ),
    "invoiced quote without invoice": (
        "D2",
        "no invoice was made of it",
        reported_as(Quote, overwrite(Invoice, quote=None)),
    ),
    "an invoice of a quote that is not invoiced": (
        "D2",
        "does not fit quo_",
        reported_as(Invoice, overwrite(Quote, status="accepted")),
    ),
    "an invoice in another currency than its quote": (
        "D2",
        "does not fit quo_",
        overwrite(Invoice, currency="CAD"),
    ),
    "unsettled deposit of invoiced quote": (
        "D2",
        "capturing, but quo_",
        overwrite(Payment, **WAITS),
    ),
    "sent invoice without deposit": (
        "D2",
        "was sent without the deposit of quo_",
        reported_as(Invoice, overwrite(Allocation, cause="credit")),
    ),
    "deposit allocated twice": ("D2", "was allocated as a deposit before", duplicate(Allocation)),
    "void invoice with amount paid": ("D3", "void with 30000 paid", overwrite(Invoice, status="void")),
    "invoice version without event": ("D8", "version 4, its events say 2", overwrite(Invoice, version=4)),
    "quote version without event": (
        "D8",
        "version 4, its events say 1",
        overwrite(Quote, version=4),
    ),
}


@pytest.fixture
def invoiced(dana: Customer) -> Invoice:
    """A sent invoice of a quote whose deposit of $300.00 was paid by check."""
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    by = personas.owner_actor(dana.organization)
    return invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_document_differences(invoiced: Invoice, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_invoice_of_another_customer_than_its_quote(invoiced: Invoice, erin: Customer) -> None:
    assert is_detected(("D2", "does not fit quo_", overwrite(Invoice, customer=erin)))


def test_verify_finds_invoice_version_without_event(invoiced: Invoice) -> None:
    write_offs.write_off(invoiced, by=personas.owner_actor(invoiced.organization), now=now())
    corruption = delete_events(Event.objects.filter(type="invoice.written_off"), of="invoice")
    assert is_detected(("D8", "version 3, its events say 2", corruption))


def test_write_off_and_reopen_add_two_invoice_versions(invoiced: Invoice) -> None:
    by = personas.owner_actor(invoiced.organization)
    write_offs.reopen(write_offs.write_off(invoiced, by=by, now=now()), by=by, now=now())
    assert Invoice.objects.get().version == 4
    assert differences_of() == set()
