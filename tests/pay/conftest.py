"""A customer with an open link in a browser, and a payment company that really answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from partway.accounts.models import Organization
from partway.billing.models import Invoice, PaymentRequest
from partway.billing.verification import verify
from partway.gateways.sandbox import provision
from tests import personas
from tests.gateways.company import Company, running
from tests.pay.walk import Walk


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The pretend payment company as a process of its own."""
    with running(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture
def organization(db: None) -> Organization:
    """Alder Joinery, with a phone."""
    return personas.alder(phone="+1 555 010 4477").organization


@pytest.fixture
def invoice(organization: Organization) -> Invoice:
    """A sent invoice of $1,000.00 to Dana."""
    return personas.sent(personas.customer(organization))


@pytest.fixture
def request_(invoice: Invoice) -> PaymentRequest:
    """An open request for $300.00 of it."""
    return personas.ask(invoice)


@pytest.fixture
def dana() -> Client:
    """A browser without any login."""
    return Client()


@pytest.fixture
def walk(
    transactional_db: None, live_server: LiveServer, company: Company, settings: Settings
) -> Iterator[Walk]:
    """Our server and the payment company, both on real ports, and a customer's browser between them."""
    settings.PARTWAY_URL = live_server.url
    settings.PARTWAY_SANDBOX_URL = company.url
    organization = personas.alder().organization
    account = organization.gateway_accounts.get()
    account.credentials = provision(
        company.url, organization.name, f"{live_server.url}/callbacks/{account.pk}/"
    )
    account.save()
    with Walk(company, organization) as walk:
        yield walk
    # Real money moved, as far as the company is concerned: the books must be right after it.
    assert [str(difference) for difference in verify()] == []
