"""Lets people in and out of an organization: invitations, roles, and what each person changes of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from partway.accounts import passwords, sessions, two_factor
from partway.accounts.models import Invitation, InvitationStatus, Member, Organization, Role, User

from .. import events, outbox
from ..errors import Invalid, InvitationNotOpen, LastOwner, Stale
from ..events import Actor
from ..outbox import Recipients

INVITATION_LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody who will sign in."""

    email: str
    name: str


@transaction.atomic
def add(organization: Organization, *, person: NewUser, role: str, by: Actor, now: datetime) -> Member:
    """Let somebody in; who is new to the installation still has to set a password."""
    user = User.objects.filter(email=person.email.lower()).first()
    user = user or User.objects.create_user(person.email, person.name)
    member = Member.objects.create(organization=organization, user=user, role=role)
    _forget_invitations(member)
    events.record("member.added", organization, by=by, now=now, data=_who(member))
    return member


@transaction.atomic
def invite(organization: Organization, *, email: str, role: str, by: Actor, now: datetime) -> Invitation:
    """Ask somebody to join; the mail with the link is a row of this transaction. Raises Invalid."""
    _lock(organization)
    address = email.strip().lower()
    _check_invitation(organization, address, role)
    invitation = Invitation.objects.create(
        organization=organization,
        email=address,
        role=role,
        created_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    _mail(invitation, "member.invited", by, now)
    return invitation


@transaction.atomic
def resend(invitation: Invitation, *, by: Actor, now: datetime) -> Invitation:
    """Mail the same link once more, which lives a week from now again. Raises InvitationNotOpen."""
    standing = Invitation.objects.filter(pk=invitation.pk, status=InvitationStatus.OPEN)
    if not standing.update(expires_at=now + INVITATION_LIFETIME):
        raise InvitationNotOpen()
    invitation.refresh_from_db()
    _mail(invitation, "member.invitation_resent", by, now)
    return invitation


@transaction.atomic
def withdraw(invitation: Invitation, *, by: Actor, now: datetime) -> None:
    """The link is dead at once; a mail that still waits is not sent. Raises InvitationNotOpen."""
    _end(invitation, InvitationStatus.WITHDRAWN)
    data = {"email": invitation.email, "role": invitation.role}
    events.record("member.invitation_withdrawn", invitation.organization, by=by, now=now, data=data)


@transaction.atomic
def accept(invitation: Invitation, *, user: User, now: datetime) -> Member:
    """Join with the role that was offered; the invitation works once. Raises InvitationNotOpen."""
    if user.email != invitation.email:
        raise InvitationNotOpen()
    _use_up(invitation, now)
    return _join(invitation, user, now)


@transaction.atomic
def accept_with_new_account(invitation: Invitation, *, name: str, password: str, now: datetime) -> Member:
    """Join as somebody this installation does not know yet. Raises Invalid or InvitationNotOpen."""
    known = User.objects.filter(email=invitation.email).first()
    if known is not None:
        # Whoever only holds this link must not become somebody who is known elsewhere (D5).
        raise InvitationNotOpen("This address is known here already. Sign in, and open the link once more.")
    user = User(email=invitation.email)
    password_error = passwords.password_error(password, user)
    errors = {**_wrong_name(name), **({"password": password_error} if password_error else {})}
    if errors:
        raise Invalid(errors)
    _use_up(invitation, now)  # before the user is made, so that of two clicks only one makes it
    user.name = name.strip()
    user.set_password(password)
    user.save()
    return _join(invitation, user, now)


def _forget_invitations(member: Member) -> None:
    """An older link must not bring somebody back, or in with another role."""
    standing = Invitation.objects.filter(organization=member.organization, email=member.user.email)
    standing.filter(status=InvitationStatus.OPEN).update(status=InvitationStatus.WITHDRAWN)


def _use_up(invitation: Invitation, now: datetime) -> None:
    if not invitation.is_open(now):
        raise InvitationNotOpen()
    _end(invitation, InvitationStatus.ACCEPTED)


def _join(invitation: Invitation, user: User, now: datetime) -> Member:
    member, _ = Member.objects.get_or_create(
        organization=invitation.organization, user=user, defaults={"role": invitation.role}
    )
    by = events.member_actor(member)
    events.record("member.joined", invitation.organization, by=by, now=now, data=_who(member))
    return member


@transaction.atomic
def change_role(member: Member, *, role: str, by: Actor, now: datetime) -> Member:
    """Another role, from the next page on. Raises Invalid, or LastOwner."""
    if role not in Role.values:
        raise Invalid({"role": "Choose a role."})
    member = _locked(member)
    before = member.role
    if before == role:
        return member
    _keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    data = {**_who(member), "before": {"role": before}}
    events.record("member.role_changed", member.organization, by=by, now=now, data=data)
    return member


@transaction.atomic
def remove(member: Member, *, by: Actor, now: datetime) -> None:
    """Out at once, since each request asks for the membership. Raises LastOwner."""
    member = _locked(member)
    _keep_an_owner(member)
    _forget_invitations(member)
    events.record("member.removed", member.organization, by=by, now=now, data=_who(member))
    member.delete()


@transaction.atomic
def rename(user: User, *, name: str, now: datetime) -> None:
    """Somebody goes by another name; what they did before keeps the old one. Raises Invalid."""
    errors = _wrong_name(name)
    if errors:
        raise Invalid(errors)
    before, user.name = user.name, name.strip()
    if user.name != before:
        user.save(update_fields=["name"])
        record_for_user(user, "renamed", now=now, data={"before": {"name": before}})


@transaction.atomic
def record_sign_in_change(user: User, what: str, *, now: datetime) -> None:
    """Somebody changed how they sign in: an event where they are a member, and a mail in case it was not them."""
    record_for_user(user, what, now=now)
    outbox.queue_account_mail(user, "sign_in_changed", now=now, data={"what": what})


@transaction.atomic
def reset_two_factor(user: User, *, by: Actor, now: datetime) -> bool:
    """For who lost phone and recovery codes: the password alone lets them in again. False if there was none."""
    if not two_factor.reset(user):
        return False
    for member in Member.objects.filter(user=user).select_related("organization", "user"):
        events.record("member.two_factor_reset", member.organization, by=by, now=now, data=_who(member))
    outbox.queue_account_mail(user, "sign_in_changed", now=now, data={"what": "two_factor_off"})
    return True


@transaction.atomic
def end_other_sessions(user: User, *, key: str | None, now: datetime) -> None:
    """Sign somebody out everywhere but in the browser that holds `key`."""
    if sessions.end_other_sessions(user, key=key):
        record_for_user(user, "sessions_ended", now=now)


def record_for_user(user: User, what: str, *, now: datetime, data: dict[str, object] | None = None) -> None:
    """Record what a person changed of themselves in every organization they are in, as `member.<what>`."""
    for member in Member.objects.filter(user=user).select_related("organization", "user"):
        about = {**_who(member), **(data or {})}
        by = events.member_actor(member)
        events.record(f"member.{what}", member.organization, by=by, now=now, data=about)


def _who(member: Member) -> dict[str, object]:
    return {
        "member": member.pk,
        "name": member.user.name,
        "email": member.user.email,
        "role": str(member.role),
    }


def _wrong_name(name: str) -> dict[str, str]:
    fits = 0 < len(name.strip()) <= 120
    return {} if fits else {"name": "Enter a name of at most 120 letters."}


def _check_invitation(organization: Organization, email: str, role: str) -> None:
    errors = {}
    if role not in Role.values:
        errors["role"] = "Choose a role."
    try:
        validate_email(email)
    except ValidationError:
        errors["email"] = "Enter an email address, like name@example.com."
    if organization.members.filter(user__email=email).exists():
        errors["email"] = f"{email} is a member already."
    elif organization.invitations.filter(email=email, status=InvitationStatus.OPEN).exists():
        errors["email"] = f"{email} is invited already. Resend that invitation, or withdraw it first."
    if errors:
        raise Invalid(errors)


def _mail(invitation: Invitation, event_type: str, by: Actor, now: datetime) -> None:
    data = {"email": invitation.email, "role": invitation.role}
    event = events.record(event_type, invitation.organization, by=by, now=now, data=data)
    told = {"invitation": invitation.pk, "by": by.label}
    outbox.queue("invitation", event, Recipients(to=[invitation.email], data=told))


def _end(invitation: Invitation, status: InvitationStatus) -> None:
    standing = Invitation.objects.filter(pk=invitation.pk, status=InvitationStatus.OPEN)
    if not standing.update(status=status):
        raise InvitationNotOpen()


def _lock(organization: Organization) -> None:
    # One by one from here on: two owners who remove each other must not both succeed.
    list(Organization.objects.select_for_update(no_key=True).filter(pk=organization.pk).values_list("pk"))


def _locked(member: Member) -> Member:
    _lock(member.organization)
    found = Member.objects.select_related("organization", "user").filter(pk=member.pk).first()
    if found is None:
        raise Stale("This member was removed in the meantime.")
    return found


def _keep_an_owner(leaving: Member) -> None:
    others = leaving.organization.members.filter(role=Role.OWNER, user__is_active=True).exclude(pk=leaving.pk)
    able = any(other.user.has_usable_password() for other in others.select_related("user"))
    if leaving.role == Role.OWNER and not able:
        raise LastOwner(
            f"{leaving.user.name} is the only owner. Make somebody else an owner first, "
            "so that the organization stays in somebody's hands."
        )
