"""Hears on PostgreSQL which kinds of jobs have rows that are due, on a connection and a thread of its own.

The triggers are in billing/models/due_notifications.py. Nothing depends on a notification: a worker that hears none, as
behind a pooler, looks as often as on SQLite.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

import structlog
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db import Error as DatabaseError

from partway.billing.models.due_notifications import CHANNEL

log = structlog.get_logger(__name__)

# Workers notify each other that notifications arrive, with every heartbeat; after some that were missed they do not.
TRUSTED_SECONDS = 15.0
_RECONNECT_SECONDS = 5.0


def notify_listeners() -> None:
    """Sends the notification of a heartbeat, which wakes no kind; does nothing on SQLite."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


class DueListener:
    """Calls `wake` with each kind that was notified of, and with every kind after a time without a connection."""

    def __init__(self, wake: Callable[[str], None], kinds: list[str]) -> None:
        self._wake, self._kinds = wake, kinds
        self._heard_at: float | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._interrupt: socket.socket

    @property
    def is_trusted(self) -> bool:
        """Whether notifications arrive, as far as is known."""
        return self._heard_at is not None and time.monotonic() - self._heard_at < TRUSTED_SECONDS

    def start(self) -> None:
        """Begins to listen, on PostgreSQL."""
        if connection.vendor == "postgresql":
            # A byte in it ends the wait for the connection at once.
            self._interrupt, interrupted = socket.socketpair()
            self._thread = threading.Thread(
                target=self._run, args=[interrupted], name="due_listener", daemon=True
            )
            self._thread.start()

    def close(self, timeout: float) -> None:
        """Ends the listening, and waits so many seconds for the end."""
        if self._thread is not None:
            self._interrupt.send(b"x")  # before the thread may end, and with it the other end of this
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._interrupt.close()

    def _run(self, interrupted: socket.socket) -> None:
        with interrupted:
            while not self._closing.is_set():
                try:
                    self._listen(interrupted)
                    self._closing.wait()  # where it cannot
                except (DatabaseError, OSError) as error:
                    log.warning("notifications_interrupted", error=str(error))
                    self._heard_at = None
                    self._closing.wait(_RECONNECT_SECONDS)

    def _listen(self, interrupted: socket.socket) -> None:
        """Listens until the end, or not at all; raises DatabaseError when the connection is lost."""
        listening = connections.create_connection(DEFAULT_DB_ALIAS)
        try:
            with listening.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                if cursor.fetchone() != (listening.connection.info.backend_pid,):
                    # A pooler, as PgBouncer, has process ids of its own. It would leave the listening to a connection
                    # that other processes use next, and these keep each notice that comes with their rows in memory.
                    log.info("notifications_behind_pooler")
                    return
                cursor.execute(f"LISTEN {CHANNEL}")
            for kind in self._kinds:  # what was queued before
                self._wake(kind)
            while not self._closing.is_set():
                select.select([listening.connection, interrupted], [], [])
                with listening.wrap_database_errors:
                    heard = {notice.payload for notice in listening.connection.notifies(timeout=0)}
                if heard:
                    self._heard_at = time.monotonic()
                for kind in heard - {""}:
                    self._wake(kind)
        finally:
            listening.close()
