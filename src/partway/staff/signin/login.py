"""Signs a person in with Django's session, and records the session's browser."""

from __future__ import annotations

from django.contrib import auth
from django.http import HttpRequest

from partway.accounts import sessions
from partway.accounts.models import User
from partway.billing.people import members
from partway.lib import clock

from . import lockout

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def log_in(request: HttpRequest, user: User) -> None:
    """Signs in a person whose identity was proved before."""
    auth.login(request, user, backend=_BACKEND)
    request.session[sessions.BEGAN_AT] = int(clock.now().timestamp())
    _record_session(request, user)
    lockout.clear_lockout(request, user)
    members.record_sign_in(user, ip_address=lockout.ip_address(request), now=clock.now())


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """Ends every session except this one, whose key is new after a change of the password."""
    _record_session(request, user)
    sessions.end_other_sessions(user, key=request.session.session_key)


def _record_session(request: HttpRequest, user: User) -> None:
    sessions.record(
        user,
        key=request.session.session_key,
        ip_address=lockout.ip_address(request),
        browser=request.META.get("HTTP_USER_AGENT", "").replace("\x00", ""),
        now=clock.now(),
    )
