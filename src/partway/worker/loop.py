"""The loop of a worker process: runs all jobs, pauses when there was nothing to do, and ends on a signal."""

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
    """Runs rounds of jobs until `stopping` is set; a job that fails is logged and runs again in the next round."""

    def __init__(self, *, idle_seconds: float = 0.5) -> None:
        self.idle_seconds = idle_seconds
        self.process = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.started_at = clock.now()
        self.last_seen_at: datetime | None = None

    def stop_on_signals(self) -> None:
        """Makes Ctrl-C and SIGTERM end the loop after the current job."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())

    def run(self) -> None:
        """Runs rounds until stopped; pauses only after a round that processed nothing."""
        log.info("worker_started", process=self.process)
        while not self.stopping.is_set():
            if not self.round():
                self.stopping.wait(self.idle_seconds)
        Heartbeat.objects.filter(pk=self.process).delete()
        log.info("worker_stopped", process=self.process)

    def round(self) -> int:
        """Runs every job once; returns the number of rows they processed."""
        self._record_heartbeat()
        processed = 0
        for name, job in JOBS.items():
            if self.stopping.is_set():
                break
            try:
                processed += job(now=clock.now())
            except Exception:
                # The worker survives every failure: the rows of this job stay claimed for a while, then are retried.
                log.exception("job_failed", job=name)
                _reset_connection()
        return processed

    def _record_heartbeat(self) -> None:
        """Writes that this process is alive, at most every five seconds."""
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
