"""Tests of the checks of amounts paid, allocations, credit and captured amounts (M2 to M4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.billing.events import Actor
from partway.billing.models import Allocation, Customer, Invoice, Payment
from partway.billing.receivables import credit
from partway.lib.clock import now
from partway.lib.money import Money
from tests.billing.receivables.test_offline_payments import record
from tests.billing.verification.corruption import (
    Case,
    differences_of,
    duplicate,
    is_detected,
    overwrite,
    reported_as,
    without_constraint,
)
from tests.support import personas

WITHIN, SIGN = "payment_allocated_within_captured", "allocation_sign_fits_cause"
OFFLINE = Payment.objects.filter(gateway_account=None)

CORRUPTIONS: dict[str, Case] = {
    "amount paid above allocations": (
        "M2",
        "amount paid 30001, allocations 30000",
        overwrite(Invoice, amount_paid_minor=30_001),
    ),
    "amount paid below allocations": (
        "M2",
        "amount paid 0, allocations 30000",
        overwrite(Invoice, amount_paid_minor=0),
    ),
    "sent without an amount due": (
        "M2",
        "sent with 100000 paid and 0 settled of 100000",
        overwrite(Invoice, amount_paid_minor=100_000),
    ),
    "paid with an amount due": (
        "M2",
        "paid with 30000 paid and 0 settled of 100000",
        overwrite(Invoice, status="paid"),
    ),
    "written off without an amount due": (
        "M2",
        "written_off with 100000",
        overwrite(Invoice, status="written_off", amount_paid_minor=100_000),
    ),
    "negative amount paid": (
        "M2",
        "with -1 paid",
        without_constraint(
            Invoice, "invoice_amount_due_not_negative", overwrite(Invoice, amount_paid_minor=-1)
        ),
    ),
    "allocated amount below allocations": (
        "M3",
        "allocated 29999, allocations 30000",
        overwrite(Payment, allocated_minor=29_999),
    ),
    "captured below allocated": (
        "M3",
        "captured 29999, allocated 30000",
        without_constraint(Payment, WITHIN, overwrite(Payment, captured_minor=29_999)),
    ),
    "allocated without capture": (
        "M3",
        "failed, but allocated 30000",
        without_constraint(
            Payment,
            WITHIN,
            overwrite(Payment, status="failed", captured_minor=None, issued_by=None, issued_to=None),
        ),
    ),
    "reversed online payment": (
        "M3",
        "it was paid through a gateway",
        without_constraint(
            Payment, "payment_reversed_only_offline", overwrite(Payment, status="reversed", allocated_minor=0)
        ),
    ),
    "negative allocation by payment": (
        "M3",
        "-30000 because of payment",
        without_constraint(Allocation, SIGN, overwrite(Allocation, amount_minor=-30_000)),
    ),
    "positive deallocation": (
        "M3",
        "30000 because of edited",
        without_constraint(Allocation, SIGN, overwrite(Allocation, cause="edited")),
    ),
    "unknown cause": (
        "M3",
        "30000 because of luck",
        without_constraint(Allocation, SIGN, overwrite(Allocation, cause="luck")),
    ),
    "allocation of unaccepted payment": (
        "M3",
        "was not accepted for",
        reported_as(Allocation, overwrite(Payment, accepted=False)),
    ),
    "deallocation above allocation": (
        "M3",
        "-70000 of",
        duplicate(Allocation, amount_minor=-100_000, cause="released"),
    ),
    "captured amount differs from event": (
        "M4",
        "captured 30001 USD, which no event says",
        overwrite(Payment, captured_minor=30_001),
    ),
    "captured currency differs from event": (
        "M4",
        "captured 30000 CAD, which no event says",
        overwrite(Payment, captured_currency="CAD"),
    ),
    "settled_at differs from event": (
        "M4",
        "which no event says",
        overwrite(Payment, settled_at=now() - timedelta(days=1)),
    ),
    "amount mismatch without alert": (
        "M4",
        "where 40000 USD was requested, and no alert",
        overwrite(Payment, amount_minor=40_000),
    ),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_money_differences(paid: Payment, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_recorded_amount_mismatch(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    assert is_detected(
        ("M4", "40000 USD was recorded, 40001 USD is booked", overwrite(Payment, captured_minor=40_001))
    )


def test_verify_finds_allocation_to_invoice_of_another_customer(paid: Payment, erin: Customer) -> None:
    other = personas.sent_invoice(erin)
    assert is_detected(("M3", "to an invoice of another customer", overwrite(Allocation, invoice=other)))


def test_verify_finds_allocation_to_another_invoice_than_paid(paid: Payment, dana: Customer) -> None:
    other = personas.sent_invoice(dana)
    assert is_detected(("M3", "was not accepted for", overwrite(Allocation, invoice=other)))


def test_verify_finds_deposit_allocation_without_quote_of_invoice(paid: Payment) -> None:
    assert is_detected(("M3", "is not a deposit of", overwrite(Allocation, cause="deposit")))


def test_verify_finds_payment_moved_to_another_customer(
    paid: Payment, dana: Customer, erin: Customer
) -> None:
    Payment.objects.update(invoice=personas.sent_invoice(erin))
    found = dict(differences_of("M3"))
    assert found[erin.pk] == "30000 USD was paid, 0 is on invoices, and the credit is 0"
    assert found[dana.pk] == "0 USD was paid, 30000 is on invoices, and the credit is 0"


def test_verify_finds_negative_credit(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    corruption = without_constraint(Payment, WITHIN, overwrite(Payment, captured_minor=10_000))
    corruption()
    assert (
        invoice.customer_id,
        "10000 USD was paid, 40000 is on invoices, and the credit is -30000",
    ) in differences_of("M3")


def test_verify_finds_uncounted_waiting_deposit(dana: Customer) -> None:
    personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))
    assert differences_of() == set()
    Payment.objects.update(allocated_minor=1)
    assert (dana.pk, "30000 USD was paid, 0 is on invoices, and the credit is 29999") in differences_of("M3")


def test_verify_allows_credit_on_another_invoice_of_customer(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 110_000, alice, keep_rest_as_credit=True)
    other = personas.sent_invoice(invoice.customer)
    credit.apply(other, amount=Money(10_000, "USD"), by=alice, now=now())
    assert differences_of() == set()
