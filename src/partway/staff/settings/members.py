"""Who works here: members with their roles, and who was invited."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from partway.accounts.models import Invitation, InvitationStatus, Member, Role
from partway.billing.errors import BillingError
from partway.billing.people import members

from ..context import MemberContext
from ..forms import Form, strip_nul

ROLE_DESCRIPTIONS = {
    Role.OWNER: "does everything, and configures the organization",
    Role.COLLECTOR: "writes and sends invoices, requests payments",
    Role.READER: "sees everything, changes nothing",
}
ROLES = {
    "roles": [(role.value, role.label) for role in ROLE_DESCRIPTIONS],
    "role_descriptions": [(role.label, message) for role, message in ROLE_DESCRIPTIONS.items()],
}


def index(ctx: MemberContext) -> HttpResponse:
    """Members, owners first, then open invitations."""
    found = list(ctx.organization.members.select_related("user").order_by("user__name", "pk"))
    invited = ctx.organization.invitations.filter(status=InvitationStatus.OPEN).order_by("-created_at")
    context = {
        "members": sorted(found, key=lambda member: list(ROLE_DESCRIPTIONS).index(Role(member.role))),
        "invitations": [(row, row.is_open(ctx.now)) for row in invited],
    }
    return ctx.render("staff/members/index.html", {**ROLES, **context})


def invite(ctx: MemberContext) -> HttpResponse:
    """Ask somebody to join, by mail."""
    form = Form.from_data(ctx.request.POST) if ctx.is_post else Form({"role": Role.COLLECTOR.value})
    if ctx.is_post:
        try:
            made = members.invite(
                ctx.organization,
                email=form.text("email"),
                role=form.text("role"),
                by=ctx.actor,
                now=ctx.now,
            )
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(ctx.url("members"), notice=f"The invitation to {made.email} is on its way.")
    return ctx.render("staff/members/invite.html", {"form": form, **ROLES}, status=form.status)


def change_role(ctx: MemberContext, member_id: str) -> HttpResponse:
    """Give a member another role."""
    member = _member(ctx, member_id)
    form = Form.from_data(ctx.request.POST) if ctx.is_post else Form({"role": member.role})
    if ctx.is_post:
        try:
            members.change_role(member, role=form.text("role"), by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return _back(ctx, member, notice=f"{member.user.name} has the role {form.text('role')} now.")
    context = {"form": form, "member": member, **ROLES}
    return ctx.render("staff/members/role.html", context, status=form.status)


def remove(ctx: MemberContext, member_id: str) -> HttpResponse:
    """Let a member go; every page is closed to them from then on."""
    member = _member(ctx, member_id)
    form = Form.from_data(ctx.request.POST)
    if ctx.is_post:
        try:
            members.remove(member, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return _back(ctx, member, notice=f"{member.user.name} is no longer a member.")
    return ctx.render("staff/members/remove.html", {"form": form, "member": member}, status=form.status)


def _back(ctx: MemberContext, member: Member, *, notice: str) -> HttpResponse:
    """To the list; who gave up the key to it goes to where they may still be."""
    itself = member.user_id == ctx.member.user_id
    return ctx.redirect("/" if itself else ctx.url("members"), notice="" if itself else notice)


def resend(ctx: MemberContext, invitation_id: str) -> HttpResponse:
    """Mail the same link once more."""
    invitation = _invitation(ctx, invitation_id)
    form = Form.from_data(ctx.request.POST)
    if ctx.is_post:
        try:
            members.resend(invitation, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            notice = f"The invitation is on its way to {invitation.email} once more."
            return ctx.redirect(ctx.url("members"), notice=notice)
    context = {"form": form, "invitation": invitation}
    return ctx.render("staff/members/resend.html", context, status=form.status)


def withdraw(ctx: MemberContext, invitation_id: str) -> HttpResponse:
    """End an invitation; its link is dead at once."""
    invitation = _invitation(ctx, invitation_id)
    form = Form.from_data(ctx.request.POST)
    if ctx.is_post:
        try:
            members.withdraw(invitation, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(ctx.url("members"), notice="The invitation is withdrawn.")
    context = {"form": form, "invitation": invitation}
    return ctx.render("staff/members/withdraw.html", context, status=form.status)


def _member(ctx: MemberContext, member_id: str) -> Member:
    rows = ctx.organization.members.select_related("user", "organization")
    found = rows.filter(pk=strip_nul(member_id)).first()
    if found is None:
        raise Http404
    return found


def _invitation(ctx: MemberContext, invitation_id: str) -> Invitation:
    rows = ctx.organization.invitations.select_related("organization")
    found = rows.filter(pk=strip_nul(invitation_id)).first()
    if found is None:
        raise Http404
    return found
