"""Alder, a customer with a sent invoice, and a gateway; after each test the books must be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from partway.accounts.models import Organization
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, PaymentRequest
from tests.support import incremental_verify, personas
from tests.support.gateway_driver import PAYMENT_SOURCES, GatewayDriver, PaymentTarget


@pytest.fixture(autouse=True)
def _verify_books(db: None) -> Iterator[None]:
    """Verifies the books after each test."""
    yield
    assert incremental_verify.differences() == []


@pytest.fixture
def organization() -> Organization:
    """Alder Joinery, payments enabled."""
    return personas.alder().organization


@pytest.fixture
def alice(organization: Organization) -> Actor:
    """The owner of alder."""
    return personas.owner_actor(organization)


@pytest.fixture
def dana(organization: Organization) -> Customer:
    """A customer of alder."""
    return personas.customer(organization)


@pytest.fixture
def invoice(dana: Customer) -> Invoice:
    """A sent invoice of $1,000.00."""
    return personas.sent_invoice(dana)


@pytest.fixture
def open_request(invoice: Invoice) -> PaymentRequest:
    """An open request for $300.00 of the invoice."""
    return personas.request_payment(invoice)


@pytest.fixture(params=PAYMENT_SOURCES)
def source(request: pytest.FixtureRequest, dana: Customer) -> PaymentTarget:
    """The target of a payment of $300.00: a request, a whole invoice, or a deposit."""
    return PAYMENT_SOURCES[request.param](dana)


@pytest.fixture
def gateway_driver(
    connect_gateway: Callable[[Organization], GatewayDriver], organization: Organization
) -> Iterator[GatewayDriver]:
    """A running gateway with an account of alder; at the end its ledger must agree with our books."""
    gateway_driver = connect_gateway(organization)
    yield gateway_driver
    gateway_driver.assert_ledger_matches_books()
