"""The profile page: name, second factor, sessions and organizations of the person who is signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from partway.accounts import sessions
from partway.accounts.models import Member, User
from partway.billing.errors import BillingError
from partway.billing.people import members
from partway.lib import clock
from partway.lib.natural_sort import sort_key
from partway.staff import kept_forms
from partway.staff.access import redirect_to_signin
from partway.staff.forms import StaffForm, text_field

_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_NAMES = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    browser: str
    address: str
    since: datetime
    is_current: bool


class NameForm(StaffForm):
    """The name of a person."""

    name = text_field()


@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Changes the name; shows the second factor, the sessions and the organizations of the person."""
    if not isinstance(request.user, User):
        return redirect_to_signin(request)
    user = request.user
    if request.method == "GET":
        kept_forms.restore(request, user)  # the name that was typed before the session had ended
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": user.name})
    if form.is_valid():
        try:
            members.rename(user, name=form.cleaned_data["name"], now=clock.now())
        except BillingError as error:
            form.add_billing_error(error)
        else:
            messages.success(request, gettext("Saved."))
            return redirect("profile")
    mine = sorted(
        Member.objects.filter(user=user).select_related("organization"),
        key=lambda member: (sort_key(member.organization.name), member.pk),
    )
    factors = {factor.type: factor for factor in Authenticator.objects.filter(user=user)}
    codes = factors.get(Authenticator.Type.RECOVERY_CODES)
    current = sessions.session_key_digest(request.session.session_key)
    context = {
        "form": form,
        "memberships": mine,
        "time_zone": mine[0].organization.time_zone if mine else "UTC",
        "two_factor": factors.get(Authenticator.Type.TOTP),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "sessions": [
            Session(browser_label(row.browser), row.ip_address, row.created_at, row.pk == current)
            for row in sessions.active(user, now=clock.now())
        ],
    }
    return render(request, "staff/profile/show.html", context, status=form.status)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Ends every session of the person except this one."""
    if not isinstance(request.user, User):
        return redirect_to_signin(request)
    members.end_other_sessions(request.user, key=request.session.session_key, now=clock.now())
    messages.success(request, gettext("Every other session has ended."))
    return redirect("profile")


def browser_label(user_agent: str) -> str:
    """Returns a label that a person recognizes, as “Firefox on Linux”."""
    token = next((name for name in _BROWSERS if re.search(rf"{name}\w*/", user_agent)), "")
    name = _NAMES.get(token, token) or gettext("A browser")
    system = next((label for mark, label in _SYSTEMS.items() if mark in user_agent), "")
    return gettext("%(browser)s on %(system)s") % {"browser": name, "system": system} if system else name
