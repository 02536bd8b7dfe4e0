"""Mails about people rather than money: an invitation, a forgotten password, a changed way of signing in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from partway.accounts.models import Invitation, User
from partway.accounts.passwords import RESET_LINK_LIFETIME, reset_tokens
from partway.billing import links
from partway.billing.models import Mail

from ..templatetags.partway import format_datetime

Context = dict[str, Any]

_CHANGES = {
    "password_changed": "Your password was changed",
    "password_reset": "Your password was set anew by a link from a mail",
    "two_factor_on": "Signing in now also takes a code from your authenticator app",
    "two_factor_off": "Signing in no longer takes a code from your authenticator app",
    "recovery_codes_made": "You have new recovery codes; the old ones no longer work",
}


def invitation(mail: Mail) -> Context:
    """Who asks them to join what, and the link that works once."""
    asked = Invitation.objects.select_related("organization").get(pk=mail.data["invitation"])
    return {
        "subject": f"{mail.data['by']} invites you to {asked.organization.name}",
        "invitation": asked,
        "by": mail.data["by"],
        "until": format_datetime(asked.expires_at, asked.organization.time_zone),
        "url": links.invitation_url(asked),
    }


def password_reset(mail: Mail) -> Context:
    """The link that sets a new password; it is made now, so the two hours count from when the mail leaves."""
    user = User.objects.get(pk=mail.data["user"])
    parts = {"uidb36": user.pk, "key": reset_tokens.make_token(user)}
    path = reverse("account_reset_password_from_key", kwargs=parts)
    hours = int(RESET_LINK_LIFETIME.total_seconds()) // 3600
    return {
        "subject": "Set a new password for Partway",
        "user": user,
        "hours": hours,
        "url": f"{settings.PARTWAY_URL}{path}",
    }


def sign_in_changed(mail: Mail) -> Context:
    """What changed, and what to do if it was somebody else."""
    words = _CHANGES[mail.data["what"]]
    user = User.objects.get(pk=mail.data["user"])
    url = f"{settings.PARTWAY_URL}{reverse('account_reset_password')}"
    return {"subject": words, "words": words, "user": user, "url": url}
