"""Forms that came after their session had ended: kept for a short time, for the member who typed them and no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from partway.lib.sealing import Unsealable

from .models import KeptForm, User

LIFETIME = timedelta(hours=1)
MAX_CHARACTERS = 200_000
_MAX_FORMS = 5  # of one user; a browser that signs in again has few tabs with something typed
_MAX_PATH_LENGTH = 500


def keep(user: User, *, path: str, fields: Mapping[str, str], now: datetime) -> KeptForm | None:
    """Keeps the fields of a form, sealed, since they may be credentials; None where they are too long to keep."""
    size = sum(len(name) + len(text) for name, text in fields.items())
    if size > MAX_CHARACTERS or len(path) > _MAX_PATH_LENGTH:
        return None
    kept = KeptForm(user=user, path=path, created_at=now)
    kept.fields = fields
    kept.save(force_insert=True)
    newest = KeptForm.objects.filter(user=user).order_by("-created_at", "-pk").values_list("pk", flat=True)
    KeptForm.objects.filter(user=user).exclude(pk__in=list(newest[:_MAX_FORMS])).delete()
    return kept


def find(user: User, *, kept_id: str, path: str, now: datetime) -> dict[str, str] | None:
    """Returns the fields that this user typed on the page of `path`; None once they are too old."""
    kept = KeptForm.objects.filter(pk=kept_id, user=user, path=path, created_at__gt=now - LIFETIME).first()
    try:
        return kept.fields if kept is not None else None
    except Unsealable:  # the secret key was replaced in between
        return None


def delete_old(*, now: datetime, limit: int = 1_000) -> int:
    """Deletes forms that are too old to be shown, at most `limit`; returns how many."""
    old = KeptForm.objects.filter(created_at__lte=now - LIFETIME).order_by("created_at")
    return KeptForm.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]
