"""Tests of the checks of rests that were settled without a payment (M2, M6, D3)."""

from __future__ import annotations

import pytest

from partway.billing.events import Actor
from partway.billing.models import Adjustment, Customer, Event, Invoice
from partway.billing.receivables import settlements
from partway.billing.receivables.settlements import Settlement
from partway.lib.clock import now
from tests.billing.receivables.test_offline_payments import record
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

SIGN = "adjustment_sign_fits_cause"
SETTLED = Adjustment.objects.filter(cause="settled")
TAKEN_BACK = Adjustment.objects.filter(cause="invoice_changed")
SETTLED_EVENT = Event.objects.filter(type="invoice.settled")
TAKEN_BACK_EVENT = Event.objects.filter(type="invoice.adjustment_taken_back")

CORRUPTIONS: dict[str, Case] = {
    "settled below adjustments": ("M2", "settled 0, adjustments 300", overwrite(Invoice, adjusted_minor=0)),
    "paid with a settled rest too few": (
        "M2",
        "paid with 99200 paid and 799 settled of 100000",
        overwrite(Invoice, status="paid", adjusted_minor=799),
    ),
    "negative settled": (
        "M2",
        "-1 settled",
        without_constraint(Invoice, "invoice_amount_due_not_negative", overwrite(Invoice, adjusted_minor=-1)),
    ),
    "negative without the row that it takes back": (
        "M2",
        "-500 by invoice_changed",
        without_constraint(Adjustment, SIGN, overwrite(TAKEN_BACK, taken_from=None)),
    ),
    "taken back beyond itself": (
        "M2",
        "400, of which -500 is taken back",
        overwrite(SETTLED, amount_minor=400),
    ),
    "another currency than its invoice": (
        "M2",
        "800 CAD on inv_",
        overwrite(SETTLED, currency="CAD"),
    ),
    "settled without an event": (
        "M6",
        "no event says so",
        reported_as(SETTLED, delete_events(SETTLED_EVENT, of="invoice")),
    ),
    "settled for another reason than the event": (
        "M6",
        "800 settled as goodwill",
        overwrite(SETTLED, reason="goodwill"),
    ),
    "another amount than the event": ("M6", "801 settled as fee", overwrite(SETTLED, amount_minor=801)),
    "taken back without an event": (
        "M6",
        "taken back on",
        reported_as(TAKEN_BACK, delete_events(TAKEN_BACK_EVENT, of="invoice")),
    ),
    "settled twice": ("M6", "no event says so", duplicate(SETTLED)),
    "void but settled": (
        "D3",
        "void with 99200 paid, 300 settled",
        overwrite(Invoice, status="void"),
    ),
}


@pytest.fixture
def partly_settled(dana: Customer, alice: Actor) -> Invoice:
    """$1,000.00, of which $992.00 is paid, $8.00 was settled and $5.00 of that is due again."""
    invoice = personas.sent_invoice(dana)
    record(invoice, 99_200, alice, settlement=Settlement("fee"))
    personas.edit_invoice(invoice, 99_500)
    personas.edit_invoice(invoice, 100_000)
    assert differences_of() == set()
    return invoice


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_differences_of_settled_rest(partly_settled: Invoice, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_row_that_takes_back_of_another_invoice(
    partly_settled: Invoice, dana: Customer, alice: Actor
) -> None:
    other = personas.sent_invoice(dana)
    record(other, 99_200, alice)
    theirs = settlements.settle(other, settlement=Settlement("fee"), by=alice, now=now())
    assert is_detected(
        ("M2", "does not fit", overwrite(Adjustment.objects.filter(amount_minor__lt=0), taken_from=theirs))
    )
