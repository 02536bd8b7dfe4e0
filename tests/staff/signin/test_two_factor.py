"""Two-factor sign-in: switching it on and off, codes of the app, recovery codes."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from partway.billing.models import Event, Mail
from tests.support import totp_codes
from tests.support.personas import PASSWORD, Team

ALICE = {"email": "alice@alder.example", "password": PASSWORD}
ON = "/profile/two-factor/"
OFF = "/profile/two-factor/off/"
CODE = "/signin/code/"


def confirmed(client: Client) -> Client:
    """Returns the client after it has reauthenticated."""
    client.post("/profile/confirm/", {"password": PASSWORD})
    return client


@pytest.fixture
def secret(team: Team) -> str:
    """The secret of Alice's authenticator app."""
    return totp_codes.enable_two_factor(team.alice.user)


def client_at_second_factor(client: Client) -> Client:
    """Returns a client that has given the password and not yet the code."""
    assert client.post("/signin/", ALICE).headers["Location"].startswith(CODE)
    return client


def test_two_factor_setup_requires_password_again(alice: Client) -> None:
    assert alice.get(ON).headers["Location"].startswith("/profile/confirm/?next=")
    assert alice.post("/profile/confirm/", {"password": "wrong"}).status_code == 422
    response = alice.post("/profile/confirm/", {"password": PASSWORD, "next": ON})
    assert response.headers["Location"] == ON


def test_two_factor_is_enabled_with_first_code(alice: Client, team: Team) -> None:
    secret = confirmed(alice).get(ON).context["form"].secret
    response = alice.post(ON, {"code": totp_codes.code_for(secret)})
    assert response.headers["Location"] == "/profile/recovery-codes/"
    page = alice.get("/profile/recovery-codes/").content.decode()
    assert all(code in page for code in totp_codes.recovery_codes(team.alice.user))


def test_enabling_two_factor_records_event_and_sends_mail(alice: Client, team: Team) -> None:
    secret = confirmed(alice).get(ON).context["form"].secret
    alice.post(ON, {"code": totp_codes.code_for(secret)})
    assert Event.objects.filter(type="member.two_factor_on", organization=team.organization).count() == 1
    mail = Mail.objects.get(kind="sign_in_changed")
    assert (mail.to, mail.organization) == ([team.alice.user.email], None)


def test_two_factor_is_not_enabled_with_wrong_code(alice: Client) -> None:
    secret = confirmed(alice).get(ON).context["form"].secret
    response = alice.post(ON, {"code": "000000"})
    assert response.status_code == 422
    assert response.context["form"].secret == secret  # the same QR code
    assert not Authenticator.objects.exists()


def test_two_factor_secrets_are_stored_sealed(team: Team, secret: str) -> None:
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP).data["secret"]
    assert secret not in stored


def test_password_alone_does_not_sign_in_with_two_factor(client: Client, secret: str) -> None:
    client_at_second_factor(client)
    assert client.get("/o/alder/").headers["Location"].startswith("/signin/")


def test_two_factor_code_signs_in_and_redirects_to_next(client: Client, secret: str) -> None:
    client.post("/signin/", {**ALICE, "next": "/o/alder/settings/"})
    response = client.post(CODE, {"code": totp_codes.code_for(secret)})
    assert response.headers["Location"] == "/o/alder/settings/"
    assert client.get("/o/alder/settings/").status_code == 200


@pytest.mark.parametrize("steps", [-1, 1])
def test_two_factor_code_of_adjacent_step_is_accepted(client: Client, secret: str, steps: int) -> None:
    assert (
        client_at_second_factor(client)
        .post(CODE, {"code": totp_codes.code_for(secret, steps=steps)})
        .status_code
        == 302
    )


@pytest.mark.parametrize("steps", [-3, 3])
def test_two_factor_code_of_distant_step_is_refused(client: Client, secret: str, steps: int) -> None:
    assert (
        client_at_second_factor(client)
        .post(CODE, {"code": totp_codes.code_for(secret, steps=steps)})
        .status_code
        == 422
    )


def test_two_factor_code_works_once(client: Client, secret: str) -> None:
    code = totp_codes.code_for(secret)
    client_at_second_factor(client).post(CODE, {"code": code})
    spaced = f"{code[:3]} {code[3:]}"
    assert client_at_second_factor(Client()).post(CODE, {"code": spaced}).status_code == 422


def test_recovery_code_signs_in_once(client: Client, team: Team, secret: str) -> None:
    code = totp_codes.recovery_codes(team.alice.user)[0]
    assert client_at_second_factor(client).post(CODE, {"code": code}).status_code == 302
    assert client_at_second_factor(Client()).post(CODE, {"code": code}).status_code == 422
    assert len(totp_codes.recovery_codes(team.alice.user)) == 9


def test_two_factor_code_page_requires_password_step(client: Client, secret: str) -> None:
    assert client.get(CODE).headers["Location"].startswith("/signin/")


def test_new_recovery_codes_replace_old_ones(alice: Client, team: Team, secret: str) -> None:
    old = set(totp_codes.recovery_codes(team.alice.user))
    confirmed(alice).post("/profile/recovery-codes/new/")
    assert not old & set(totp_codes.recovery_codes(team.alice.user))


def test_recovery_codes_can_be_downloaded(alice: Client, team: Team, secret: str) -> None:
    response = confirmed(alice).get("/profile/recovery-codes/download/")
    assert response.headers["Content-Type"].startswith("text/plain")
    assert totp_codes.recovery_codes(team.alice.user)[3] in response.content.decode()


def test_two_factor_code_confirms_sensitive_action(alice: Client, secret: str) -> None:
    response = alice.post("/profile/confirm/code/", {"code": totp_codes.code_for(secret), "next": OFF})
    assert response.headers["Location"] == OFF


def test_disabling_two_factor_makes_password_sufficient(alice: Client, client: Client, secret: str) -> None:
    confirmed(alice).post(OFF)
    assert client.post("/signin/", ALICE).headers["Location"] == "/"
    assert Event.objects.filter(type="member.two_factor_off").count() == 1
    assert not Authenticator.objects.exists()
