"""Alder with its three members, an owner of another organization, and a signed-in client for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from partway.accounts.models import Member, Organization
from partway.billing.models import Customer, Invoice
from tests.support import personas
from tests.support.personas import Team

SignIn = Callable[[Member], Client]


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every page reads the database."""


@pytest.fixture
def team() -> Team:
    """Alder Joinery and its members."""
    return personas.alder()


@pytest.fixture
def organization(team: Team) -> Organization:
    """Alder Joinery."""
    return team.organization


@pytest.fixture
def sign_in() -> SignIn:
    """Returns a function that signs a member in to a new client."""

    def signed_in(member: Member) -> Client:
        client = Client()
        client.force_login(member.user)
        return client

    return signed_in


@pytest.fixture
def alice(team: Team, sign_in: SignIn) -> Client:
    """The owner, signed in."""
    return sign_in(team.alice)


@pytest.fixture
def bob(team: Team, sign_in: SignIn) -> Client:
    """The collector, signed in."""
    return sign_in(team.bob)


@pytest.fixture
def charlie(team: Team, sign_in: SignIn) -> Client:
    """The reader, signed in."""
    return sign_in(team.charlie)


@pytest.fixture
def mallory(team: Team, sign_in: SignIn) -> Client:
    """The owner of another organization, signed in."""
    return sign_in(personas.mallory())


@pytest.fixture
def dana(organization: Organization) -> Customer:
    """A customer of alder."""
    return personas.customer(organization)


@pytest.fixture
def invoice(dana: Customer) -> Invoice:
    """A sent invoice of $1,000.00."""
    return personas.sent_invoice(dana)
