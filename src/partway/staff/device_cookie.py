"""The signed cookie of a browser in which a person has signed in, or set a password by a link from a mail.

It outlives the session. It gives the browser guesses of its own at the password of that account (decision 0033), and
names the member whose form came after the session had ended (0045). It signs no person in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from partway.accounts.models import User

COOKIE_NAME = "__Host-partway-device" if settings.SESSION_COOKIE_SECURE else "partway-device"
_SALT = "partway.staff.signin.device"
_LIFETIME = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Device:
    """A browser: a random name of its own, and the id of the user who signed in there last."""

    name: str
    user_id: str


def remember(response: HttpResponse, user: User) -> HttpResponse:
    """Sets the cookie, for a browser in which this person has proved who they are."""
    value = signing.dumps({"user": user.pk, "device": secrets.token_urlsafe(12)}, salt=_SALT)
    response.set_cookie(
        COOKIE_NAME,
        value,
        max_age=_LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def read(request: HttpRequest) -> Device | None:
    """Returns the browser that the cookie names; None without one, or where its signature does not fit."""
    try:
        found = signing.loads(request.COOKIES.get(COOKIE_NAME, ""), salt=_SALT, max_age=_LIFETIME)
    except signing.BadSignature:
        return None
    return Device(name=str(found["device"]), user_id=str(found["user"]))
