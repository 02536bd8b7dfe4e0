"""A customer's browser with an open link, and a running gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from partway.accounts.models import Organization
from partway.billing.models import Invoice, PaymentRequest
from partway.gateways.sandbox.adapter import create_account
from tests.pay import phone_browser
from tests.pay.customer_browser import CustomerBrowser
from tests.support import incremental_verify, personas
from tests.support.sandbox_server import SandboxServer


@pytest.fixture(scope="session", autouse=True)
def _phone_browser() -> Iterator[None]:
    """Ends the browser of the tests that need one."""
    yield
    phone_browser.close()


@pytest.fixture
def organization(db: None) -> Organization:
    """Alder Joinery, with a phone."""
    return personas.alder(phone="+1 555 010 4477").organization


@pytest.fixture
def invoice(organization: Organization) -> Invoice:
    """A sent invoice of $1,000.00 to Dana."""
    return personas.sent_invoice(personas.customer(organization))


@pytest.fixture
def request_(invoice: Invoice) -> PaymentRequest:
    """An open request for $300.00 of it."""
    return personas.request_payment(invoice)


@pytest.fixture
def dana() -> Client:
    """A browser without any login."""
    return Client()


@pytest.fixture
def customer_browser(
    transactional_db: None, live_server: LiveServer, sandbox_server: SandboxServer, settings: Settings
) -> Iterator[CustomerBrowser]:
    """Our server and the sandbox, both on real ports, and a customer's browser."""
    settings.PARTWAY_URL = live_server.url
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": sandbox_server.url}
    organization = personas.alder().organization
    account = organization.gateway_accounts.get()
    account.credentials = create_account(
        sandbox_server.url, organization.name, f"{live_server.url}/callbacks/{account.pk}/"
    )
    account.save()
    with CustomerBrowser(sandbox_server, organization) as customer_browser:
        yield customer_browser
    # The sandbox has captured money, so the books must agree with its ledger.
    assert incremental_verify.differences() == []
