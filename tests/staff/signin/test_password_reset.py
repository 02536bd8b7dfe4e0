"""The password reset: one page for known and unknown addresses, and a link that works once within two hours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from partway.accounts.models import User, UserSession
from partway.accounts.passwords import ResetTokenGenerator
from partway.billing.models import Event, Mail
from partway.delivery.mail import kept_files, sending
from partway.lib.clock import now
from tests.support import totp_codes
from tests.support.personas import PASSWORD, Team

ALICE = "alice@alder.example"
NEW = {"password1": "another walk by the sea", "password2": "another walk by the sea"}


@pytest.fixture(autouse=True)
def home(settings: LazySettings, tmp_path: Path) -> Path:
    """Stores mails as files."""
    settings.PARTWAY_HOME = tmp_path
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.FileBackend"
    return tmp_path


def ask(email: str = ALICE) -> str:
    """Requests a link; returns the page after it."""
    response = Client().post("/signin/forgotten/", {"email": email}, follow=True)
    return response.content.decode()


def sent_mails(home: Path) -> list[str]:
    """Returns the mails that the worker has sent, as text."""
    sending.send_due(now=now())
    kept = (kept_files._read(path) for path in sorted(home.glob("mail/*/*.eml")))
    return [letter.text for letter in kept if letter]


def link(home: Path) -> str:
    """Returns the path of the link in the last mail."""
    found = re.search(r"https?://[^/]+(/signin/reset/\S+)", sent_mails(home)[-1])
    assert found
    return found[1]


def set_password(client: Client, address: str, typed: dict[str, str] = NEW) -> int:
    """Opens the link and sets a password; returns the status."""
    page = client.get(address, follow=True)
    if page.status_code != 200:
        return page.status_code
    return client.post(page.request["PATH_INFO"], typed).status_code


def test_password_reset_response_is_identical_for_unknown_email(team: Team) -> None:
    assert ask() == ask("nobody@alder.example")
    assert Mail.objects.filter(kind="password_reset").count() == 1


def test_password_reset_mail_row_contains_no_link(team: Team, home: Path) -> None:
    ask()
    mail = Mail.objects.get(kind="password_reset")
    assert mail.data == {"user": team.alice.user.pk}
    assert (mail.organization, mail.event) == (None, None)


def test_opened_password_reset_token_is_not_stored_in_session(client: Client, team: Team, home: Path) -> None:
    ask()
    address = link(home)
    assert client.get(address).status_code == 200
    assert address.rstrip("/").rpartition("/")[2] not in str(dict(client.session))


def test_password_reset_link_sets_new_password(client: Client, team: Team, home: Path) -> None:
    ask()
    assert set_password(client, link(home)) == 302
    assert client.post("/signin/", {"email": ALICE, "password": NEW["password1"]}).status_code == 302
    assert Event.objects.filter(type="member.password_reset").count() == 1


def test_password_reset_does_not_sign_in(client: Client, team: Team, home: Path) -> None:
    totp_codes.enable_two_factor(team.alice.user)
    ask()
    set_password(client, link(home))
    assert client.get("/o/alder/").status_code == 302


def test_password_reset_link_works_once(client: Client, team: Team, home: Path) -> None:
    ask()
    address = link(home)
    set_password(client, address)
    assert set_password(Client(), address) == 404


def test_password_reset_link_expires_after_two_hours(
    team: Team, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    address = link(home)
    later = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=2, minutes=1)
    monkeypatch.setattr(ResetTokenGenerator, "_now", lambda _: later)
    response = Client().get(address)
    assert response.status_code == 404
    assert "no longer works" in response.content.decode()


def test_password_reset_token_is_no_welcome_token(team: Team, home: Path) -> None:
    ask()
    _, user_id, token = link(home).strip("/").rsplit("/", 2)
    assert Client().get(f"/welcome/{user_id}/{token}/").status_code == 404


def test_password_reset_refuses_weak_password(client: Client, team: Team, home: Path) -> None:
    ask()
    assert set_password(client, link(home), {"password1": "short", "password2": "short"}) == 422
    assert User.objects.get(email=ALICE).check_password(PASSWORD)


def test_password_reset_lifts_lockout(client: Client, team: Team, home: Path) -> None:
    for _ in range(5):
        client.post("/signin/", {"email": ALICE, "password": "wrong"})
    ask()
    set_password(client, link(home))
    assert client.post("/signin/", {"email": ALICE, "password": NEW["password1"]}).status_code == 302


def test_password_reset_ends_signed_in_session(alice: Client, team: Team, home: Path) -> None:
    ask()
    set_password(Client(), link(home))
    assert alice.get("/o/alder/").status_code == 302


def test_password_reset_deletes_session_records(team: Team, home: Path) -> None:
    Client().post("/signin/", {"email": ALICE, "password": PASSWORD})
    assert UserSession.objects.count() == 1
    ask()
    set_password(Client(), link(home))
    assert not UserSession.objects.exists()


def test_password_reset_sends_notice_mail(client: Client, team: Team, home: Path) -> None:
    ask()
    set_password(client, link(home))
    assert "reset with a link" in " ".join(sent_mails(home))


def test_password_reset_mail_is_not_in_demo_inbox(charlie: Client, team: Team, home: Path) -> None:
    ask()
    sent_mails(home)
    assert "new password" not in charlie.get("/o/alder/inbox/").content.decode()


def test_password_reset_sends_no_mail_to_inactive_user(team: Team) -> None:
    User.objects.filter(email=ALICE).update(is_active=False)
    ask()
    assert not Mail.objects.exists()


def test_password_reset_requests_are_rate_limited(team: Team) -> None:
    statuses = [Client().post("/signin/forgotten/", {"email": ALICE}).status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]


@pytest.mark.parametrize(
    "address", ["/signin/reset/x/y/", "/signin/reset/%00/set-password/", "/signin/reset/x/set-password/"]
)
def test_forged_password_reset_link_is_404(client: Client, team: Team, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("typed", ["Alice@Müller.example", "alice@xn--mller-kva.example"])
def test_link_is_mailed_for_each_spelling_of_the_domain(team: Team, typed: str) -> None:
    User.objects.filter(email=ALICE).update(email="alice@müller.example")
    ask(typed)
    assert Mail.objects.get(kind="password_reset").to == ["alice@müller.example"]
