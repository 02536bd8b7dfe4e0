"""Keeps sessions in the database under a digest of their key: a dump of it signs nobody in (DESIGN R8)."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from partway.lib.sealing import digest


class SessionStore(db.SessionStore):
    """Django's own, but what is in the cookie is not in the database."""

    def exists(self, session_key: str) -> bool:
        """Whether there is a session of this key."""
        return super().exists(digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row to be saved."""
        row = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """End this session, or the one of that key."""
        key = session_key or self.session_key
        if key:
            super().delete(digest(key))

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        key = digest(self.session_key or "")
        row = self.model.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
        return row
