"""Coming in for the first time: by the operator's welcome link, or by an owner's invitation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from partway.accounts import passwords
from partway.accounts.models import Invitation, User
from partway.billing import links
from partway.billing.errors import BillingError, Invalid
from partway.billing.people import members
from partway.lib import clock
from partway.staff.forms import Form

from . import login

_PASSWORDS_DIFFER = "The two do not match. Type the same password twice."


@never_cache
def welcome(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Whoever holds the operator's link: set the first password and come in. The link works once."""
    user = passwords.user_from_welcome_link(uid, token)
    if user is None:
        return render(request, "staff/signin/dead_link.html", status=404)
    form = Form.from_data(request.POST)
    if request.method == "POST":
        wrong = _wrong_password(form, user)
        if not wrong:
            passwords.set_password(user, form.values["password"])
            login.log_in(request, user)
            return redirect("staff:home")
        form.add_error(Invalid(wrong))
    return render(request, "staff/signin/welcome.html", {"form": form, "user": user}, status=form.status)


def _wrong_password(form: Form, user: User) -> dict[str, str]:
    password_error = passwords.password_error(form.values.get("password", ""), user)
    if password_error:
        return {"password": password_error}
    return {} if form.values.get("again") == form.values["password"] else {"again": _PASSWORDS_DIFFER}


@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever holds the link of an invitation: join as who they are here, or as somebody new."""
    invitation = links.invitation_by_token(token)
    if invitation is None or not invitation.is_open(clock.now()):
        return render(request, "staff/signin/join_dead.html", status=404)
    if isinstance(request.user, User):
        return _join_as(request, invitation, request.user)
    known = User.objects.filter(email=invitation.email).first()
    if known is not None:
        return render(request, "staff/signin/join_known.html", {"invitation": invitation})
    return _join_as_new(request, invitation)


def _join_as(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    form = Form.from_data(request.POST)
    if request.method == "POST" and user.email == invitation.email:
        try:
            members.accept(invitation, user=user, now=clock.now())
        except BillingError as error:
            form.add_error(error)
        else:
            return redirect("staff:organization", invitation.organization.slug)
    context = {"form": form, "invitation": invitation, "is_other": user.email != invitation.email}
    return render(request, "staff/signin/join.html", context, status=form.status)


def _join_as_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = Form.from_data(request.POST)
    if request.method == "POST":
        try:
            user = _accept_as_new(form, invitation)
        except BillingError as error:
            form.add_error(error)
        else:
            login.log_in(request, user)
            return redirect("staff:organization", invitation.organization.slug)
    context = {"form": form, "invitation": invitation}
    return render(request, "staff/signin/join_new.html", context, status=form.status)


def _accept_as_new(form: Form, invitation: Invitation) -> User:
    password = form.values.get("password", "")
    if password != form.values.get("again"):
        raise Invalid({"again": _PASSWORDS_DIFFER})
    member = members.accept_with_new_account(
        invitation, name=form.text("name"), password=password, now=clock.now()
    )
    return member.user
