"""The link for a forgotten password. To the user; it comes from the installation and takes no replies."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from partway.accounts.models import User
from partway.accounts.passwords import RESET_LINK_LIFETIME, reset_tokens
from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from .. import validity
from ..content import Content

read_permission = Permission.VIEW_STORED_MAIL

is_valid = validity.while_user_is_active


def content(mail: Mail) -> Content:
    """The link, made now: its lifetime counts from when the mail leaves, and no row ever holds it."""
    user = User.objects.get(pk=mail.data["user"])
    key = {"uidb36": user.pk, "key": reset_tokens.make_token(user)}
    return Content(
        subject=_("Set a new password for Partway"),
        context={
            "user": user,
            "hours": int(RESET_LINK_LIFETIME.total_seconds()) // 3600,
            "url": f"{settings.PARTWAY_URL}{reverse('account_reset_password_from_key', kwargs=key)}",
        },
    )
