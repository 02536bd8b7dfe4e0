"""The members page: members, invitations, and the acts of an owner on them."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.accounts.models import Invitation, Member, User
from partway.billing.models import Event, Mail
from partway.delivery.mail import sending
from partway.lib.clock import now
from tests.support.personas import Team

URL = "/o/alder/settings/members/"
INVITE = f"{URL}invite/"
IVY = {"email": "Ivy@Post.example ", "role": "collector"}


def invited(alice: Client) -> Invitation:
    alice.post(INVITE, IVY)
    return Invitation.objects.get()


def act(invitation: Invitation, name: str) -> str:
    return f"/o/alder/settings/invitations/{invitation.pk}/{name}/"


def test_members_are_listed_with_their_role(alice: Client) -> None:
    page = alice.get(URL).content.decode()
    for name in ("Alice", "Bob", "Charlie", "Owner", "Collector", "Reader"):
        assert name in page


def test_members_of_one_role_are_listed_by_folded_name(alice: Client, team: Team) -> None:
    for name in ("zoe", "Émile", "Fay"):
        user = User.objects.create_user(f"{name[-2:]}@alder.example", name, "x")
        Member.objects.create(organization=team.organization, user=user, role="reader")
    rows = alice.get(URL).context["members"]
    assert [row.user.name for row in rows] == ["Alice", "Bob", "Charlie", "Émile", "Fay", "zoe"]


def test_inviting_member_queues_mail_and_lists_invitation(alice: Client) -> None:
    invitation = invited(alice)
    assert (invitation.email, invitation.role, invitation.status) == ("ivy@post.example", "collector", "open")
    mail = Mail.objects.get(kind="invitation")
    assert mail.to == ["ivy@post.example"]
    assert mail.data == {"invitation": invitation.pk, "by": "Alice"}  # and no link
    assert "ivy@post.example" in alice.get(URL).content.decode()
    assert mail.event is not None
    assert mail.event.type == "member.invited"


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({**IVY, "email": "nobody"}, "email", "Write it like name@example.com"),
        ({**IVY, "email": "jörg@post.example"}, "email", "letters before the @"),
        ({**IVY, "email": "bob@alder.example"}, "email", "is a member already"),
        ({**IVY, "role": "king"}, "role", "Choose a role"),
    ],
)
def test_invalid_invitation_input_is_refused_on_field(
    alice: Client, typed: dict[str, str], field: str, message: str
) -> None:
    response = alice.post(INVITE, typed)
    assert response.status_code == 422
    assert message in response.context["form"].errors[field][0]
    assert not Mail.objects.exists()


def test_second_open_invitation_for_same_email_is_refused(alice: Client) -> None:
    invited(alice)
    assert "invited already" in alice.post(INVITE, IVY).context["form"].errors["email"][0]


def test_resending_invitation_queues_another_mail(alice: Client) -> None:
    invitation = invited(alice)
    alice.post(act(invitation, "resend"))
    assert Mail.objects.filter(kind="invitation").count() == 2
    assert Event.objects.filter(type="member.invitation_resent").count() == 1


def test_a_withdrawn_invitation_leaves_the_list_and_its_mail_is_dropped(alice: Client) -> None:
    alice.post(act(invited(alice), "withdraw"))
    assert alice.get(URL).context["invitations"] == []
    sending.send_due(now=now())
    assert Mail.objects.get().status == "dropped"


@pytest.mark.parametrize("name", ["resend", "withdraw"])
def test_withdrawn_invitation_can_be_neither_resent_nor_withdrawn(alice: Client, name: str) -> None:
    invitation = invited(alice)
    alice.post(act(invitation, "withdraw"))
    assert alice.post(act(invitation, name)).status_code == 409


def test_role_change_takes_effect_on_next_page(alice: Client, bob: Client, team: Team) -> None:
    assert bob.get("/o/alder/customers/new/").status_code == 200
    alice.post(f"{URL}{team.bob.pk}/role/", {"role": "reader"})
    assert bob.get("/o/alder/customers/new/").status_code == 403
    event = Event.objects.get(type="member.role_changed")
    assert (event.data["before"], event.data["role"]) == ({"role": "collector"}, "reader")


def test_removed_member_loses_access_at_once(alice: Client, bob: Client, team: Team) -> None:
    assert alice.post(f"{URL}{team.bob.pk}/remove/").headers["Location"] == URL
    assert bob.get("/o/alder/").status_code == 404
    assert Event.objects.get(type="member.removed").data["name"] == "Bob"


@pytest.mark.parametrize(("act", "typed"), [("remove", {}), ("role", {"role": "reader"})])
def test_last_owner_can_be_neither_removed_nor_demoted(
    alice: Client, team: Team, act: str, typed: dict[str, str]
) -> None:
    response = alice.post(f"{URL}{team.alice.pk}/{act}/", typed)
    assert response.status_code == 409
    assert "only owner" in response.content.decode()
    assert Member.objects.get(pk=team.alice.pk).role == "owner"


def test_one_of_two_owners_can_be_removed(alice: Client, team: Team) -> None:
    alice.post(f"{URL}{team.bob.pk}/role/", {"role": "owner"})
    assert alice.post(f"{URL}{team.alice.pk}/remove/").headers["Location"] == "/"
    assert alice.get("/o/alder/").status_code == 404
    assert "not in an organization yet" in alice.get("/").content.decode()


def test_member_of_another_organization_is_404(alice: Client, mallory: Client, team: Team) -> None:
    stranger = Member.objects.get(user__name="Mallory")
    assert alice.post(f"{URL}{stranger.pk}/remove/").status_code == 404
    assert Member.objects.filter(pk=stranger.pk).exists()


def test_invited_address_has_one_spelling(alice: Client) -> None:
    alice.post(INVITE, {**IVY, "email": "Ivy@Büro.example"})
    assert Invitation.objects.get().email == "ivy@büro.example"
    response = alice.post(INVITE, {**IVY, "email": "ivy@xn--bro-hoa.example"})
    assert "ivy@büro.example is invited already" in response.context["form"].errors["email"][0]
