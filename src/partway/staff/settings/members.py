"""Members of an organization with their roles, and open invitations."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Invitation, InvitationStatus, Member, Role
from partway.billing.errors import BillingError
from partway.billing.people import members
from partway.lib.natural_sort import sort_key

from ..confirm import RepeatableActForm, confirm
from ..context import MemberContext
from ..forms import StaffForm, strip_nul, text_field

ROLE_DESCRIPTIONS = {
    Role.OWNER: _("does everything, and configures the organization"),
    Role.COLLECTOR: _("writes and sends invoices, requests payments"),
    Role.READER: _("sees everything, changes nothing"),
}
ROLES = {
    "roles": [(role.value, role.label) for role in ROLE_DESCRIPTIONS],
    "role_descriptions": [(role.label, message) for role, message in ROLE_DESCRIPTIONS.items()],
}


class InvitationForm(StaffForm):
    """The address and the role of a new member."""

    email = text_field()
    role = text_field()


class RoleForm(StaffForm):
    """Another role for a member."""

    role = text_field()


def index(ctx: MemberContext) -> HttpResponse:
    """Members, owners first, then open invitations."""
    found = ctx.organization.members.select_related("user")
    roles = list(ROLE_DESCRIPTIONS)
    invited = ctx.organization.invitations.filter(status=InvitationStatus.OPEN).order_by("-created_at", "-pk")
    context = {
        "members": sorted(
            found, key=lambda one: (roles.index(Role(one.role)), sort_key(one.user.name), one.pk)
        ),
        "invitations": [(row, row.is_open(ctx.now)) for row in invited],
    }
    return ctx.render("staff/members/index.html", {**ROLES, **context})


def invite(ctx: MemberContext) -> HttpResponse:
    """Invites a new member by mail."""
    form = InvitationForm(ctx.post_data, initial={"role": Role.COLLECTOR.value})
    if form.is_valid():
        email, role = form.cleaned_data["email"], form.cleaned_data["role"]
        try:
            made = members.invite(ctx.organization, email=email, role=role, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
        else:
            notice = gettext("The invitation to %(email)s is on its way.") % {"email": made.email}
            return ctx.redirect(ctx.url("members"), notice=notice)
    return ctx.render("staff/members/invite.html", {"form": form, **ROLES}, status=form.status)


def change_role(ctx: MemberContext, member_id: str) -> HttpResponse:
    """Gives a member another role."""
    member = _get_member_or_404(ctx, member_id)

    def act(form: RoleForm) -> HttpResponse:
        role = form.cleaned_data["role"]
        members.change_role(member, role=role, by=ctx.actor, now=ctx.now)
        notice = gettext("%(name)s has the role %(role)s now.")
        notice %= {"name": member.user.name, "role": Role(role).label.lower()}
        return _redirect_after(ctx, member, notice=notice)

    return confirm(
        ctx,
        member,
        "staff/members/role.html",
        form=RoleForm(ctx.post_data, initial={"role": member.role}),
        act=act,
        back=ctx.url("members"),
        context=lambda: ROLES,
    )


def remove(ctx: MemberContext, member_id: str) -> HttpResponse:
    """Asks before a member is removed; every page is closed to them from then on."""
    member = _get_member_or_404(ctx, member_id)

    def act(_form: StaffForm) -> HttpResponse:
        members.remove(member, by=ctx.actor, now=ctx.now)
        notice = gettext("%(name)s is no longer a member.") % {"name": member.user.name}
        return _redirect_after(ctx, member, notice=notice)

    return confirm(
        ctx,
        member,
        "staff/members/remove.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=ctx.url("members"),
    )


def _redirect_after(ctx: MemberContext, member: Member, *, notice: str) -> HttpResponse:
    """Redirects to the list; owners who changed themselves cannot open it any more, and go to the start page."""
    is_self = member.user_id == ctx.member.user_id
    return ctx.redirect("/" if is_self else ctx.url("members"), notice="" if is_self else notice)


def resend(ctx: MemberContext, invitation_id: str) -> HttpResponse:
    """Asks before the link of an invitation is mailed again."""
    invitation = _get_invitation_or_404(ctx, invitation_id)

    def act(form: RepeatableActForm) -> HttpResponse:
        key = form.content_key(ctx.request.path)
        members.resend(invitation, by=ctx.actor, now=ctx.now, idempotency_key=key)
        notice = gettext("The invitation is on its way to %(email)s once more.") % {"email": invitation.email}
        return ctx.redirect(ctx.url("members"), notice=notice)

    return confirm(
        ctx,
        invitation,
        "staff/members/resend.html",
        form=RepeatableActForm(ctx.post_data),
        act=act,
        back=ctx.url("members"),
    )


def withdraw(ctx: MemberContext, invitation_id: str) -> HttpResponse:
    """Asks before an invitation ends; its link is dead at once."""
    invitation = _get_invitation_or_404(ctx, invitation_id)

    def act(_form: StaffForm) -> HttpResponse:
        members.withdraw(invitation, by=ctx.actor, now=ctx.now)
        return ctx.redirect(ctx.url("members"), notice=gettext("The invitation is withdrawn."))

    return confirm(
        ctx,
        invitation,
        "staff/members/withdraw.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=ctx.url("members"),
    )


def _get_member_or_404(ctx: MemberContext, member_id: str) -> Member:
    rows = ctx.organization.members.select_related("user", "organization")
    found = rows.filter(pk=strip_nul(member_id)).first()
    if found is None:
        raise Http404
    return found


def _get_invitation_or_404(ctx: MemberContext, invitation_id: str) -> Invitation:
    rows = ctx.organization.invitations.select_related("organization")
    found = rows.filter(pk=strip_nul(invitation_id)).first()
    if found is None:
        raise Http404
    return found
