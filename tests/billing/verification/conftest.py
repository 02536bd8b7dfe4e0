"""Books that are wrong on purpose, and what they were before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from tests.support import personas


@pytest.fixture
def _verify_books(db: None) -> Iterator[None]:
    """Nobody asks here whether they are right after a test; the next one finds every guard in its place."""
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.fixture
def erin(dana: Customer) -> Customer:
    """Another customer of alder."""
    return personas.customer(dana.organization, "Erin Vale")


@pytest.fixture
def paid(invoice: Invoice) -> Payment:
    """$300.00 of it, by a request."""
    return personas.captured_payment(invoice, 30_000, request=personas.request_payment(invoice))


@pytest.fixture
def second(paid: Payment, invoice: Invoice) -> PaymentRequest:
    """Another $200.00 is asked for."""
    return personas.request_payment(invoice, 20_000)


@pytest.fixture
def waiting(second: PaymentRequest, invoice: Invoice) -> Payment:
    """The second request is being paid."""
    return personas.pending_payment(invoice, 20_000, request=second)
