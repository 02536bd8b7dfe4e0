"""The session store: Django's database store, with a digest in place of the session key (DESIGN R8) and an idle end.

The cookie lives for the absolute end, the row only for the idle end: a request moves it on, and never past the
absolute end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from partway.accounts.prepared import Prepared, update
from partway.accounts.sessions import BEGAN_AT
from partway.lib.sealing import digest

# Not every request writes: the end is moved on once it is this much out of date.
_STEP = timedelta(minutes=5)


_sessions = Prepared(lambda key: SessionStore.get_model_class().objects.filter(session_key=key))


class SessionStore(db.SessionStore):
    """Stores sessions under a digest of the key in the cookie, so that a database dump contains no usable session.

    `is_background` is set by what a script of an open page asks for by itself: that is no use of the session.
    """

    is_background = False

    def exists(self, session_key: str) -> bool:
        """Returns whether there is a session with this key."""
        return super().exists(digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Returns the row to save, with the digest as its primary key."""
        data = {BEGAN_AT: int(timezone.now().timestamp()), **data}
        row = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        row.expire_date = min(row.expire_date, _end(data))
        return row

    def load(self) -> dict[str, Any]:
        """Returns the data of the session, which ends later now that it was used."""
        row = self._get_session_from_db()
        if row is None:
            return {}
        data: dict[str, Any] = self.decode(row.session_data)
        until = _end(data)
        if until > row.expire_date + _STEP and not self.is_background:
            # Only this column: another request may have changed the data since it was read.
            self.model.objects.filter(pk=row.pk).update(expire_date=until)
        return data

    def save(self, must_create: bool = False) -> None:
        """Stores the data; raises UpdateError when the session has ended meanwhile."""
        if must_create or self.session_key is None:
            super().save(must_create=must_create)
            return
        row = self.create_model_instance(dict(self.items()))
        if not update(row, {"session_data": row.session_data, "expire_date": row.expire_date}):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        """Deletes this session, or the one with `session_key`."""
        key = session_key or self.session_key
        if key:
            super().delete(digest(key))

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        key = digest(self.session_key or "")
        row = _sessions.first(key)
        if row is None or row.expire_date <= timezone.now():
            self._session_key = None
            return None
        return row


def _end(data: dict[str, Any]) -> datetime:
    """Returns when a session that is used now ends, unless it is used again."""
    now = timezone.now()
    began_at = datetime.fromtimestamp(data.get(BEGAN_AT, now.timestamp()), UTC)
    idle_end = now + timedelta(seconds=settings.PARTWAY_SESSION_IDLE_SECONDS)
    return min(idle_end, began_at + timedelta(seconds=settings.SESSION_COOKIE_AGE))
