"""The page on which somebody sees and changes what belongs to them alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from partway.accounts.models import Member, User
from partway.billing import members
from partway.billing.errors import BillingError
from partway.lib import clock
from partway.staff.access import to_signin
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
    is_this: bool


@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Who is signed in: name, password, second step, sessions, organizations."""
    if not isinstance(request.user, User):
        return to_signin(request)
    user = request.user
    form = Form.typed(request.POST) if request.method == "POST" else Form({"name": user.name})
    if request.method == "POST":
        try:
            members.rename(user, name=form.text("name"), now=clock.now())
        except BillingError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect("profile")
    return render(request, "staff/profile/show.html", {"form": form, **_standing(user)}, status=form.status)


def _standing(user: User) -> dict[str, object]:
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
        "sessions": _sessions(user),
    }


def _sessions(user: User) -> list[Session]:
    rows = sorted(UserSession.objects.purge_and_list(user), key=lambda row: row.created_at, reverse=True)
    return [
        Session(browser(row.user_agent), row.ip, row.created_at.astimezone(ZoneInfo("UTC")), row.is_current())
        for row in rows
    ]


def browser(user_agent: str) -> str:
    """What a browser says of itself, in words somebody recognizes: “Firefox on Linux”."""
    named = next((name for name in _BROWSERS if re.search(rf"\b{name}\w*/", user_agent)), "")
    system = next((words for mark, words in _SYSTEMS.items() if mark in user_agent), "")
    words = _NAMES.get(named, named) or "A browser"
    return f"{words} on {system}" if system else words
