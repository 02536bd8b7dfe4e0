"""The mail that a way to sign in changed, in case it was not the user. To the user; it takes no replies."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import User
from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from .. import validity
from ..content import Content

read_permission = Permission.VIEW_STORED_MAIL

_CHANGES = {
    "password_changed": _("Your password was changed"),
    "password_reset": _("Your password was reset with a link from a mail"),
    "two_factor_on": _("Signing in now also takes a code from your authenticator app"),
    "two_factor_off": _("Signing in no longer takes a code from your authenticator app"),
    "recovery_codes_made": _("You have new recovery codes; the old ones no longer work"),
}


is_valid = validity.while_user_is_active


def content(mail: Mail) -> Content:
    """The change, and the page where a user who did not make it sets a new password."""
    change = str(_CHANGES[mail.data["what"]])
    return Content(
        subject=change,
        context={
            "change": change,
            "user": User.objects.get(pk=mail.data["user"]),
            "url": f"{settings.PARTWAY_URL}{reverse('account_reset_password')}",
        },
    )
