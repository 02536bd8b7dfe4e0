"""The lockout after failed sign-ins, per account and network address; it does not reveal which accounts exist."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import LazySettings
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone

from partway.accounts.models import User
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


def test_fifth_wrong_password_locks_account(team: Team) -> None:
    assert [fail(1) for _ in range(5)] == [422, 422, 422, 422, 429]


def test_locked_account_refuses_right_password_and_explains_wait(team: Team) -> None:
    fail(5)
    response = Client().post("/signin/", {"email": ALICE, "password": PASSWORD})
    page = response.content.decode()
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "900"
    assert "Wait 15 minutes" in page
    assert "/signin/forgotten/" in page


def test_unknown_email_is_locked_with_same_response(team: Team) -> None:
    fail(4)
    fail(4, "nobody@alder.example")
    known = Client().post("/signin/", {"email": ALICE, "password": "wrong"})
    unknown = Client().post("/signin/", {"email": "nobody@alder.example", "password": "wrong"})
    assert known.status_code == unknown.status_code == 429
    assert known.content == unknown.content


def test_lockout_counts_email_case_insensitively_across_browsers(team: Team) -> None:
    fail(2, "ALICE@alder.example", HTTP_USER_AGENT="one")
    fail(2, " alice@Alder.example", HTTP_USER_AGENT="two")
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
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert Client().post("/signin/", {"email": ALICE, "password": PASSWORD}).status_code == 302


def test_attempts_while_locked_do_not_extend_lockout(team: Team) -> None:
    fail(5)
    before = AccessAttempt.objects.get().attempt_time
    fail(2)
    assert AccessAttempt.objects.get().attempt_time == before


def test_successful_sign_in_resets_lockout_count(team: Team) -> None:
    fail(4)
    Client().post("/signin/", {"email": ALICE, "password": PASSWORD})
    assert fail(4) == 422


def test_wrong_two_factor_codes_lock_account(team: Team) -> None:
    secret = totp_codes.enable_two_factor(team.alice.user)
    client = Client()
    client.post("/signin/", {"email": ALICE, "password": PASSWORD})
    statuses = [client.post(CODE, {"code": "000000"}).status_code for _ in range(5)]
    assert statuses == [422, 422, 422, 422, 429]
    assert client.post(CODE, {"code": totp_codes.code_for(secret)}).status_code == 429
    assert client.get("/o/alder/").status_code == 302


def test_lockout_stores_no_password(team: Team) -> None:
    Client().post("/signin/", {"email": ALICE, "password": "my other secret"})
    row = AccessAttempt.objects.get()
    assert "my other secret" not in f"{row.post_data} {row.get_data}"


@pytest.mark.parametrize("email", ["nobody@alder.example", "ivy@alder.example"])
def test_sign_in_takes_equal_time_for_unknown_email_and_user_without_password(
    team: Team, settings: LazySettings, email: str
) -> None:
    """With the hash that installations use, an unknown address and one without a password cost the same."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    settings.AXES_FAILURE_LIMIT = 1000
    User.objects.create_user("ivy@alder.example", "Ivy")
    User.objects.filter(email=ALICE).update(password=make_password(PASSWORD))
    known, other = [], []
    for _ in range(5):
        for took, typed in ((known, ALICE), (other, email)):
            began = time.process_time()
            fail(1, typed)
            took.append(time.process_time() - began)
    assert statistics.median(other) > statistics.median(known) / 2
