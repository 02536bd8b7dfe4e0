"""django-allauth's forms with what we ask besides: lock-out, codes that work once, mails as rows."""

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

_CODE_LIFE_SECONDS = 120  # longer than the steps around now in which a code is taken


class SignInForm(LoginForm):
    """Address and password; on the page the address is called `email`, which password stores know."""

    def add_prefix(self, field_name: str) -> str:
        """The name of a field on the page."""
        return "email" if field_name == "login" else str(super().add_prefix(field_name))


class ForgotPasswordForm(ResetPasswordForm):
    """The address of somebody who forgot their password."""

    def save(self, request: HttpRequest, **_: Any) -> str:
        """Queue the mail, if we know them; the answer is the same if we do not."""
        for user in self.users:
            outbox.queue_account_mail(user, "password_reset", now=clock.now())
        return str(self.cleaned_data["email"])


class TokenForm(UserTokenForm):
    """The two halves of a link from a mail."""

    token_generator = reset_tokens

    def _get_user(self, uidb36: str) -> User | None:
        return User.objects.filter(pk=(uidb36 or "").replace("\x00", ""), is_active=True).first()


class _SingleUseCodeMixin:
    """A code from the app or a recovery code: wrong ones count towards the lock-out, right ones work once."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        """The code, if it is right."""
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
        # Each code is taken for three steps of the clock; allauth remembers it for one.
        if self.authenticator.type == Authenticator.Type.TOTP:
            digits = "".join(filter(str.isdigit, code))
            if not cache.add(f"partway.totp.{self.user.pk}.{digits}", True, timeout=_CODE_LIFE_SECONDS):
                raise get_adapter().validation_error("incorrect_code")


class SecondFactorForm(_SingleUseCodeMixin, AuthenticateForm):
    """The second step of signing in."""


class ReauthenticateCodeForm(_SingleUseCodeMixin, ReauthenticateForm):
    """The same, asked again before something dangerous."""
