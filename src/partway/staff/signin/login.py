"""The moment somebody comes in: Django's sign-in, and a note of which browser it was."""

from __future__ import annotations

from django.contrib import auth
from django.http import HttpRequest

from partway.accounts import sessions
from partway.accounts.models import User
from partway.lib import clock

from .lockout import ip_address

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def log_in(request: HttpRequest, user: User) -> None:
    """Sign somebody in, whose identity was proved before."""
    auth.login(request, user, backend=_BACKEND)
    _note(request, user)


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """After a new password: this browser, whose session has a new key, and no other."""
    _note(request, user)
    sessions.end_other_sessions(user, key=request.session.session_key)


def _note(request: HttpRequest, user: User) -> None:
    sessions.note(
        user,
        key=request.session.session_key,
        ip_address=ip_address(request),
        browser=request.META.get("HTTP_USER_AGENT", "").replace("\x00", ""),
        now=clock.now(),
    )
