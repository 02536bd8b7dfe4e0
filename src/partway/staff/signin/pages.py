"""The pages of signing in: django-allauth's views with our templates; what is refused is a 422, what is dead a 404."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.generic.edit import FormView

from partway.accounts import sessions
from partway.accounts.models import User
from partway.billing.people import members
from partway.lib import clock

from . import lockout, login
from .forms import ForgotPasswordForm, ReauthenticateCodeForm, SecondFactorForm, SignInForm, TokenForm

# What the mixins below stand before, one way or another; for the type checker alone.
if TYPE_CHECKING:
    _AnyForm = FormView[BaseForm]
else:
    _AnyForm = object

_PROFILE = reverse_lazy("profile")


class Invalid422Mixin(_AnyForm):
    """A form that comes back with errors is no success."""

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """The page again, as 422."""
        answer: HttpResponse = super().form_invalid(form)
        answer.status_code = 422
        return answer


class SecurityChangeMixin(Invalid422Mixin):
    """A change of how somebody signs in: the change, its events and its mail are one transaction."""

    change = ""
    notice = ""

    def affected_user(self) -> User:
        """The person it is about."""
        user = self.request.user
        if not isinstance(user, User):  # allauth lets nobody come this far
            raise PermissionDenied
        return user

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Do it, and tell."""
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)
            members.record_sign_in_change(self.affected_user(), self.change, now=clock.now())
        if self.notice:
            messages.success(self.request, self.notice)
        return answer


class SignIn(Invalid422Mixin, account.LoginView):
    """Anyone: address and password, then the second step or on to where they were going."""

    form_class = SignInForm
    template_name = "staff/signin/signin.html"


class SignOut(account.LogoutView):
    """Anyone: end the session."""

    http_method_names: ClassVar[list[str]] = ["post"]


class SecondFactor(Invalid422Mixin, mfa.AuthenticateView):
    """Whoever gave the right password: the code of the app, or a recovery code."""

    form_class = SecondFactorForm
    template_name = "staff/signin/code.html"


class ForgotPassword(Invalid422Mixin, account.PasswordResetView):
    """Anyone: ask for a link to set a new password."""

    form_class = ForgotPasswordForm
    template_name = "staff/signin/forgotten.html"


class ForgotPasswordSent(account.PasswordResetDoneView):
    """The same words whether we know the address or not."""

    template_name = "staff/signin/forgotten_sent.html"


class ResetPassword(SecurityChangeMixin, account.PasswordResetFromKeyView):
    """Whoever holds the link from the mail: set a new password. The link works once."""

    template_name = "staff/signin/reset.html"
    change = "password_reset"

    def affected_user(self) -> User:
        """The person whose link it is."""
        user: User = self.reset_user
        return user

    def dispatch(self, request: HttpRequest, uidb36: str, key: str) -> HttpResponseBase:
        """The form, or a kind word about a dead link."""
        # allauth would lay the key into the session, that is, into the database; our links rest nowhere.
        token = TokenForm({"uidb36": uidb36, "key": key})
        if not token.is_valid():
            return render(request, "staff/signin/reset_dead.html", status=404)
        self.key, self.reset_user = key, token.reset_user
        return FormView.dispatch(self, request, uidb36=uidb36, key=key)

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Set it, end every session, and let them try again at once if they were locked out."""
        answer = super().form_valid(form)
        sessions.end_all(self.affected_user())
        lockout.clear_lockout(self.affected_user())
        return answer


class ResetPasswordDone(account.PasswordResetFromKeyDoneView):
    """It is set; on to signing in with it."""

    template_name = "staff/signin/reset_done.html"


class Reauthenticate(Invalid422Mixin, account.ReauthenticateView):
    """Who is signed in gives the password once more before something dangerous."""

    template_name = "staff/signin/confirm.html"


class ReauthenticateByCode(Invalid422Mixin, mfa.ReauthenticateView):
    """The same with a code."""

    form_class = ReauthenticateCodeForm
    template_name = "staff/signin/confirm.html"


class ChangePassword(SecurityChangeMixin, account.PasswordChangeView):
    """A new password, which ends every other session."""

    template_name = "staff/profile/password.html"
    success_url = _PROFILE
    change = "password_changed"
    notice = "Your password is changed. Every other session has ended."

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Change it; this browser stays, under a new session."""
        answer = super().form_valid(form)
        login.end_other_sessions(self.request, self.affected_user())
        return answer


class EnableTwoFactor(SecurityChangeMixin, totp.ActivateTOTPView):
    """Show the secret to an authenticator app, and take its first code."""

    template_name = "staff/profile/two_factor_on.html"
    change = "two_factor_on"
    notice = "Two-factor sign-in is on."


class DisableTwoFactor(SecurityChangeMixin, totp.DeactivateTOTPView):
    """Sign in with the password alone again."""

    template_name = "staff/profile/two_factor_off.html"
    change = "two_factor_off"
    notice = "Two-factor sign-in is off."


class RecoveryCodes(recovery.ViewRecoveryCodesView):
    """The codes that are left, to be written down."""

    template_name = "staff/profile/recovery_codes.html"


class RegenerateRecoveryCodes(SecurityChangeMixin, recovery.GenerateRecoveryCodesView):
    """Ten new codes, which end the old ones."""

    template_name = "staff/profile/recovery_codes_new.html"
    change = "recovery_codes_made"
    notice = "These are your new recovery codes. The old ones no longer work."
