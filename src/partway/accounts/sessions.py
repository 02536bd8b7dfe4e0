"""In which browsers somebody is signed in; the keys of the sessions rest only as digests (DESIGN R8)."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from partway.lib.sealing import digest

from .models import User, UserSession

_MOST_BROWSER = 200


def session_key_digest(key: str | None) -> str:
    """The primary key of the session that a cookie's `key` opens."""
    return digest(key or "")


def note(user: User, *, key: str | None, ip_address: str, browser: str, now: datetime) -> None:
    """Remember that this browser has just signed in."""
    told = {"user": user, "ip_address": ip_address, "browser": browser[:_MOST_BROWSER]}
    UserSession.objects.update_or_create(
        session_id=session_key_digest(key), defaults={**told, "created_at": now}
    )


def standing(user: User, *, now: datetime) -> QuerySet[UserSession]:
    """Where somebody is signed in, newest first."""
    return UserSession.objects.filter(user=user, session__expire_date__gt=now).order_by("-created_at")


def end_other_sessions(user: User, *, key: str | None) -> int:
    """End every session but the one of `key`; answers how many."""
    others = Session.objects.filter(signed_in__user=user).exclude(pk=session_key_digest(key))
    return len([session.delete() for session in others])


def end_all(user: User) -> None:
    """End every session."""
    Session.objects.filter(signed_in__user=user).delete()
