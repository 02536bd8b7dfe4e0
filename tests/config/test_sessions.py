"""Stored session keys are digests, so that a database dump contains no usable session."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partway.accounts import sessions
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


def later(monkeypatch: pytest.MonkeyPatch, **since_now: int) -> None:
    at = timezone.now() + timedelta(**since_now)
    monkeypatch.setattr(timezone, "now", lambda: at)


def test_session_ends_after_twelve_idle_hours(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, hours=11)
    assert alice.get("/o/alder/").status_code == 200
    later(monkeypatch, hours=11)
    assert alice.get("/o/alder/").status_code == 200
    later(monkeypatch, hours=13)
    assert alice.get("/o/alder/").status_code == 302


def test_used_session_ends_after_seven_days(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = []
    for _ in range(17):
        later(monkeypatch, hours=10)
        statuses.append(alice.get("/o/alder/").status_code)
    assert statuses == [200] * 16 + [302]


def test_session_in_use_writes_at_most_every_five_minutes(alice: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        alice.get("/o/alder/")
    assert not [query["sql"] for query in captured.captured_queries if query["sql"].startswith("UPDATE")]


def test_ended_sessions_are_deleted(alice: Client) -> None:
    now = timezone.now()
    assert sessions.delete_ended(now=now) == 0
    assert sessions.delete_ended(now=now + timedelta(hours=13)) == 1
