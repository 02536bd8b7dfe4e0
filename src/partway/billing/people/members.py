"""Members of an organization: invitations, roles, and the changes that users make to themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from partway.accounts import passwords, rate_limits, sessions, two_factor
from partway.accounts.models import (
    Invitation,
    InvitationStatus,
    Member,
    Organization,
    Role,
    User,
    sign_in_address,
)
from partway.accounts.permissions import Permission, needs
from partway.accounts.rate_limits import Limit, LimitReached, Window
from partway.lib.email_addresses import InvalidAddress, normalize_address

from .. import events, outbox
from ..errors import FieldError, Invalid, InvitationNotOpen, LastOwner, Stale, address_error, field_error
from ..events import Actor
from ..outbox import Recipients

INVITATION_LIFETIME = timedelta(days=7)
MAX_NAME_LENGTH = 120
_WARNINGS = Limit("sign_in.warning", Window(1, timedelta(hours=1)))


@dataclass(frozen=True, slots=True)
class NewUser:
    """Address and name of a user to create."""

    email: str
    name: str


@transaction.atomic
def add(organization: Organization, *, person: NewUser, role: str, by: Actor, now: datetime) -> Member:
    """Makes a user a member; a user who is new to the installation still has to set a password. Raises Invalid."""
    user = User.objects.filter(email=sign_in_address(person.email)).first()
    if user is None:
        try:
            user = User.objects.create_user(normalize_address(person.email), person.name)
        except InvalidAddress as error:
            raise Invalid({"email": address_error(error)}) from error
    member = Member.objects.create(organization=organization, user=user, role=role)
    _withdraw_open_invitations(member)
    events.record("member.added", organization, by=by, now=now, data=_member_data(member))
    return member


@needs(Permission.MANAGE_MEMBERS)
@transaction.atomic
def invite(organization: Organization, *, email: str, role: str, by: Actor, now: datetime) -> Invitation:
    """Invites an address to join; the mail with the link is a row of this transaction. Raises Invalid."""
    organization.lock()
    email = sign_in_address(email)
    errors = {}
    if role not in Role.values:
        errors["role"] = field_error("role_unknown")
    try:
        normalize_address(email)
    except InvalidAddress as error:
        errors["email"] = address_error(error)
    if organization.members.filter(user__email=email).exists():
        errors["email"] = field_error("user_is_member", email=email)
    elif organization.invitations.filter(email=email, status=InvitationStatus.OPEN).exists():
        errors["email"] = field_error("user_is_invited", email=email)
    if errors:
        raise Invalid(errors)
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        created_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    _record_and_mail(invitation, "member.invited", by, now)
    return invitation


@needs(Permission.MANAGE_MEMBERS)
@transaction.atomic
def resend(
    invitation: Invitation, *, by: Actor, now: datetime, idempotency_key: str | None = None
) -> Invitation:
    """Mails the same link again, which is then valid for another week; once for each `idempotency_key` (P8).

    Raises InvitationNotOpen.
    """
    if events.by_idempotency_key(invitation.organization, idempotency_key):
        return invitation
    still_open = Invitation.objects.filter(pk=invitation.pk, status=InvitationStatus.OPEN)
    if not still_open.update(expires_at=now + INVITATION_LIFETIME):
        raise InvitationNotOpen()
    invitation.refresh_from_db()
    _record_and_mail(invitation, "member.invitation_resent", by, now, idempotency_key)
    return invitation


@needs(Permission.MANAGE_MEMBERS)
@transaction.atomic
def withdraw(invitation: Invitation, *, by: Actor, now: datetime) -> None:
    """Ends an invitation: its link and a mail still in the queue are dead at once. Raises InvitationNotOpen."""
    _end(invitation, InvitationStatus.WITHDRAWN)
    data = {"email": invitation.email, "role": invitation.role}
    events.record("member.invitation_withdrawn", invitation.organization, by=by, now=now, data=data)


@transaction.atomic
def accept(invitation: Invitation, *, user: User, now: datetime) -> Member:
    """Makes the invited user a member with the role of the invitation, once. Raises InvitationNotOpen."""
    if user.email != invitation.email or not invitation.is_open(now):
        raise InvitationNotOpen()
    _end(invitation, InvitationStatus.ACCEPTED)
    return _join(invitation, user, now)


@transaction.atomic
def accept_with_new_account(invitation: Invitation, *, name: str, password: str, now: datetime) -> Member:
    """Creates the invited user and makes them a member. Raises Invalid or InvitationNotOpen."""
    if User.objects.filter(email=invitation.email).exists():
        # The holder of this link must not become a user who exists already (D5).
        raise InvitationNotOpen(reason="address_known")
    user = User(email=invitation.email)
    errors = _name_errors(name)
    password_error = passwords.password_error(password, user)
    if password_error is not None:
        errors["password"] = field_error(password_error.code or "", **(password_error.params or {}))
    if errors:
        raise Invalid(errors)
    if not invitation.is_open(now):
        raise InvitationNotOpen()
    _end(
        invitation, InvitationStatus.ACCEPTED
    )  # before the user is created, so that one of two clicks creates it
    user.name = name.strip()
    user.set_password(password)
    user.save()
    return _join(invitation, user, now)


@needs(Permission.MANAGE_MEMBERS)
@transaction.atomic
def change_role(member: Member, *, role: str, by: Actor, now: datetime) -> Member:
    """Changes a member's role, from the next request on. Raises Invalid, LastOwner, Stale."""
    if role not in Role.values:
        raise Invalid({"role": field_error("role_unknown")})
    member = _locked(member)
    before = member.role
    if before == role:
        return member
    _check_owner_remains(member)
    member.role = role
    member.save(update_fields=["role"])
    data = {**_member_data(member), "before": {"role": before}}
    events.record("member.role_changed", member.organization, by=by, now=now, data=data)
    return member


@needs(Permission.MANAGE_MEMBERS)
@transaction.atomic
def remove(member: Member, *, by: Actor, now: datetime) -> None:
    """Removes a member at once, since each request looks up the membership. Raises LastOwner, Stale."""
    member = _locked(member)
    _check_owner_remains(member)
    _withdraw_open_invitations(member)
    outbox.redirect_member_mails(member)
    events.record("member.removed", member.organization, by=by, now=now, data=_member_data(member))
    member.delete()


@transaction.atomic
def rename(user: User, *, name: str, now: datetime) -> None:
    """Changes a user's name; events already recorded keep the old one. Raises Invalid."""
    errors = _name_errors(name)
    if errors:
        raise Invalid(errors)
    before, user.name = user.name, name.strip()
    if user.name != before:
        user.save(update_fields=["name"])
        record_for_user(user, "renamed", now=now, data={"before": {"name": before}})


@transaction.atomic
def record_sign_in_change(user: User, what: str, *, now: datetime) -> None:
    """Records that a user changed how they sign in, and mails them in case they did not make the change."""
    record_for_user(user, what, now=now)
    outbox.queue_account_mail(user, "sign_in_changed", now=now, data={"what": what})


@transaction.atomic
def record_sign_in(user: User, *, ip_address: str, now: datetime) -> None:
    """Records that a user signed in, from which address."""
    record_for_user(user, "signed_in", now=now, data={"ip_address": ip_address})


@transaction.atomic
def record_sign_out(user: User, *, ip_address: str, now: datetime) -> None:
    """Records that a user signed out."""
    record_for_user(user, "signed_out", now=now, data={"ip_address": ip_address})


@transaction.atomic
def record_failed_sign_in(user: User, kind: str, *, ip_address: str, now: datetime) -> None:
    """Records a wrong password or code (`kind`); limits keep the number of these events small."""
    data = {"kind": kind, "ip_address": ip_address}
    record_for_user(user, "sign_in_failed", now=now, data=data, by=events.VISITOR)


@transaction.atomic
def warn_of_guesses(user: User, kind: str, *, ip_address: str, now: datetime) -> None:
    """Records and mails that passwords or codes (`kind`) of a user are guessed, at most once an hour."""
    try:
        rate_limits.consume({_WARNINGS: f"{user.pk} {kind}"}, now=now)
    except LimitReached:
        return
    data = {"kind": kind, "ip_address": ip_address}
    record_for_user(user, "sign_in_limited", now=now, data=data, by=events.VISITOR)
    outbox.queue_account_mail(user, "sign_in_attempts", now=now, data=data)


@transaction.atomic
def reset_two_factor(user: User, *, by: Actor, now: datetime) -> bool:
    """Removes the second factor of a user who lost phone and recovery codes; returns False if there was none."""
    if not two_factor.reset(user):
        return False
    for member in Member.objects.filter(user=user).select_related("organization", "user"):
        data = _member_data(member)
        events.record("member.two_factor_reset", member.organization, by=by, now=now, data=data)
    outbox.queue_account_mail(user, "sign_in_changed", now=now, data={"what": "two_factor_off"})
    return True


@transaction.atomic
def end_other_sessions(user: User, *, key: str | None, now: datetime) -> None:
    """Signs a user out of every browser but the one with the session key `key`."""
    if sessions.end_other_sessions(user, key=key):
        record_for_user(user, "sessions_ended", now=now)


def record_for_user(
    user: User, what: str, *, now: datetime, data: dict[str, Any] | None = None, by: Actor | None = None
) -> None:
    """Records `member.<what>` in every organization of a user, with the user as the actor unless `by` is given."""
    for member in Member.objects.filter(user=user).select_related("organization", "user"):
        member_data = {**_member_data(member), **(data or {})}
        actor = by or events.member_actor(member)
        events.record(f"member.{what}", member.organization, by=actor, now=now, data=member_data)


def _member_data(member: Member) -> dict[str, object]:
    return {
        "member": member.pk,
        "name": member.user.name,
        "email": member.user.email,
        "role": str(member.role),
    }


def _name_errors(name: str) -> dict[str, FieldError]:
    fits = 0 < len(name.strip()) <= MAX_NAME_LENGTH
    return {} if fits else {"name": field_error("user_name_invalid", limit=MAX_NAME_LENGTH)}


def _record_and_mail(
    invitation: Invitation, event_type: str, by: Actor, now: datetime, idempotency_key: str | None = None
) -> None:
    data = {"email": invitation.email, "role": invitation.role}
    event = events.record(
        event_type, invitation.organization, by=by, now=now, data=data, idempotency_key=idempotency_key
    )
    mail_data = {"invitation": invitation.pk, "by": by.label}
    outbox.queue("invitation", event, Recipients(to=[invitation.email], data=mail_data))


def _end(invitation: Invitation, status: InvitationStatus) -> None:
    still_open = Invitation.objects.filter(pk=invitation.pk, status=InvitationStatus.OPEN)
    if not still_open.update(status=status):
        raise InvitationNotOpen()


def _join(invitation: Invitation, user: User, now: datetime) -> Member:
    member, _ = Member.objects.get_or_create(
        organization=invitation.organization, user=user, defaults={"role": invitation.role}
    )
    by = events.member_actor(member)
    events.record("member.joined", invitation.organization, by=by, now=now, data=_member_data(member))
    return member


def _withdraw_open_invitations(member: Member) -> None:
    """An older link must not let a removed member back in, or in with another role."""
    invitations = Invitation.objects.filter(organization=member.organization, email=member.user.email)
    invitations.filter(status=InvitationStatus.OPEN).update(status=InvitationStatus.WITHDRAWN)


def _locked(member: Member) -> Member:
    # Changes of members take turns: two owners who remove each other must not both succeed.
    member.organization.lock()
    current = Member.objects.select_related("organization", "user").filter(pk=member.pk).first()
    if current is None:
        raise Stale(reason="member_removed")
    return current


def _check_owner_remains(leaving: Member) -> None:
    """Raises LastOwner if no other owner could sign in."""
    if leaving.role != Role.OWNER:
        return
    owners = leaving.organization.members.filter(role=Role.OWNER, user__is_active=True).exclude(pk=leaving.pk)
    if not any(owner.user.has_usable_password() for owner in owners.select_related("user")):
        raise LastOwner(name=leaving.user.name)
