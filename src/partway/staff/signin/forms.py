"""The forms of django-allauth, extended by the lockout, single-use codes, and mails through the outbox."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm, ResetPasswordForm, UserTokenForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from partway.accounts.models import User
from partway.accounts.passwords import reset_tokens
from partway.billing import outbox
from partway.lib import clock

from . import lockout

_CODE_LIFE_SECONDS = 120  # longer than the time steps in which a code is accepted


class SignInForm(LoginForm):
    """Address and password; the page calls the address `email`, which password managers know."""

    def add_prefix(self, field_name: str) -> str:
        """Returns the name of a field on the page."""
        return "email" if field_name == "login" else str(super().add_prefix(field_name))


class ForgotPasswordForm(ResetPasswordForm):
    """The address of an account whose password was forgotten."""

    def save(self, request: HttpRequest, **_: Any) -> str:
        """Queues the mail where the account exists; the page is the same where it does not."""
        for user in self.users:
            outbox.queue_account_mail(user, "password_reset", now=clock.now())
        return str(self.cleaned_data["email"])


class TokenForm(UserTokenForm):
    """The user id and the token of a reset link."""

    token_generator = reset_tokens

    def _get_user(self, uidb36: str) -> User | None:
        return User.objects.filter(pk=(uidb36 or "").replace("\x00", ""), is_active=True).first()


class _SingleUseCodeMixin:
    """A code from the app or a recovery code: a wrong one counts towards the lockout, a right one works once."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        """Returns the code; raises ValidationError for a wrong or used one, and while the account is locked."""
        request = context.request
        if lockout.is_locked(request, self.user):
            request.axes_locked_out = True
            raise get_adapter().validation_error("incorrect_code")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            self._mark_used(code)
        except ValidationError:
            lockout.record_failure(request, self.user)
            raise
        return code

    def _mark_used(self, code: str) -> None:
        # A code is accepted for three time steps; allauth remembers it for one.
        if self.authenticator.type == Authenticator.Type.TOTP:
            digits = "".join(filter(str.isdigit, code))
            if not cache.add(f"partway.totp.{self.user.pk}.{digits}", True, timeout=_CODE_LIFE_SECONDS):
                raise get_adapter().validation_error("incorrect_code")


class SecondFactorForm(_SingleUseCodeMixin, AuthenticateForm):
    """The second step of signing in."""


class ReauthenticateCodeForm(_SingleUseCodeMixin, ReauthenticateForm):
    """The same, required again before a change of how the person signs in."""
