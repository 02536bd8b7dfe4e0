"""Who works here: members with their roles, and who was invited."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.accounts.models import Invitation, InvitationStatus, Member, Role
from partway.billing.errors import BillingError
from partway.billing.people import members

from ..context import Visit
from ..forms import Form, clean

ROLE_WORDS = {
    Role.OWNER: "does everything, and configures the organization",
    Role.COLLECTOR: "writes and sends invoices, requests payments",
    Role.READER: "sees everything, changes nothing",
}
ROLES = {
    "roles": [(role.value, role.label) for role in ROLE_WORDS],
    "role_words": [(role.label, words) for role, words in ROLE_WORDS.items()],
}


def index(visit: Visit) -> HttpResponse:
    """Members, owners first, then open invitations."""
    found = list(visit.organization.members.select_related("user").order_by("user__name", "pk"))
    invited = visit.organization.invitations.filter(status=InvitationStatus.OPEN).order_by("-created_at")
    context = {
        "members": sorted(found, key=lambda member: list(ROLE_WORDS).index(Role(member.role))),
        "invitations": [(row, row.is_open(visit.now)) for row in invited],
    }
    return visit.render("staff/members/index.html", {**ROLES, **context})


def invite(visit: Visit) -> HttpResponse:
    """Ask somebody to join, by mail."""
    form = Form.typed(visit.request.POST) if visit.posted else Form({"role": Role.COLLECTOR.value})
    if visit.posted:
        try:
            made = members.invite(
                visit.organization,
                email=form.text("email"),
                role=form.text("role"),
                by=visit.actor,
                now=visit.now,
            )
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("members"), said=f"The invitation to {made.email} is on its way.")
    return visit.render("staff/members/invite.html", {"form": form, **ROLES}, status=form.status)


def change_role(visit: Visit, member_id: str) -> HttpResponse:
    """Give a member another role."""
    member = _member(visit, member_id)
    form = Form.typed(visit.request.POST) if visit.posted else Form({"role": member.role})
    if visit.posted:
        try:
            members.change_role(member, role=form.text("role"), by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return _back(visit, member, said=f"{member.user.name} has the role {form.text('role')} now.")
    context = {"form": form, "member": member, **ROLES}
    return visit.render("staff/members/role.html", context, status=form.status)


def remove(visit: Visit, member_id: str) -> HttpResponse:
    """Let a member go; every page is closed to them from then on."""
    member = _member(visit, member_id)
    form = Form.typed(visit.request.POST)
    if visit.posted:
        try:
            members.remove(member, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return _back(visit, member, said=f"{member.user.name} is no longer a member.")
    return visit.render("staff/members/remove.html", {"form": form, "member": member}, status=form.status)


def _back(visit: Visit, member: Member, *, said: str) -> HttpResponse:
    """To the list; who gave up the key to it goes to where they may still be."""
    itself = member.user_id == visit.member.user_id
    return visit.go("/" if itself else visit.url("members"), said="" if itself else said)


def resend(visit: Visit, invitation_id: str) -> HttpResponse:
    """Mail the same link once more."""
    invitation = _invitation(visit, invitation_id)
    form = Form.typed(visit.request.POST)
    if visit.posted:
        try:
            members.resend(invitation, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"The invitation is on its way to {invitation.email} once more."
            return visit.go(visit.url("members"), said=said)
    context = {"form": form, "invitation": invitation}
    return visit.render("staff/members/resend.html", context, status=form.status)


def withdraw(visit: Visit, invitation_id: str) -> HttpResponse:
    """End an invitation; its link is dead at once."""
    invitation = _invitation(visit, invitation_id)
    form = Form.typed(visit.request.POST)
    if visit.posted:
        try:
            members.withdraw(invitation, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("members"), said="The invitation is withdrawn.")
    context = {"form": form, "invitation": invitation}
    return visit.render("staff/members/withdraw.html", context, status=form.status)


def _member(visit: Visit, member_id: str) -> Member:
    rows = visit.organization.members.select_related("user", "organization")
    found = rows.filter(pk=clean(member_id)).first()
    if found is None:
        raise Http404
    return found


def _invitation(visit: Visit, invitation_id: str) -> Invitation:
    rows = visit.organization.invitations.select_related("organization")
    found = rows.filter(pk=clean(invitation_id)).first()
    if found is None:
        raise Http404
    return found
