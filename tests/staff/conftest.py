"""Alder with its three members, an owner of another organization, a client for each, and a browser for Bob."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from partway.accounts.models import Member, Organization
from partway.billing.models import Customer, Invoice
from tests.support import personas
from tests.support.browsers import WITHOUT_MOVEMENT, launch
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, and Django would refuse the ORM there.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        browser = launch(playwright)
        yield browser
        browser.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(browser: Browser, team: Team, sign_in: SignIn, live_server: LiveServer) -> Iterator[Page]:
    """Bob, signed in."""
    context = browser.new_context(
        base_url=live_server.url, permissions=["clipboard-read", "clipboard-write"], **WITHOUT_MOVEMENT
    )
    session = sign_in(team.bob).cookies["sessionid"]
    context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
    yield context.new_page()
    context.close()
