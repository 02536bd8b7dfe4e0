"""The first sign-in of a person: by the operator's welcome link, or by an owner's invitation."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from partway.accounts import passwords
from partway.accounts.models import Invitation, User
from partway.accounts.rate_limits import LimitReached
from partway.billing import links
from partway.billing.errors import BillingError
from partway.billing.people import members
from partway.delivery.formats import use_locale
from partway.lib import clock
from partway.staff import device_cookie
from partway.staff.forms import StaffForm, text_field

from . import lockout, login


class PasswordForm(StaffForm):
    """A new password, typed twice."""

    password = forms.CharField(required=False, strip=False)
    repeated_password = forms.CharField(required=False, strip=False)

    def check_repetition(self) -> bool:
        """Whether both are equal; else the error is on the second one."""
        if self.cleaned_data["password"] == self.cleaned_data["repeated_password"]:
            return True
        self.add_field_errors(
            {"repeated_password": gettext("The two passwords are different. Type the same one twice.")}
        )
        return False


class JoinForm(PasswordForm):
    """The name and the password of a new account."""

    name = text_field()


@never_cache
def welcome(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Sets the first password and signs in, for the holder of the operator's link; the link works once."""
    if request.method == "POST":
        try:
            lockout.count_link_use(request, uid)
        except LimitReached as reached:
            return lockout.limited_response(request, reached)
    user = passwords.user_from_welcome_link(uid, token)
    if user is None:
        return render(request, "staff/signin/welcome_invalid.html", status=404)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        password = form.cleaned_data["password"]
        if error := passwords.password_error(password, user):
            form.add_error("password", error)
        elif form.check_repetition():
            passwords.set_password(user, password)
            login.log_in(request, user)
            return device_cookie.remember(redirect("staff:home"), user)
    return render(request, "staff/signin/welcome.html", {"form": form, "user": user}, status=form.status)


@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Joins an organization, for the holder of an invitation's link: with the account signed in, or with a new one."""
    if request.method == "POST":
        try:
            lockout.count_link_use(request, token.partition("-")[0])
        except LimitReached as reached:
            return lockout.limited_response(request, reached)
    invitation = links.invitation_by_token(token)
    if invitation is None or not invitation.is_open(clock.now()):
        return render(request, "staff/signin/join_invalid.html", status=404)
    with use_locale(invitation.organization.locale):
        if isinstance(request.user, User):
            return _join_with_account(request, invitation, request.user)
        if User.objects.filter(email=invitation.email).exists():
            return render(request, "staff/signin/join_known.html", {"invitation": invitation})
        return _join_with_new_account(request, invitation)


def _join_with_account(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    is_other = user.email != invitation.email
    form = StaffForm(request.POST if request.method == "POST" and not is_other else None)
    if form.is_valid():
        try:
            members.accept(invitation, user=user, now=clock.now())
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return redirect("staff:organization", invitation.organization.slug)
    context = {"form": form, "invitation": invitation, "is_other": is_other}
    return render(request, "staff/signin/join.html", context, status=form.status)


def _join_with_new_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and form.check_repetition():
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        try:
            member = members.accept_with_new_account(
                invitation, name=name, password=password, now=clock.now()
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            login.log_in(request, member.user)
            response = redirect("staff:organization", invitation.organization.slug)
            return device_cookie.remember(response, member.user)
    context = {"form": form, "invitation": invitation}
    return render(request, "staff/signin/join_new.html", context, status=form.status)
