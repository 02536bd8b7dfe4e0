"""The page on which somebody sees and changes what belongs to them alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from partway.accounts import sessions
from partway.accounts.models import Member, User
from partway.billing.errors import BillingError
from partway.billing.people import members
from partway.lib import clock
from partway.staff.access import redirect_to_signin
from partway.staff.forms import Form

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


@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Who is signed in: name, password, second step, sessions, organizations."""
    if not isinstance(request.user, User):
        return redirect_to_signin(request)
    user = request.user
    form = Form.from_data(request.POST) if request.method == "POST" else Form({"name": user.name})
    if request.method == "POST":
        try:
            members.rename(user, name=form.text("name"), now=clock.now())
        except BillingError as error:
            form.add_error(error)
        else:
            messages.success(request, "Saved.")
            return redirect("profile")
    return render(
        request, "staff/profile/show.html", {"form": form, **_standing(request, user)}, status=form.status
    )


def _standing(request: HttpRequest, user: User) -> dict[str, object]:
    mine = list(
        Member.objects.filter(user=user).select_related("organization").order_by("organization__name")
    )
    factors = {factor.type: factor for factor in Authenticator.objects.filter(user=user)}
    codes = factors.get(Authenticator.Type.RECOVERY_CODES)
    return {
        "memberships": mine,
        "time_zone": mine[0].organization.time_zone if mine else "UTC",
        "two_factor": factors.get(Authenticator.Type.TOTP),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "sessions": _sessions(request, user),
    }


def _sessions(request: HttpRequest, user: User) -> list[Session]:
    this = sessions.session_key_digest(request.session.session_key)
    return [
        Session(browser(row.browser), row.ip_address, row.created_at, row.pk == this)
        for row in sessions.standing(user, now=clock.now())
    ]


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End every session but this one."""
    if not isinstance(request.user, User):
        return redirect_to_signin(request)
    members.end_other_sessions(request.user, key=request.session.session_key, now=clock.now())
    messages.success(request, "Every other session has ended.")
    return redirect("profile")


def browser(user_agent: str) -> str:
    """What a browser says of itself, in words somebody recognizes: “Firefox on Linux”."""
    named = next((name for name in _BROWSERS if re.search(rf"{name}\w*/", user_agent)), "")
    system = next((message for mark, message in _SYSTEMS.items() if mark in user_agent), "")
    message = _NAMES.get(named, named) or "A browser"
    return f"{message} on {system}" if system else message
