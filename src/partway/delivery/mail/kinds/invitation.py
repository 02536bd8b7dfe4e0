"""The invitation to join an organization. To the invited address; replies go to the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.models import Invitation, InvitationStatus
from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail

from ...formats import format_datetime
from ..content import Content

read_permission = Permission.MANAGE_MEMBERS


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the invitation was accepted or withdrawn."""
    invitations = Invitation.objects.filter(status=InvitationStatus.OPEN)
    return invitations.filter(pk=mail.data["invitation"]).exists()


def content(mail: Mail) -> Content:
    """Who invites to what, and the link that works once."""
    invitation = Invitation.objects.select_related("organization").get(pk=mail.data["invitation"])
    organization, by = invitation.organization, mail.data["by"]
    return Content(
        subject=_("%(member)s invites you to %(organization)s")
        % {"member": by, "organization": organization.name},
        context={
            "invitation": invitation,
            "by": by,
            "until": format_datetime(invitation.expires_at, organization.time_zone),
            "url": links.invitation_url(invitation),
        },
    )
