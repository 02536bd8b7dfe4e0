"""Alder with a customer and an invoice, and a program for each scope of its keys; Birch with a program of its own."""

from __future__ import annotations

import pytest

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice
from tests.api.program import Program, program
from tests.support import personas


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every call reads the database."""


@pytest.fixture
def organization() -> Organization:
    """Alder Joinery, payments enabled."""
    return personas.alder().organization


@pytest.fixture
def dana(organization: Organization) -> Customer:
    """Alder's customer."""
    return personas.customer(organization)


@pytest.fixture
def invoice(dana: Customer) -> Invoice:
    """A sent invoice over $1,000.00."""
    return personas.sent_invoice(dana)


@pytest.fixture
def reader(organization: Organization) -> Program:
    """A program with a key that reads."""
    return program(organization, "read")


@pytest.fixture
def collector(organization: Organization) -> Program:
    """A program with a key that collects."""
    return program(organization, "collect")


@pytest.fixture
def admin(organization: Organization) -> Program:
    """A program with a key that may do everything."""
    return program(organization, "admin")


@pytest.fixture
def outsider() -> Program:
    """A program of another organization, birch, with a key that may do everything there."""
    return program(personas.mallory().organization, "admin")
