"""The profile page: name, password and sessions."""

from __future__ import annotations

import pytest
from django.template import engines
from django.test import Client

from partway.accounts.models import Organization, User, UserSession
from partway.billing.models import Event
from partway.delivery.formats import format_datetime, use_locale
from partway.staff.signin.profile import browser_label
from tests.support.personas import PASSWORD, Team

URL = "/profile/"
PASSWORDS = {
    "oldpassword": PASSWORD,
    "password1": "another walk by the sea",
    "password2": "another walk by the sea",
}


def signed_in() -> Client:
    """Alice, signed in with another browser."""
    client = Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    client.post("/signin/", {"email": "alice@alder.example", "password": PASSWORD})
    return client


def test_profile_page_shows_user_and_organizations(alice: Client) -> None:
    page = alice.get(URL).content.decode()
    for message in ("alice@alder.example", 'value="Alice"', "/o/alder/", "Owner"):
        assert message in page


def test_profile_name_change_is_stored_and_recorded(alice: Client, bob: Client) -> None:
    alice.post(URL, {"name": " Alice Alder "})
    assert User.objects.get(email="alice@alder.example").name == "Alice Alder"
    assert Event.objects.get(type="member.renamed").data["before"] == {"name": "Alice"}


@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_profile_requires_name(alice: Client, name: str) -> None:
    assert alice.post(URL, {"name": name}).status_code == 422
    assert User.objects.filter(name="Alice").exists()


def test_password_change_keeps_current_session_and_ends_others(team: Team) -> None:
    this, other = signed_in(), signed_in()
    assert this.post("/profile/password/", PASSWORDS).headers["Location"] == URL
    assert this.get("/o/alder/").status_code == 200
    assert other.get("/o/alder/").status_code == 302
    assert Event.objects.filter(type="member.password_changed").count() == 1


@pytest.mark.parametrize(
    ("field", "text"), [("oldpassword", "wrong"), ("password1", "short"), ("password2", "different")]
)
def test_invalid_password_change_changes_nothing(team: Team, field: str, text: str) -> None:
    assert signed_in().post("/profile/password/", {**PASSWORDS, field: text}).status_code == 422
    assert User.objects.get(email="alice@alder.example").check_password(PASSWORD)


def test_other_sessions_can_be_ended(team: Team) -> None:
    this, other = signed_in(), signed_in()
    page = this.get(URL).content.decode()
    assert page.count("Firefox on Linux") == 2
    assert page.count("this one") == 1
    this.post("/profile/sessions/end/")
    assert other.get("/o/alder/").status_code == 302
    assert this.get(URL).content.decode().count("Firefox on Linux") == 1


def test_profile_pages_are_not_stored_by_browser(alice: Client) -> None:
    assert "no-store" in alice.get(URL).headers["Cache-Control"]


@pytest.mark.parametrize(
    ("user_agent", "message"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8", "A browser"),
    ],
)
def test_session_list_names_browser_and_platform(user_agent: str, message: str) -> None:
    assert browser_label(user_agent) == message


def test_profile_is_shown_in_the_locale_of_the_persons_organization(team: Team) -> None:
    alice = signed_in()
    Organization.objects.filter(pk=team.organization.pk).update(locale="de_DE")
    page = alice.get(URL).content.decode()
    since = UserSession.objects.get().created_at
    with use_locale("de_DE"):
        assert format_datetime(since, team.organization.time_zone) in page


def test_error_page_needs_no_request_and_no_database() -> None:
    page = engines["django"].get_template("500.html").render()
    assert page.startswith("<!doctype html>")
    assert "Something went wrong on our side" in page
