"""The worker's loop: all jobs, then a short rest, until it is told to end."""

from __future__ import annotations

import os
import signal
import socket
import threading
from datetime import datetime, timedelta

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from partway.lib import clock

from .jobs import JOBS
from .models import Heartbeat

log = structlog.get_logger(__name__)

_HEARTBEAT_INTERVAL = timedelta(seconds=5)


class WorkerLoop:
    """Runs rounds until `stop` is called; a job that fails is logged and tried again next round."""

    def __init__(self, *, idle_seconds: float = 0.5) -> None:
        self.idle_seconds = idle_seconds
        self.process = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.started_at = clock.now()
        self.last_seen_at: datetime | None = None

    def stop_on_signals(self) -> None:
        """End after the job at hand on Ctrl-C or SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())

    def run(self) -> None:
        """Round after round; rests only when a round found nothing to do."""
        log.info("worker_started", process=self.process)
        while not self.stopping.is_set():
            if not self.round():
                self.stopping.wait(self.idle_seconds)
        Heartbeat.objects.filter(pk=self.process).delete()
        log.info("worker_stopped", process=self.process)

    def round(self) -> int:
        """All jobs once; answers how many rows they worked on."""
        self._record_heartbeat()
        return sum(self._run_job(name) for name in JOBS if not self.stopping.is_set())

    def _run_job(self, name: str) -> int:
        try:
            return JOBS[name](now=clock.now())
        except Exception:
            # The worker outlives every single failure: the row stays claimed for a while and is tried again.
            log.exception("job_failed", job=name)
            _reset_connection()
            return 0

    def _record_heartbeat(self) -> None:
        now = clock.now()
        if self.last_seen_at is not None and now < self.last_seen_at + _HEARTBEAT_INTERVAL:
            return
        try:
            heartbeat = {"last_seen_at": now, "started_at": self.started_at}
            Heartbeat.objects.update_or_create(pk=self.process, defaults=heartbeat)
            self.last_seen_at = now
        except DatabaseError:
            log.exception("database_unavailable")
            _reset_connection()


def _reset_connection() -> None:
    close_old_connections()
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
