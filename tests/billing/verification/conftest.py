"""Fixtures with payments and requests that the tests damage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from tests.support import personas


@pytest.fixture
def _verify_books(db: None) -> Iterator[None]:
    """Replaces the check of the books after each test, and restores the constraints for the next one."""
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.fixture
def erin(dana: Customer) -> Customer:
    """A second customer of the same organization."""
    return personas.customer(dana.organization, "Erin Vale")


@pytest.fixture
def paid(invoice: Invoice) -> Payment:
    """A payment of $300.00 by a request."""
    return personas.captured_payment(invoice, 30_000, request=personas.request_payment(invoice))


@pytest.fixture
def second(paid: Payment, invoice: Invoice) -> PaymentRequest:
    """A second request, for $200.00."""
    return personas.request_payment(invoice, 20_000)


@pytest.fixture
def waiting(second: PaymentRequest, invoice: Invoice) -> Payment:
    """A pending payment of the second request."""
    return personas.pending_payment(invoice, 20_000, request=second)
