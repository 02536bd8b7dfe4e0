"""Alder with its three members, a stranger, and a browser-like client for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from partway.accounts.models import Member, Organization
from partway.billing.models import Customer, Invoice
from tests import personas
from tests.personas import House

SignIn = Callable[[Member], Client]


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every page reads the database."""


@pytest.fixture
def house() -> House:
    """Alder Joinery and its members."""
    return personas.alder()


@pytest.fixture
def organization(house: House) -> Organization:
    """Alder Joinery."""
    return house.organization


@pytest.fixture
def sign_in() -> SignIn:
    """Makes a client in which a member is signed in."""

    def signed_in(member: Member) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return signed_in


@pytest.fixture
def alice(house: House, sign_in: SignIn) -> Client:
    """The owner, signed in."""
    return sign_in(house.alice)


@pytest.fixture
def bob(house: House, sign_in: SignIn) -> Client:
    """The collector, signed in."""
    return sign_in(house.bob)


@pytest.fixture
def charlie(house: House, sign_in: SignIn) -> Client:
    """The reader, signed in."""
    return sign_in(house.charlie)


@pytest.fixture
def mallory(house: House, sign_in: SignIn) -> Client:
    """The owner of another organization, signed in."""
    return sign_in(personas.mallory())


@pytest.fixture
def dana(organization: Organization) -> Customer:
    """A customer of alder."""
    return personas.customer(organization)


@pytest.fixture
def invoice(dana: Customer) -> Invoice:
    """A sent invoice of $1,000.00."""
    return personas.sent(dana)
