"""Alder, a customer with a sent invoice, and the world outside; after each test the books must be right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, PaymentRequest
from partway.billing.people import organizations
from partway.billing.verification import verify
from partway.lib.clock import now as present
from tests import personas
from tests.billing.world import WAYS, Source, World
from tests.gateways.company import Company, Ear, running


@pytest.fixture(autouse=True)
def books(db: None) -> Iterator[None]:
    """Whatever a test did, the books add up after it."""
    yield
    assert [str(difference) for difference in verify()] == []


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The pretend payment company, as a process; bank debits settle when told."""
    with running(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture(scope="session")
def ear() -> Iterator[Ear]:
    """Where the company's callbacks arrive; a test hands on those it wants to."""
    with Ear() as ear:
        yield ear


@pytest.fixture
def organization() -> Organization:
    """Alder Joinery, payments enabled."""
    return personas.alder().organization


@pytest.fixture
def alice(organization: Organization) -> Actor:
    """The owner of alder, who may do anything."""
    return personas.actor_of(organization)


@pytest.fixture
def dana(organization: Organization) -> Customer:
    """A customer of alder."""
    return personas.customer(organization)


@pytest.fixture
def invoice(dana: Customer) -> Invoice:
    """A sent invoice of $1,000.00."""
    return personas.sent(dana)


@pytest.fixture
def asked(invoice: Invoice) -> PaymentRequest:
    """An open request for $300.00 of it."""
    return personas.ask(invoice)


@pytest.fixture(params=WAYS)
def source(request: pytest.FixtureRequest, dana: Customer) -> Source:
    """$300.00 to be paid: by request, as a whole invoice, as a deposit."""
    return WAYS[request.param](dana)


@pytest.fixture
def world(
    company: Company, ear: Ear, organization: Organization, alice: Actor, settings: Settings
) -> Iterator[World]:
    """The running company with an account of alder; at the end its ledger agrees with our books."""
    settings.PARTWAY_SANDBOX_URL = company.url
    settings.PARTWAY_URL = ear.url.removesuffix("/callbacks")
    account = organizations.connect_sandbox(organization, by=alice, now=present())
    world = World(company, ear, account)
    yield world
    world.agrees()
