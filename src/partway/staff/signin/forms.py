"""The forms of django-allauth, extended by limits, single-use codes, and mails through the outbox."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordForm, UserTokenForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.http import HttpRequest

from partway.accounts import two_factor
from partway.accounts.models import User, sign_in_address
from partway.accounts.passwords import reset_tokens
from partway.billing import outbox
from partway.lib import clock

from . import lockout


class SignInForm(LoginForm):
    """Address and password; the page calls the address `email`, which password managers know."""

    def add_prefix(self, field_name: str) -> str:
        """Returns the name of a field on the page."""
        return "email" if field_name == "login" else str(super().add_prefix(field_name))


class ForgotPasswordForm(ResetPasswordForm):
    """The address of an account whose password was forgotten."""

    def clean_email(self) -> str:
        """Returns the address; counts the request, whether the account exists or not. Raises LimitReached."""
        self.cleaned_data["email"] = sign_in_address(self.cleaned_data["email"])
        email: str = super().clean_email()
        lockout.count_reset(context.request, email)
        return email

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
    """A code from the app or a recovery code: a wrong one counts, a right one works once."""

    user: User
    authenticator: Authenticator
    pending = ""  # the sign-in that waits for this code

    def clean_code(self) -> str:
        """Returns the code; raises ValidationError for a wrong or used one, else as `lockout.guess`."""
        with lockout.guess(context.request, self.user.email, "code", pending=self.pending):
            code: str = super().clean_code()  # type: ignore[misc]
            if self.authenticator.type == Authenticator.Type.TOTP:
                secret = get_adapter().decrypt(self.authenticator.data["secret"])
                if not two_factor.use_code(self.user, code, secret, now=clock.now()):
                    raise get_adapter().validation_error("incorrect_code")
        return code


class SecondFactorForm(_SingleUseCodeMixin, AuthenticateForm):
    """The second step of signing in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pending = context.request._login_stage.login
        # A sign-in, and not the session: after the password was typed again there are new tries.
        self.pending = f"{context.request.session.session_key} {pending.initiated_at}"


class ReauthenticateCodeForm(_SingleUseCodeMixin, ReauthenticateForm):
    """The same, required again before a change of how the person signs in."""


class FirstCodeForm(ActivateTOTPForm):
    """The first code of an authenticator app, which signs in no more afterwards."""

    def clean_code(self) -> str:
        """Returns the code; raises ValidationError for a wrong one."""
        code: str = super().clean_code()
        if not two_factor.use_code(self.user, code, self.secret, now=clock.now()):
            raise get_adapter().validation_error("incorrect_code")
        return code


class NewPasswordForm(ChangePasswordForm):
    """The present and the new password; a wrong present one counts like one at the sign-in."""

    def clean_oldpassword(self) -> str:
        """Returns the present password; raises ValidationError for a wrong one, else as `lockout.guess`."""
        with lockout.guess(context.request, self.user.email, "password"):
            password: str = super().clean_oldpassword()
        return password
