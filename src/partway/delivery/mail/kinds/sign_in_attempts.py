"""The warning that passwords or codes of an account are guessed. To the user; it takes no replies."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import User
from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_datetime
from .. import validity
from ..content import Content

read_permission = Permission.VIEW_STORED_MAIL

# Who gets as far as a code has typed the right password.
_WARNINGS = {
    "password": (
        _("Wrong passwords are being tried on your account"),
        _("If it was you, there is nothing to do. If it was not, another person is guessing your password."),
        _(
            "Further attempts are slowed down. If you cannot sign in yourself because of that, set a new password: "
            "then you can sign in at once in the browser in which you set it."
        ),
    ),
    "code": (
        _("Sign-in codes are being tried with your password"),
        _("If it was you, there is nothing to do. If it was not, another person knows your password."),
        _("Set a new password now: the old one then stops working, and every session ends."),
    ),
}


is_valid = validity.while_user_is_active


def content(mail: Mail) -> Content:
    """The attempts with the last address, and the page where the user sets a new password."""
    subject, meaning, advice = (str(text) for text in _WARNINGS[mail.data["kind"]])
    return Content(
        subject=subject,
        context={
            "warning": subject,
            "meaning": meaning,
            "advice": advice,
            "ip_address": mail.data["ip_address"],
            "at": format_datetime(mail.created_at, "UTC"),
            "user": User.objects.get(pk=mail.data["user"]),
            "url": f"{settings.PARTWAY_URL}{reverse('account_reset_password')}",
        },
    )
