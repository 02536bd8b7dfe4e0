"""The sessions of a user, one for each browser; session keys are stored only as digests (DESIGN R8)."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from partway.lib.sealing import digest

from .models import User, UserSession

# The key in a session's data of when it began, in seconds since 1970; `config/sessions.py` ends it by this.
BEGAN_AT = "began_at"

_MAX_BROWSER_LENGTH = 200


def session_key_digest(key: str | None) -> str:
    """Returns the primary key of the session whose cookie has this `key`."""
    return digest(key or "")


def record(user: User, *, key: str | None, ip_address: str, browser: str, now: datetime) -> None:
    """Records that a user has signed in with this browser."""
    columns = {
        "user": user,
        "ip_address": ip_address,
        "browser": browser[:_MAX_BROWSER_LENGTH],
        "created_at": now,
    }
    UserSession.objects.update_or_create(session_id=session_key_digest(key), defaults=columns)


def active(user: User, *, now: datetime) -> QuerySet[UserSession]:
    """Returns the sessions of a user that have not expired, newest first."""
    return UserSession.objects.filter(user=user, session__expire_date__gt=now).order_by("-created_at", "-pk")


def end_other_sessions(user: User, *, key: str | None) -> int:
    """Ends every session of a user but the one of `key`; returns how many."""
    others = Session.objects.filter(user_session__user=user).exclude(pk=session_key_digest(key))
    return others.delete()[1].get("sessions.Session", 0)


def end_all(user: User) -> None:
    """Ends every session of a user."""
    Session.objects.filter(user_session__user=user).delete()


def delete_ended(*, now: datetime, limit: int = 1_000) -> int:
    """Deletes sessions that have ended by time, at most `limit`; returns how many."""
    ended = Session.objects.filter(expire_date__lt=now).order_by("expire_date").values_list("pk", flat=True)
    return Session.objects.filter(pk__in=list(ended[:limit])).delete()[1].get("sessions.Session", 0)
