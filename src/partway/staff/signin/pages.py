"""The pages of sign-in: django-allauth's views with our templates; a refused form is a 422, a dead link a 404."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

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
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic.edit import FormView

from partway.accounts import sessions
from partway.accounts.models import User
from partway.accounts.rate_limits import LimitReached
from partway.billing.people import members
from partway.lib import clock
from partway.staff import device_cookie

from . import lockout, login
from .forms import (
    FirstCodeForm,
    ForgotPasswordForm,
    NewPasswordForm,
    ReauthenticateCodeForm,
    SecondFactorForm,
    SignInForm,
    TokenForm,
)

# The base class of the mixins below, for the type checker only.
if TYPE_CHECKING:
    _AnyForm = FormView[BaseForm]
else:
    _AnyForm = object

_PROFILE = reverse_lazy("profile")


class Invalid422Mixin(_AnyForm):
    """Returns a refused form as 422, and a limit that is used up as 429."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Shows the page, or how long to wait."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except LimitReached as reached:
            return lockout.limited_response(request, reached)

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        """Renders the page again, as 422."""
        response: HttpResponse = super().form_invalid(form)
        response.status_code = 422
        return response


class SecurityChangeMixin(Invalid422Mixin):
    """A change of how a person signs in; the change, its events and its mail are one transaction."""

    change = ""
    notice: str | Promise = ""

    def affected_user(self) -> User:
        """Returns the person whose sign-in changes."""
        user = self.request.user
        if not isinstance(user, User):  # allauth redirects before this
            raise PermissionDenied
        return user

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Makes the change and shows the notice."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            members.record_sign_in_change(self.affected_user(), self.change, now=clock.now())
        if self.notice:
            messages.success(self.request, str(self.notice))
        return response


class SignIn(Invalid422Mixin, account.LoginView):
    """Address and password; redirects to the second factor or to the page asked for."""

    form_class = SignInForm
    template_name = "staff/signin/signin.html"


class SignOut(account.LogoutView):
    """Ends the session."""

    http_method_names: ClassVar[list[str]] = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Records who signs out, and ends the session."""
        user = self.request.user
        if isinstance(user, User):
            user.kept_forms.all().delete()
            members.record_sign_out(user, ip_address=lockout.ip_address(self.request), now=clock.now())
        response: HttpResponse = super().post(*args, **kwargs)
        return response


class SecondFactor(Invalid422Mixin, mfa.AuthenticateView):
    """The code of the app or a recovery code, after the right password."""

    form_class = SecondFactorForm
    template_name = "staff/signin/code.html"

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Signs in; after a few wrong codes the sign-in begins again at the password."""
        try:
            response: HttpResponse = super().post(*args, **kwargs)
        except lockout.SecondFactorEnded:
            response = self.stage.abort()
            messages.error(self.request, gettext("Too many wrong codes. Sign in again."))
        return response


class ForgotPassword(Invalid422Mixin, account.PasswordResetView):
    """Requests a link to set a new password."""

    form_class = ForgotPasswordForm
    template_name = "staff/signin/forgotten.html"


class ForgotPasswordSent(account.PasswordResetDoneView):
    """The page after the request; it is the same for a known and an unknown address."""

    template_name = "staff/signin/forgotten_sent.html"


class ResetPassword(SecurityChangeMixin, account.PasswordResetFromKeyView):
    """Sets a new password, for the holder of the link from the mail; the link works once."""

    template_name = "staff/signin/reset.html"
    change = "password_reset"

    def affected_user(self) -> User:
        """Returns the person whose link it is."""
        user: User = self.reset_user
        return user

    def dispatch(self, request: HttpRequest, uidb36: str, key: str) -> HttpResponseBase:
        """Shows the form, or the page of a dead link."""
        # allauth would store the key in the session, that is, in the database; our links are stored nowhere.
        if request.method == "POST":
            try:
                lockout.count_link_use(request, uidb36)
            except LimitReached as reached:
                return lockout.limited_response(request, reached)
        token = TokenForm({"uidb36": uidb36, "key": key})
        if not token.is_valid():
            return render(request, "staff/signin/reset_invalid.html", status=404)
        self.key, self.reset_user = key, token.reset_user
        return FormView.dispatch(self, request, uidb36=uidb36, key=key)

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Sets it, ends every session, and lets this browser sign in, whatever others have tried."""
        response = super().form_valid(form)
        sessions.end_all(self.affected_user())
        return device_cookie.remember(response, self.affected_user())


class ResetPasswordDone(account.PasswordResetFromKeyDoneView):
    """The page after the reset, with a link to sign in."""

    template_name = "staff/signin/reset_done.html"


class Reauthenticate(Invalid422Mixin, account.ReauthenticateView):
    """Requires the password again before a change of how the person signs in."""

    template_name = "staff/signin/confirm.html"


class ReauthenticateByCode(Invalid422Mixin, mfa.ReauthenticateView):
    """The same with a code of the second factor."""

    form_class = ReauthenticateCodeForm
    template_name = "staff/signin/confirm.html"


class ChangePassword(SecurityChangeMixin, account.PasswordChangeView):
    """Changes the password, which ends every other session."""

    form_class = NewPasswordForm
    template_name = "staff/profile/password.html"
    success_url = _PROFILE
    change = "password_changed"
    notice = _("Your password is changed. Every other session has ended.")

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Changes it; this browser stays signed in, with a new session key."""
        response = super().form_valid(form)
        login.end_other_sessions(self.request, self.affected_user())
        return response


class EnableTwoFactor(SecurityChangeMixin, totp.ActivateTOTPView):
    """Shows the secret for an authenticator app, and checks its first code."""

    form_class = FirstCodeForm
    template_name = "staff/profile/two_factor_on.html"
    change = "two_factor_on"
    notice = _("Two-factor sign-in is on.")


class DisableTwoFactor(SecurityChangeMixin, totp.DeactivateTOTPView):
    """Switches the second factor off."""

    template_name = "staff/profile/two_factor_off.html"
    change = "two_factor_off"
    notice = _("Two-factor sign-in is off.")


class RecoveryCodes(recovery.ViewRecoveryCodesView):
    """The unused recovery codes, to be written down."""

    template_name = "staff/profile/recovery_codes.html"


class RegenerateRecoveryCodes(SecurityChangeMixin, recovery.GenerateRecoveryCodesView):
    """Makes ten new recovery codes, which replace the old ones."""

    template_name = "staff/profile/recovery_codes_new.html"
    change = "recovery_codes_made"
    notice = _("These are your new recovery codes. The old ones no longer work.")
