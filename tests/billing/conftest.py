"""Alder, a customer with a sent invoice, and a gateway; after each test the books must be right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, PaymentRequest
from tests.gateways.stripe_server.client import StandIn
from tests.support import incremental_verify, personas
from tests.support.gateway_driver import PAYMENT_SOURCES, GatewayDriver, PaymentTarget
from tests.support.gateways import TEST_GATEWAY
from tests.support.sandbox_server import CallbackReceiver, SandboxServer
from tests.support.stripe_driver import StripeDriver


@pytest.fixture(autouse=True)
def _verify_books(db: None) -> Iterator[None]:
    """Verifies the books after each test."""
    yield
    assert incremental_verify.differences() == []


@pytest.fixture(scope="session")
def callback_receiver() -> Iterator[CallbackReceiver]:
    """Receives the callbacks of the gateway; a test passes on those that it needs."""
    with CallbackReceiver() as callback_receiver:
        yield callback_receiver


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
    request: pytest.FixtureRequest,
    callback_receiver: CallbackReceiver,
    organization: Organization,
    settings: Settings,
) -> Iterator[GatewayDriver]:
    """A running gateway with an account of alder; at the end its ledger must agree with our books.

    The sandbox, unless a test is parametrized (`indirect`) or TEST_GATEWAY names another.
    """
    code = getattr(request, "param", TEST_GATEWAY)
    settings.PARTWAY_URL = callback_receiver.url.removesuffix("/callbacks")
    gateway_driver: GatewayDriver
    if code == "sandbox":
        sandbox_server: SandboxServer = request.getfixturevalue("sandbox_server")
        settings.PARTWAY_GATEWAY_URLS = {"sandbox": sandbox_server.url}
        gateway_driver = GatewayDriver.connect(sandbox_server, callback_receiver, organization)
    else:
        stand_in: StandIn = request.getfixturevalue("stand_in")
        settings.PARTWAY_GATEWAY_URLS = {"stripe": stand_in.url}
        gateway_driver = StripeDriver.connect(stand_in, callback_receiver, organization)
    yield gateway_driver
    gateway_driver.assert_ledger_matches_books()
