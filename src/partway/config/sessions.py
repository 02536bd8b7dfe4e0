"""The session store: like Django's database store, but with a digest in place of the session key (DESIGN R8)."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from partway.lib.sealing import digest


class SessionStore(db.SessionStore):
    """Stores sessions under a digest of the key in the cookie, so that a database dump contains no usable session."""

    def exists(self, session_key: str) -> bool:
        """Returns whether there is a session with this key."""
        return super().exists(digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Returns the row to save, with the digest as its primary key."""
        row = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Deletes this session, or the one with `session_key`."""
        key = session_key or self.session_key
        if key:
            super().delete(digest(key))

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        key = digest(self.session_key or "")
        row = self.model.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
        return row
