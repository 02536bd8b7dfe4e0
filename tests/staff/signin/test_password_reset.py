"""A forgotten password: the same answer for everybody, a link by mail that works once, for two hours."""

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
    """Mails are kept as files here."""
    settings.PARTWAY_HOME = tmp_path
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.KeptMails"
    return tmp_path


def ask(email: str = ALICE) -> str:
    """Ask for a link; answers the page one sees then."""
    answer = Client().post("/signin/forgotten/", {"email": email}, follow=True)
    return answer.content.decode()


def letters(home: Path) -> list[str]:
    """What the worker has sent, as text."""
    sending.send_due(now=now())
    kept = (kept_files._read(path) for path in sorted(home.glob("mail/*/*.eml")))
    return [letter.text for letter in kept if letter]


def link(home: Path) -> str:
    """The link in the last mail, without its host."""
    found = re.search(r"https?://[^/]+(/signin/reset/\S+)", letters(home)[-1])
    assert found
    return found[1]


def set_password(client: Client, address: str, typed: dict[str, str] = NEW) -> int:
    """Open the link and set a password; answers the status."""
    page = client.get(address, follow=True)
    if page.status_code != 200:
        return page.status_code
    return client.post(page.request["PATH_INFO"], typed).status_code


def test_the_answer_is_the_same_for_everybody(team: Team) -> None:
    assert ask() == ask("nobody@alder.example")
    assert Mail.objects.filter(kind="password_reset").count() == 1


def test_no_link_rests_in_the_database(team: Team, home: Path) -> None:
    ask()
    mail = Mail.objects.get(kind="password_reset")
    assert mail.data == {"user": team.alice.user.pk}
    assert (mail.organization, mail.event) == (None, None)


def test_a_link_that_was_opened_rests_nowhere(client: Client, team: Team, home: Path) -> None:
    ask()
    address = link(home)
    assert client.get(address).status_code == 200
    assert address.rstrip("/").rpartition("/")[2] not in str(dict(client.session))


def test_the_link_sets_a_new_password(client: Client, team: Team, home: Path) -> None:
    ask()
    assert set_password(client, link(home)) == 302
    assert client.post("/signin/", {"email": ALICE, "password": NEW["password1"]}).status_code == 302
    assert Event.objects.filter(type="member.password_reset").count() == 1


def test_setting_it_does_not_sign_in(client: Client, team: Team, home: Path) -> None:
    totp_codes.enable_two_factor(team.alice.user)
    ask()
    set_password(client, link(home))
    assert client.get("/o/alder/").status_code == 302


def test_the_link_works_once(client: Client, team: Team, home: Path) -> None:
    ask()
    address = link(home)
    set_password(client, address)
    assert set_password(Client(), address) == 404


def test_the_link_is_dead_after_two_hours(team: Team, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    address = link(home)
    later = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=2, minutes=1)
    monkeypatch.setattr(ResetTokenGenerator, "_now", lambda _: later)
    answer = Client().get(address)
    assert answer.status_code == 404
    assert "no longer works" in answer.content.decode()


def test_a_reset_link_opens_no_welcome(team: Team, home: Path) -> None:
    ask()
    _, user_id, token = link(home).strip("/").rsplit("/", 2)
    assert Client().get(f"/welcome/{user_id}/{token}/").status_code == 404


def test_a_weak_password_is_refused(client: Client, team: Team, home: Path) -> None:
    ask()
    assert set_password(client, link(home), {"password1": "short", "password2": "short"}) == 422
    assert User.objects.get(email=ALICE).check_password(PASSWORD)


def test_who_was_locked_out_may_try_again_at_once(client: Client, team: Team, home: Path) -> None:
    for _ in range(5):
        client.post("/signin/", {"email": ALICE, "password": "wrong"})
    ask()
    set_password(client, link(home))
    assert client.post("/signin/", {"email": ALICE, "password": NEW["password1"]}).status_code == 302


def test_a_new_password_ends_every_session(alice: Client, team: Team, home: Path) -> None:
    ask()
    set_password(Client(), link(home))
    assert alice.get("/o/alder/").status_code == 302


def test_after_it_no_session_stands(team: Team, home: Path) -> None:
    Client().post("/signin/", {"email": ALICE, "password": PASSWORD})
    assert UserSession.objects.count() == 1
    ask()
    set_password(Client(), link(home))
    assert not UserSession.objects.exists()


def test_it_is_told_by_mail(client: Client, team: Team, home: Path) -> None:
    ask()
    set_password(client, link(home))
    assert "set anew by a link" in " ".join(letters(home))


def test_no_inbox_shows_it(charlie: Client, team: Team, home: Path) -> None:
    ask()
    letters(home)
    assert "new password" not in charlie.get("/o/alder/inbox/").content.decode()


def test_an_inactive_person_gets_no_mail(team: Team) -> None:
    User.objects.filter(email=ALICE).update(is_active=False)
    ask()
    assert not Mail.objects.exists()


def test_asking_again_and_again_is_limited(team: Team) -> None:
    statuses = [Client().post("/signin/forgotten/", {"email": ALICE}).status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]


@pytest.mark.parametrize(
    "address", ["/signin/reset/x/y/", "/signin/reset/%00/set-password/", "/signin/reset/x/set-password/"]
)
def test_a_made_up_link_is_dead(client: Client, team: Team, address: str) -> None:
    assert client.get(address).status_code == 404
