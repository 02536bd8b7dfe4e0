"""Tests of the checks of fees (M6)."""

from __future__ import annotations

import pytest

from partway.billing.models import Event, Invoice, Payment, Refund
from partway.lib.money import Money
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

WITH_FEE = Payment.objects.filter(fee_minor__isnull=False)
OFFLINE = Payment.objects.filter(gateway_account__isnull=True)
_NONE = {"fee_minor": None, "fee_currency": ""}
_FEE = {"fee_minor": 445, "fee_currency": "USD"}

CORRUPTIONS: dict[str, Case] = {
    "another fee than the event": ("M6", "a fee of 446 USD", overwrite(WITH_FEE, fee_minor=446)),
    "another currency than the event": ("M6", "a fee of 445 EUR", overwrite(WITH_FEE, fee_currency="EUR")),
    "fee without an event": (
        "M6",
        "a fee of 445 USD",
        reported_as(WITH_FEE, delete_events(Event.objects.filter(type="payment.fee_booked"), of="payment")),
    ),
    "event without the fee": ("M6", "a fee of None", overwrite(WITH_FEE, **_NONE)),
    "another fee of a refund": ("M6", "a fee of -4 USD", overwrite(Refund, fee_minor=-4)),
    "event without the fee of a refund": ("M6", "a fee of None", overwrite(Refund, **_NONE)),
    "fee of another refund": (
        "M6",
        "a fee of -3 USD",
        duplicate(Refund, gateway_ref="re_2"),
    ),
    "fee of an offline payment": (
        "M6",
        "recorded by hand, and has a fee",
        without_constraint(Payment, "payment_fee_of_gateway", overwrite(OFFLINE, **_FEE)),
    ),
    "fee of a refund by hand": (
        "M6",
        "recorded by hand, and has a fee",
        without_constraint(
            Refund, "refund_fee_of_gateway", overwrite(Refund, mode="offline", method="Cash", gateway_ref="")
        ),
    ),
}


@pytest.fixture
def with_fees(invoice: Invoice) -> Payment:
    """$300.00 online for $4.45, of which $100.00 were sent back and $0.03 of the fee; and a check."""
    payment = personas.captured_payment(invoice, 30_000, fee=Money(445, "USD"))
    personas.refund_in_dashboard(payment, 10_000, fee=Money(-3, "USD"))
    personas.record_check(invoice, 10_000)
    assert differences_of() == set()
    return payment


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_differences_of_fees(with_fees: Payment, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])
