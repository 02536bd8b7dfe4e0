"""A payment is allocated up to the amount due of an invoice, and no unit of it is allocated twice."""

from __future__ import annotations

import pytest
from django.db import transaction

from partway.billing.ledger import allocations
from partway.billing.models import Allocation, Invoice, Payment
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas


@pytest.fixture
def _verify_books(db: None) -> None:
    """Replaces the check of the books, because these tests make only a part of a booking."""


@pytest.fixture
def payment(invoice: Invoice) -> Payment:
    """A payment of $600.00 that is allocated to the invoice."""
    return personas.captured_payment(invoice, 60_000)


@pytest.fixture
def payment_with_credit(payment: Payment) -> Payment:
    """The same payment, of which $100.00 are not allocated."""
    Payment.objects.filter(pk=payment.pk).update(captured_minor=70_000)
    payment.refresh_from_db()
    return payment


def allocate(payment: Payment, invoice: Invoice, amount_minor: int) -> None:
    with transaction.atomic():
        allocations.allocate(payment, invoice, amount_minor, cause="credit", now=present())


@pytest.mark.parametrize(("captured", "fits"), [(30_000, 30_000), (40_000, 40_000), (40_001, 40_000), (0, 0)])
def test_allocatable_amount_is_limited_to_amount_due(
    payment: Payment, invoice: Invoice, captured: int, fits: int
) -> None:
    assert allocations.allocatable(invoice, Money(captured, "USD")) == fits


def test_money_in_another_currency_is_not_allocatable(payment: Payment, invoice: Invoice) -> None:
    assert allocations.allocatable(invoice, Money(30_000, "CAD")) == 0


@pytest.mark.parametrize(
    ("status", "fits"), [("draft", 0), ("void", 0), ("paid", 0), ("written_off", 30_000)]
)
def test_only_sent_or_written_off_invoice_is_allocatable(
    payment: Payment, invoice: Invoice, status: str, fits: int
) -> None:
    invoice.status = status
    if status == "paid":
        invoice.amount_paid_minor = invoice.total_minor
    assert allocations.allocatable(invoice, Money(30_000, "USD")) == fits


def test_allocation_updates_invoice_and_payment_totals(
    payment_with_credit: Payment, invoice: Invoice
) -> None:
    allocate(payment_with_credit, invoice, 10_000)
    stored = Invoice.objects.get(pk=invoice.pk)
    assert stored.amount_paid_minor == invoice.amount_paid_minor == 70_000
    assert Payment.objects.get().allocated_minor == payment_with_credit.allocated_minor == 70_000
    assert allocations.allocated_amount(payment_with_credit, invoice) == 70_000


def test_allocation_never_overpays_invoice_changed_under_lock(
    payment_with_credit: Payment, invoice: Invoice
) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=95_000)
    with pytest.raises(allocations.AllocationError):
        allocate(payment_with_credit, invoice, 10_000)
    assert Allocation.objects.count() == 1


def test_payment_is_never_allocated_beyond_captured_amount(
    payment_with_credit: Payment, invoice: Invoice
) -> None:
    with pytest.raises(allocations.AllocationError):
        allocate(payment_with_credit, invoice, 10_001)
    assert Allocation.objects.count() == 1


def test_reversed_payment_cannot_be_allocated(payment_with_credit: Payment, invoice: Invoice) -> None:
    Payment.objects.filter(pk=payment_with_credit.pk).update(
        status="reversed", gateway_account=None, allocated_minor=0
    )
    with pytest.raises(allocations.AllocationError):
        allocate(payment_with_credit, invoice, 10_000)


def test_deallocation_beyond_allocated_amount_raises(payment: Payment, invoice: Invoice) -> None:
    with pytest.raises(allocations.AllocationError), transaction.atomic():
        allocations.deallocate(payment, invoice, 60_001, cause="edited", now=present())
    assert Invoice.objects.get().amount_paid_minor == 60_000


def test_deallocated_amount_is_unallocated_again(payment: Payment, invoice: Invoice) -> None:
    with transaction.atomic():
        allocations.deallocate(payment, invoice, 20_000, cause="edited", now=present())
    assert allocations.unallocated(payment) == Money(20_000, "USD")
    assert allocations.payments_on_invoice(invoice) == [(payment, 40_000)]


def test_deallocation_beyond_allocated_amount_raises_beside_another_payment(
    payment: Payment, invoice: Invoice
) -> None:
    personas.captured_payment(invoice, 20_000)
    with pytest.raises(allocations.AllocationError), transaction.atomic():
        allocations.deallocate(payment, invoice, 60_001, cause="edited", now=present())


def test_negative_amount_is_not_allocatable(payment: Payment, invoice: Invoice) -> None:
    assert allocations.allocatable(invoice, Money(-1, "USD")) == 0


def test_allocating_nothing_writes_nothing(payment: Payment, invoice: Invoice) -> None:
    allocate(payment, invoice, 0)
    allocations.record_allocation(payment, invoice, 0, cause="credit", now=present())
    allocations.deallocate(payment, invoice, 0, cause="edited", now=present())
    assert Allocation.objects.count() == 1


def test_payment_that_did_not_succeed_has_nothing_unallocated(payment: Payment) -> None:
    payment.status = "reversed"
    assert allocations.unallocated(payment) is None
    payment.status, payment.captured_minor, payment.captured_currency = "succeeded", None, ""
    assert allocations.unallocated(payment) is None


def test_payments_on_invoice_leave_out_deallocated_and_other_invoices(
    payment: Payment, invoice: Invoice
) -> None:
    other = personas.sent_invoice(invoice.customer)
    personas.captured_payment(other, 30_000)
    with transaction.atomic():
        allocations.deallocate(payment, invoice, 60_000, cause="edited", now=present())
    assert allocations.payments_on_invoice(invoice) == []
    assert allocations.amounts_by_invoice(payment) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"frozen": 70_001},
        {"lost": 10_001},
        {"refunded": 10_001},
        {"frozen": 60_001, "refunded": 10_000},
        {"frozen": -1},
        {"lost": -1},
        {"allocated": 5_001, "frozen": 5_000, "keeps_frozen": True},
    ],
)
def test_payment_counts_no_more_than_it_has(payment_with_credit: Payment, changes: dict[str, int]) -> None:
    with pytest.raises(allocations.AllocationError), transaction.atomic():
        allocations.count(payment_with_credit, **changes)


def test_payment_counts_up_to_what_it_has(payment_with_credit: Payment) -> None:
    allocations.count(payment_with_credit, frozen=60_000, refunded=10_000)
    allocations.count(payment_with_credit, frozen=-60_000, lost=0, allocated=-60_000)
    allocations.count(payment_with_credit, lost=60_000)
    payment_with_credit.refresh_from_db()
    assert (payment_with_credit.held_minor, payment_with_credit.spendable_minor) == (0, 0)
