"""Accepting an invitation: with a new and with an existing account, only once, and before it expires."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from partway.accounts.models import Invitation, Member, User
from partway.billing import links
from partway.billing.events import member_actor
from partway.billing.models import Event, Mail
from partway.billing.people import members
from partway.delivery.mail import sending
from partway.lib.clock import now
from tests.staff.conftest import SignIn
from tests.support import personas
from tests.support.personas import PASSWORD, Team

NEW = {"name": "Ivy", "password": PASSWORD, "repeated_password": PASSWORD}


def invite(team: Team, email: str = "ivy@post.example", role: str = "collector") -> Invitation:
    return members.invite(team.organization, email=email, role=role, by=member_actor(team.alice), now=now())


def path(invitation: Invitation) -> str:
    return "/join/" + links.invitation_url(invitation).partition("/join/")[2]


@pytest.fixture
def invitation(team: Team) -> Invitation:
    return invite(team)


def test_invitation_lets_new_user_set_name_and_password_and_join(
    client: Client, invitation: Invitation
) -> None:
    assert "ivy@post.example" in client.get(path(invitation)).content.decode()
    assert client.post(path(invitation), NEW).headers["Location"] == "/o/alder/"
    assert client.get("/o/alder/").status_code == 200
    member = Member.objects.get(user__email="ivy@post.example")
    assert (member.role, member.user.name) == ("collector", "Ivy")
    assert Event.objects.get(type="member.joined").actor_id == member.pk


def test_invitation_link_works_once(client: Client, invitation: Invitation) -> None:
    client.post(path(invitation), NEW)
    response = Client().get(path(invitation))
    assert response.status_code == 404
    assert "This invitation is no longer open" in response.content.decode()


@pytest.mark.parametrize(
    ("field", "text"), [("name", " "), ("password", "short"), ("repeated_password", "something else")]
)
def test_invitation_form_with_invalid_field_creates_no_user(
    client: Client, invitation: Invitation, field: str, text: str
) -> None:
    response = client.post(path(invitation), {**NEW, field: text})
    assert response.status_code == 422
    assert not User.objects.filter(email="ivy@post.example").exists()


def test_invitation_of_existing_user_requires_sign_in(client: Client, team: Team) -> None:
    mallory = personas.mallory()
    link = path(invite(team, mallory.user.email))
    page = client.get(link).content.decode()
    assert f"/signin/?next={link}" in page
    assert client.post(link, NEW).status_code == 200  # and nothing else happens
    assert mallory.user.memberships.count() == 1


def test_invitation_of_signed_in_user_needs_only_confirmation(team: Team, sign_in: SignIn) -> None:
    mallory = personas.mallory()
    client, link = sign_in(mallory), path(invite(team, mallory.user.email, "reader"))
    assert "Join Alder Joinery" in client.get(link).content.decode()
    assert mallory.user.memberships.count() == 1  # looking changes nothing
    assert client.post(link).headers["Location"] == "/o/alder/"
    assert client.get("/o/alder/").status_code == 200


def test_invitation_cannot_be_accepted_by_another_user(bob: Client, invitation: Invitation) -> None:
    assert "signed in as bob@alder.example" in bob.get(path(invitation)).content.decode()
    bob.post(path(invitation))
    invitation.refresh_from_db()
    assert invitation.status == "open"


def test_withdrawn_invitation_is_404(client: Client, team: Team, invitation: Invitation) -> None:
    members.withdraw(invitation, by=member_actor(team.alice), now=now())
    assert client.post(path(invitation), NEW).status_code == 404


def test_expired_invitation_is_404_until_resent(client: Client, team: Team, invitation: Invitation) -> None:
    Invitation.objects.update(expires_at=now() - timedelta(seconds=1))
    assert client.get(path(invitation)).status_code == 404
    members.resend(invitation, by=member_actor(team.alice), now=now())
    assert client.get(path(invitation)).status_code == 200


@pytest.mark.parametrize("token", ["x", "06f3k0-abc", "%00", "0" * 26 + "-" + "0" * 32])
def test_forged_invitation_link_is_404(client: Client, team: Team, token: str) -> None:
    assert client.get(f"/join/{token}/").status_code == 404


def test_invitation_of_user_without_password_cannot_take_over_account(client: Client, team: Team) -> None:
    """Otherwise an owner who reads the stored mails could become the owner of another organization."""
    User.objects.create_user("ivy@post.example", "Ivy")
    assert "known here already" in client.get(path(invite(team))).content.decode()
    client.post(path(Invitation.objects.get()), NEW)
    assert not User.objects.get(email="ivy@post.example").has_usable_password()
    assert not Member.objects.filter(user__email="ivy@post.example").exists()


def test_invitation_mail_is_hidden_from_inbox_with_several_organizations(
    alice: Client, invitation: Invitation, mallory: Client, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.FileBackend"
    settings.PARTWAY_MAIL_TO_FILES = True
    sending.send_due(now=now())
    assert "inbox/mail_" not in alice.get("/o/alder/inbox/").content.decode()
    assert alice.get(f"/o/alder/inbox/{Mail.objects.get(kind='invitation').pk}/").status_code == 404
