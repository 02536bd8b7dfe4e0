"""The adapters of django-allauth: error messages, addresses, sealed secrets, and no public sign-up."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import User
from partway.lib.sealing import seal, unseal
from partway.staff import device_cookie

from . import lockout, login


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are created by invitation or by the operator; mails go through the outbox."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The address and the password do not match. Check both and try again."),
        "incorrect_password": _("This is not your password."),
        "enter_current_password": _("This is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False: an account without an organization has no honest use."""
        return False

    get_client_ip = staticmethod(lockout.ip_address)  # the address that limits are counted by
    login = staticmethod(login.log_in)  # the last step, after the second factor

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        """Redirects to the page asked for; from now on this browser has guesses of its own for the account."""
        return device_cookie.remember(super().post_login(request, user, **details), user)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Returns the user whose password this is; a wrong one counts. Raises LimitReached."""
        found: list[User] = []
        with suppress(ValidationError), lockout.guess(request, credentials["email"], "password"):
            user = super().authenticate(request, **credentials)
            if user is None:
                raise ValidationError("wrong password")
            found.append(user)
        return found[0] if found else None

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether this is the password of the person signed in; a wrong one counts like one at the sign-in."""
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: our own pages show their notices."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Always raises: no mail is sent from within a request."""
        raise NotImplementedError(f"{template_prefix} must be a row of the outbox")


class MFAAdapter(DefaultMFAAdapter):
    """The second factor; its secrets are stored sealed, like every other secret in the database."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _(
            "This code is not right, or was used already. Wait for the next one and try again."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Returns `text` sealed under the installation's key."""
        return seal({"secret": text}, settings.PARTWAY_SECRET_KEYS)

    def decrypt(self, encrypted_text: str) -> str:
        """Returns the text that was sealed; raises Unsealable when the key was lost."""
        return unseal(encrypted_text, settings.PARTWAY_SECRET_KEYS)["secret"]
