"""Stored session keys are digests, so that a database dump contains no usable session."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.support import personas

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Client:
    """A signed-in client."""
    client = Client()
    client.force_login(personas.alder().alice.user)
    return client


def with_cookie(value: str) -> Client:
    client = Client()
    client.cookies["sessionid"] = value
    return client


def test_session_cookie_opens_session(alice: Client) -> None:
    assert with_cookie(alice.cookies["sessionid"].value).get("/o/alder/").status_code == 200


def test_stored_session_key_is_no_valid_cookie(alice: Client) -> None:
    stored = Session.objects.get().pk
    assert stored != alice.cookies["sessionid"].value
    assert with_cookie(stored).get("/o/alder/").status_code == 302


def test_changed_session_stays_one_row(alice: Client) -> None:
    session = alice.session
    session["seen"] = True
    session.save()
    assert (Session.objects.count(), alice.session["seen"]) == (1, True)


def test_sign_out_deletes_session(alice: Client) -> None:
    cookie = alice.cookies["sessionid"].value
    alice.post("/signout/")
    assert not Session.objects.exists()
    assert with_cookie(cookie).get("/o/alder/").status_code == 302


def test_session_fixation_is_prevented_at_sign_in() -> None:
    team = personas.alder()
    victim = with_cookie("a" * 32)
    victim.post("/signin/", {"email": team.alice.user.email, "password": personas.PASSWORD})
    assert victim.cookies["sessionid"].value != "a" * 32
    assert with_cookie("a" * 32).get("/o/alder/").status_code == 302
