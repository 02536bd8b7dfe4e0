"""Members are added and removed, and an organization always keeps an owner."""

from __future__ import annotations

import pytest

from partway.accounts.models import Invitation, Member, Organization, Role, User
from partway.billing import events
from partway.billing.documents import invoices
from partway.billing.errors import InvitationNotOpen, LastOwner
from partway.billing.events import Actor
from partway.billing.models import Event, Invoice, Mail, PaymentRequest
from partway.billing.people import members
from partway.billing.people.members import NewUser
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import NewPaymentRequest
from partway.delivery.mail import kinds, rendering
from partway.lib.clock import now
from partway.lib.money import Money
from tests.support import personas
from tests.support.concurrency import run_concurrently
from tests.support.gateway_driver import GatewayDriver


def owners() -> tuple[Organization, Member, Member]:
    """An organization that Alice and Bob own."""
    team = personas.alder()
    members.change_role(team.bob, role=Role.OWNER, by=events.member_actor(team.alice), now=now())
    return team.organization, team.alice, Member.objects.get(pk=team.bob.pk)


@pytest.mark.django_db
def test_every_member_change_records_its_own_event() -> None:
    team = personas.alder()
    by = events.member_actor(team.alice)
    made = members.invite(team.organization, email="ivy@post.example", role="reader", by=by, now=now())
    members.resend(made, by=by, now=now())
    members.withdraw(made, by=by, now=now())
    members.change_role(team.charlie, role="collector", by=by, now=now())
    members.change_role(team.charlie, role="collector", by=by, now=now())  # her role does not change
    members.remove(team.bob, by=by, now=now())
    assert list(Event.objects.order_by("id").values_list("type", flat=True)) == [
        "member.invited",
        "member.invitation_resent",
        "member.invitation_withdrawn",
        "member.role_changed",
        "member.removed",
    ]


@pytest.mark.django_db
def test_a_refused_invitation_leaves_no_mail() -> None:
    team = personas.alder()
    by = events.member_actor(team.alice)
    made = members.invite(team.organization, email="ivy@post.example", role="reader", by=by, now=now())
    members.withdraw(made, by=by, now=now())
    before = (Event.objects.count(), Mail.objects.count())
    with pytest.raises(InvitationNotOpen):
        members.resend(made, by=by, now=now())
    assert (Event.objects.count(), Mail.objects.count()) == before


@pytest.mark.django_db
def test_own_account_change_is_recorded_in_every_organization_of_user() -> None:
    team = personas.alder()
    birch = personas.organization("birch", "Birch & Co")
    Member.objects.create(organization=birch, user=team.alice.user, role="reader")
    members.rename(team.alice.user, name="Alice Alder", now=now())
    slugs = Event.objects.filter(type="member.renamed").values_list("organization__slug", flat=True)
    assert set(slugs) == {"alder", "birch"}


@pytest.mark.django_db(transaction=True)
def test_two_owners_removing_each_other_leave_one_owner() -> None:
    organization, alice, bob = owners()
    responses = run_concurrently(
        lambda: members.remove(alice, by=events.member_actor(bob), now=now()),
        lambda: members.remove(bob, by=events.member_actor(alice), now=now()),
    )
    assert sorted(type(response).__name__ for response in responses) == ["LastOwner", "NoneType"]
    assert organization.members.filter(role=Role.OWNER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_stepping_down_at_once_leave_one_owner() -> None:
    organization, alice, bob = owners()
    by = events.OPERATOR
    responses = run_concurrently(
        lambda: members.change_role(alice, role=Role.READER, by=by, now=now()),
        lambda: members.change_role(bob, role=Role.READER, by=by, now=now()),
    )
    assert sum(isinstance(response, LastOwner) for response in responses) == 1
    assert organization.members.filter(role=Role.OWNER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_invitation_accepted_twice_at_once_creates_one_member() -> None:
    team = personas.alder()
    by = events.member_actor(team.alice)
    made = members.invite(team.organization, email="ivy@post.example", role="reader", by=by, now=now())
    responses = run_concurrently(
        *[lambda: members.accept_with_new_account(made, name="Ivy", password=personas.PASSWORD, now=now())]
        * 2
    )
    assert sum(isinstance(response, InvitationNotOpen) for response in responses) == 1
    assert Member.objects.filter(user__email="ivy@post.example").count() == 1


@pytest.mark.django_db
def test_removed_member_cannot_rejoin_by_old_invitation() -> None:
    team = personas.alder()
    by = events.member_actor(team.alice)
    old = members.invite(team.organization, email="zed@post.example", role="owner", by=by, now=now())
    zed = NewUser("zed@post.example", "Zed")
    added = members.add(team.organization, person=zed, role="reader", by=by, now=now())
    members.remove(added, by=by, now=now())
    with pytest.raises(InvitationNotOpen):
        members.accept(Invitation.objects.get(pk=old.pk), user=added.user, now=now())


@pytest.fixture
def invitation(db: None) -> Invitation:
    """The invitation of Ivy to alder."""
    organization = personas.alder().organization
    by = personas.owner_actor(organization)
    return members.invite(organization, email="ivy@post.example", role="owner", by=by, now=now())


def test_invitation_can_be_accepted_only_once(invitation: Invitation) -> None:
    ivy = User.objects.create_user("ivy@post.example", "Ivy")
    members.accept(invitation, user=ivy, now=now())
    with pytest.raises(InvitationNotOpen):  # as the page showed it before the first click
        members.accept(invitation, user=ivy, now=now())
    assert Event.objects.filter(type="member.joined").count() == 1


def test_invitation_cannot_be_accepted_by_another_user(invitation: Invitation) -> None:
    mallory = personas.mallory().user
    with pytest.raises(InvitationNotOpen):
        members.accept(invitation, user=mallory, now=now())
    assert mallory.memberships.count() == 1


def test_invitation_for_existing_user_cannot_be_accepted_as_new_user(invitation: Invitation) -> None:
    ivy = User.objects.create_user("ivy@post.example", "Ivy")
    with pytest.raises(InvitationNotOpen):
        members.accept_with_new_account(invitation, name="Eve", password=personas.PASSWORD, now=now())
    assert not ivy.memberships.exists()


@pytest.mark.django_db
def test_owner_without_sign_in_does_not_count_as_last_owner() -> None:
    team = personas.alder()
    by = events.member_actor(team.alice)
    member_without_login = NewUser("member_without_login@post.example", "Ghost")
    members.add(team.organization, person=member_without_login, role="owner", by=by, now=now())
    with pytest.raises(LastOwner):
        members.remove(team.alice, by=by, now=now())


# The requests of a removed member


@pytest.fixture
def request_by_bob(invoice: Invoice) -> PaymentRequest:
    """A request for $300.00 by Bob, who is notified about it."""
    bob = Member.objects.get(organization=invoice.organization, user__name="Bob")
    ask = NewPaymentRequest(amount=Money(30_000, "USD"), to=("dana@post.example",), reply_to=bob.user.email)
    return payment_requests.create(invoice, new_request=ask, by=events.member_actor(bob), now=now())


def remove_bob(alice: Actor) -> None:
    members.remove(Member.objects.get(user__name="Bob"), by=alice, now=now())


def test_payment_received_mail_goes_to_requester(
    gateway_driver: GatewayDriver, request_by_bob: PaymentRequest
) -> None:
    gateway_driver.start_and_pay(request_by_bob)
    assert Mail.objects.get(kind="payment_received").to == [request_by_bob.reply_to]
    assert Mail.objects.get(kind="receipt").reply_to == request_by_bob.reply_to


@pytest.mark.parametrize("kind", ["payment_received", "payment_request_ended"])
def test_queued_notice_to_removed_member_goes_to_organization(
    invoice: Invoice, request_by_bob: PaymentRequest, alice: Actor, kind: str
) -> None:
    if kind == "payment_received":
        personas.captured_payment(invoice, 30_000, request=request_by_bob)
    else:
        invoices.void(invoice, by=alice, now=now())
    assert Mail.objects.get(kind=kind).to == [request_by_bob.reply_to]
    remove_bob(alice)
    notice = Mail.objects.get(kind=kind)
    assert notice.to == [request_by_bob.organization.email]
    assert kinds.is_valid(notice, now=now())


def test_notice_that_was_queued_while_member_was_removed_is_dropped(
    invoice: Invoice, request_by_bob: PaymentRequest, alice: Actor
) -> None:
    personas.captured_payment(invoice, 30_000, request=request_by_bob)
    notice = Mail.objects.get(kind="payment_received")
    assert kinds.is_valid(notice, now=now())
    remove_bob(alice)
    Mail.objects.filter(pk=notice.pk).update(to=[request_by_bob.reply_to])
    notice.refresh_from_db()
    assert not kinds.is_valid(notice, now=now())


def test_queued_request_mail_of_removed_member_takes_replies_to_organization(
    request_by_bob: PaymentRequest, alice: Actor
) -> None:
    mail = Mail.objects.get(payment_request=request_by_bob)
    assert rendering.message(mail).reply_to == [request_by_bob.reply_to]
    remove_bob(alice)
    assert rendering.message(mail).reply_to == [request_by_bob.organization.email]


def test_payment_received_mail_goes_to_organization_after_requester_left(
    gateway_driver: GatewayDriver, request_by_bob: PaymentRequest, alice: Actor
) -> None:
    remove_bob(alice)
    gateway_driver.start_and_pay(request_by_bob)
    office = request_by_bob.organization.email
    assert Mail.objects.get(kind="payment_received").to == [office]
    assert Mail.objects.get(kind="receipt").reply_to == office


def test_resent_request_replies_to_organization_after_requester_left(
    request_by_bob: PaymentRequest, alice: Actor
) -> None:
    remove_bob(alice)
    mail = payment_requests.resend(request_by_bob, by=alice, now=now())
    assert mail.reply_to == request_by_bob.organization.email
