"""Limits on guessing, per account, network and known browser; they do not reveal which accounts exist."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.core import signing
from django.db.models import F
from django.test import Client
from django.utils import timezone

from partway.accounts import rate_limits
from partway.accounts.models import Attempt, User
from partway.accounts.rate_limits import Limit, Window
from partway.billing.models import Event, Mail
from tests.support import totp_codes
from tests.support.personas import PASSWORD, Team

ALICE = "alice@alder.example"
CODE = "/signin/code/"


def fail(times: int, email: str = ALICE, **client: str) -> int:
    """Signs in with a wrong password several times; returns the last status."""
    status = 0
    for _ in range(times):
        status = Client(**client).post("/signin/", {"email": email, "password": "wrong"}).status_code
    return status


def test_sixth_wrong_password_locks_account(team: Team) -> None:
    assert [fail(1) for _ in range(6)] == [422, 422, 422, 422, 422, 429]


def test_locked_account_refuses_right_password_and_explains_wait(team: Team) -> None:
    fail(5)
    response = Client().post("/signin/", {"email": ALICE, "password": PASSWORD})
    page = response.content.decode()
    assert response.status_code == 429
    assert 890 <= int(response.headers["Retry-After"]) <= 900
    assert "Wait 15 minutes" in page
    assert "/signin/forgotten/" in page


def test_unknown_email_is_locked_with_same_response(team: Team) -> None:
    fail(5)
    fail(5, "nobody@alder.example")
    known = Client().post("/signin/", {"email": ALICE, "password": "wrong"})
    unknown = Client().post("/signin/", {"email": "nobody@alder.example", "password": "wrong"})
    assert known.status_code == unknown.status_code == 429
    assert known.content == unknown.content


def test_lockout_counts_email_case_insensitively_across_browsers(team: Team) -> None:
    fail(2, "ALICE@alder.example", HTTP_USER_AGENT="one")
    fail(3, " alice@Alder.example", HTTP_USER_AGENT="two")
    assert fail(1, HTTP_USER_AGENT="three") == 429


def test_lockout_does_not_affect_other_accounts_or_ip_addresses(team: Team) -> None:
    fail(5)
    assert fail(1, "bob@alder.example") == 422
    elsewhere = Client(REMOTE_ADDR="198.51.100.9")
    assert elsewhere.post("/signin/", {"email": ALICE, "password": PASSWORD}).status_code == 302


def test_lockout_uses_forwarded_ip_address_behind_trusted_proxy(team: Team, settings: LazySettings) -> None:
    settings.PARTWAY_TRUSTED_PROXIES = 1
    fail(5, HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.9")
    assert fail(1, HTTP_X_FORWARDED_FOR="198.51.100.9") == 429
    assert fail(1, HTTP_X_FORWARDED_FOR="198.51.100.10") == 422


def test_lockout_ignores_forged_forwarded_for(team: Team) -> None:
    fail(5)
    assert fail(1, HTTP_X_FORWARDED_FOR="198.51.100.9") == 429


def test_lockout_ends_after_cool_down(team: Team) -> None:
    fail(5)
    Attempt.objects.update(created_at=timezone.now() - timedelta(minutes=16))
    assert Client().post("/signin/", {"email": ALICE, "password": PASSWORD}).status_code == 302


def test_attempts_while_locked_do_not_extend_lockout(team: Team) -> None:
    fail(5)
    before = list(Attempt.objects.values())
    fail(2)
    assert list(Attempt.objects.filter(action__startswith="password").values()) == before


def test_successful_sign_in_resets_lockout_count_of_network(team: Team) -> None:
    fail(4)
    Client().post("/signin/", {"email": ALICE, "password": PASSWORD})
    assert fail(5) == 422


def test_right_password_is_no_counted_attempt(team: Team) -> None:
    Client().post("/signin/", {"email": ALICE, "password": PASSWORD})
    assert not Attempt.objects.exists()


def fail_from(address: str, password: str = "wrong") -> int:  # noqa: S107
    """Signs in from an address; returns the status."""
    client = Client(REMOTE_ADDR=address)
    return client.post("/signin/", {"email": ALICE, "password": password}).status_code


def test_wrong_passwords_from_many_addresses_are_counted_per_account(team: Team) -> None:
    statuses = [fail_from(f"198.51.100.{number}") for number in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    assert fail_from("203.0.113.9", PASSWORD) == 429


def test_guesses_slow_down_over_a_day(team: Team) -> None:
    refused = []
    for minutes in range(0, 24 * 60, 10):
        Attempt.objects.update(
            created_at=F("created_at") - timedelta(minutes=10),
            expires_at=F("expires_at") - timedelta(minutes=10),
        )
        refused.append(fail_from(f"198.51.{minutes // 60}.{minutes % 60}") == 429)
    assert refused.count(False) == 40


@pytest.mark.parametrize(
    ("action", "subject", "count", "address"),
    [
        ("password.network", "198.51.100.9", 50, "198.51.100.9"),
        ("password.network", "2001:db8:7:1::/64", 50, "2001:db8:7:1::77"),
        ("password.site", "2001:db8:7::/48", 150, "2001:db8:7:99::1"),
    ],
)
def test_passwords_of_many_accounts_are_counted_by_network(
    team: Team, action: str, subject: str, count: int, address: str
) -> None:
    """One password for every account, from the addresses of one household or business."""
    counted = Limit(action, Window(1_000, timedelta(days=1)))
    for _ in range(count - 1):
        rate_limits.consume({counted: subject}, now=timezone.now())
    statuses = [fail(1, f"user{number}@alder.example", REMOTE_ADDR=address) for number in range(3)]
    assert statuses == [422, 429, 429]


def test_owner_signs_in_from_known_browser_during_attack(team: Team) -> None:
    browser = Client()
    browser.post("/signin/", {"email": ALICE, "password": PASSWORD})
    browser.post("/signout/")
    for number in range(12):
        fail_from(f"198.51.100.{number}")
    assert fail_from("203.0.113.9", PASSWORD) == 429
    assert browser.post("/signin/", {"email": ALICE, "password": PASSWORD}).status_code == 302


def test_known_browser_has_ten_guesses_of_its_own(team: Team) -> None:
    browser = Client()
    browser.post("/signin/", {"email": ALICE, "password": PASSWORD})
    browser.post("/signout/")
    guess = {"email": ALICE, "password": "wrong"}
    assert [browser.post("/signin/", guess).status_code for _ in range(11)] == [422] * 10 + [429]


def test_known_browser_of_another_account_has_no_guesses_of_its_own(team: Team) -> None:
    browser = Client()
    browser.post("/signin/", {"email": "bob@alder.example", "password": PASSWORD})
    browser.post("/signout/")
    for number in range(10):
        fail_from(f"198.51.100.{number}")
    assert browser.post("/signin/", {"email": ALICE, "password": PASSWORD}).status_code == 429


def test_forged_device_cookie_is_no_known_browser(team: Team) -> None:
    for number in range(10):
        fail_from(f"198.51.100.{number}")
    browser = Client()
    browser.cookies["partway-device"] = signing.dumps({"user": team.alice.user.pk, "device": "x"})
    assert browser.post("/signin/", {"email": ALICE, "password": PASSWORD}).status_code == 429


def test_owner_is_warned_of_guessed_passwords_once_an_hour(team: Team) -> None:
    for number in range(20):
        fail_from(f"198.51.100.{number}")
    mail = Mail.objects.get()
    assert (mail.kind, mail.to, mail.data["kind"]) == ("sign_in_attempts", [ALICE], "password")
    Attempt.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    for number in range(20):
        fail_from(f"198.51.100.{number}")
    assert Mail.objects.count() == 2


def test_failed_sign_ins_are_audit_events(team: Team, alice: Client) -> None:
    fail(6)
    found = Event.objects.filter(type="member.sign_in_failed")
    assert {(event.actor_kind, event.data["ip_address"]) for event in found} == {("visitor", "127.0.0.1")}
    page = alice.get("/o/alder/settings/audit/?by=visitor").content.decode()
    assert page.count("A wrong password was typed for") == 5
    assert "attempts are slowed down" in page


def test_unknown_email_is_warned_of_nothing(team: Team) -> None:
    for _ in range(8):
        fail(1, "nobody@alder.example")
    assert not Mail.objects.exists()


def code_page(address: str = "127.0.0.1") -> Client:
    """Returns a client that has typed Alice's password."""
    client = Client(REMOTE_ADDR=address)
    client.post("/signin/", {"email": ALICE, "password": PASSWORD})
    return client


def test_pending_second_factor_ends_after_three_wrong_codes(team: Team) -> None:
    secret = totp_codes.enable_two_factor(team.alice.user)
    client = code_page()
    responses = [client.post(CODE, {"code": "000000"}) for _ in range(3)]
    assert [response.status_code for response in responses] == [422, 422, 302]
    assert "Too many wrong codes" in client.get("/signin/").content.decode()
    client.post(CODE, {"code": totp_codes.code_for(secret)})
    assert client.get("/o/alder/").status_code == 302


def test_password_typed_again_gives_new_codes(team: Team) -> None:
    secret = totp_codes.enable_two_factor(team.alice.user)
    client = code_page()
    for _ in range(3):
        client.post(CODE, {"code": "000000"})
    client.post("/signin/", {"email": ALICE, "password": PASSWORD})
    client.post(CODE, {"code": totp_codes.code_for(secret)})
    assert client.get("/o/alder/").status_code == 200


def test_wrong_codes_from_many_addresses_are_counted_per_account(team: Team) -> None:
    """The right password, typed anew before each code, gives no further codes back."""
    secret = totp_codes.enable_two_factor(team.alice.user)
    statuses = [
        code_page(f"198.51.100.{number}").post(CODE, {"code": "000000"}).status_code for number in range(12)
    ]
    assert statuses == [422] * 10 + [429] * 2
    assert code_page("203.0.113.9").post(CODE, {"code": totp_codes.code_for(secret)}).status_code == 429


def test_recovery_codes_are_counted_like_codes(team: Team) -> None:
    totp_codes.enable_two_factor(team.alice.user)
    for number in range(10):
        code_page(f"198.51.100.{number}").post(CODE, {"code": "abcdef0123"})
    right = totp_codes.recovery_codes(team.alice.user)[0]
    assert code_page("203.0.113.9").post(CODE, {"code": right}).status_code == 429


def test_owner_is_warned_that_the_password_is_known(team: Team) -> None:
    totp_codes.enable_two_factor(team.alice.user)
    client = code_page()
    for _ in range(3):
        client.post(CODE, {"code": "000000"})
    mail = Mail.objects.get()
    assert (mail.kind, mail.data["kind"]) == ("sign_in_attempts", "code")
    assert Event.objects.filter(type="member.sign_in_limited").count() == 1


def test_present_password_is_guessed_under_the_same_limits(alice: Client) -> None:
    new = {"password1": "another walk by the sea", "password2": "another walk by the sea"}
    statuses = [
        alice.post("/profile/password/", {"oldpassword": "wrong", **new}).status_code for _ in range(6)
    ]
    assert statuses == [422] * 5 + [429]


def test_counted_attempts_contain_no_password_and_no_address(team: Team) -> None:
    Client().post("/signin/", {"email": "my other secret@alder.example", "password": "my other secret"})
    Client().post("/signin/", {"email": ALICE, "password": "my other secret"})
    stored = str(list(Attempt.objects.values()))
    assert "secret" not in stored
    assert ALICE not in stored


class CountingHasher(MD5PasswordHasher):
    """Counts the passwords that were hashed, which is what a sign-in takes its time for."""

    hashed: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.hashed.append(password)
        return super().encode(password, salt)  # type: ignore[no-any-return]


@pytest.mark.parametrize("email", [ALICE, "nobody@alder.example", "ivy@alder.example"])
def test_sign_in_hashes_once_for_known_and_unknown_email_and_user_without_password(
    team: Team, settings: LazySettings, email: str
) -> None:
    User.objects.create_user("ivy@alder.example", "Ivy")
    settings.PASSWORD_HASHERS = [f"{__name__}.{CountingHasher.__name__}"]
    User.objects.filter(email=ALICE).update(password=make_password(PASSWORD))
    CountingHasher.hashed.clear()
    fail(1, email)
    assert len(CountingHasher.hashed) == 1


@pytest.mark.parametrize("form", ["signin/reset/1/{key}", "welcome/1/{key}", "join/{link}-{key}"])
def test_form_behind_a_link_is_counted_however_often_its_secret_changes(team: Team, form: str) -> None:
    def send(number: int) -> int:
        address = form.format(link="inv1", key=f"key{number}")
        return Client().post(f"/{address}/", {}, REMOTE_ADDR=f"198.51.100.{number}").status_code

    assert [send(number) for number in range(21)] == [404] * 20 + [429]
