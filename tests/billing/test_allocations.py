"""Money is put against an invoice as far as it fits, and never beyond."""

from __future__ import annotations

import pytest
from django.db import transaction

from partway.billing import allocations
from partway.billing.models import Allocation, Invoice, Payment
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests import personas


@pytest.fixture
def books(db: None) -> None:
    """Only a part of a booking is tried here."""


@pytest.fixture
def payment(invoice: Invoice) -> Payment:
    """A payment of $600.00 that stands on the invoice already."""
    return personas.paid_part(invoice, 60_000)


def allocate(payment: Payment, invoice: Invoice, captured: Money) -> int:
    return allocations.allocate(payment, invoice, captured=captured, now=present())


@pytest.mark.parametrize(("captured", "put"), [(30_000, 30_000), (40_000, 40_000), (40_001, 40_000), (0, 0)])
def test_it_puts_as_much_as_still_fits(payment: Payment, invoice: Invoice, captured: int, put: int) -> None:
    assert allocate(payment, invoice, Money(captured, "USD")) == put
    stored = Invoice.objects.get(pk=invoice.pk)
    assert stored.amount_paid_minor == invoice.amount_paid_minor == 60_000 + put
    assert allocations.allocated_minor(payment) == 60_000 + put


def test_another_currency_fits_nowhere(payment: Payment, invoice: Invoice) -> None:
    assert allocate(payment, invoice, Money(30_000, "CAD")) == 0


@pytest.mark.parametrize("status", ["draft", "void", "paid", "written_off"])
def test_only_a_sent_invoice_takes_money(payment: Payment, invoice: Invoice, status: str) -> None:
    invoice.status = status
    assert allocate(payment, invoice, Money(30_000, "USD")) == 0


def test_an_invoice_that_changed_under_the_lock_is_never_overpaid(payment: Payment, invoice: Invoice) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(amount_paid_minor=90_000)
    with pytest.raises(RuntimeError), transaction.atomic():
        allocate(payment, invoice, Money(30_000, "USD"))
    assert Allocation.objects.count() == 1
