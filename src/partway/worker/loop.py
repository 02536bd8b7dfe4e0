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
from .models import Pulse

log = structlog.get_logger(__name__)

_BEAT = timedelta(seconds=5)


class Loop:
    """Runs rounds until `stop` is called; a job that fails is logged and tried again next round."""

    def __init__(self, *, rest_seconds: float = 0.5) -> None:
        self.rest_seconds = rest_seconds
        self.process = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.started_at = clock.now()
        self.beat_at: datetime | None = None

    def stop_on_signals(self) -> None:
        """End after the job at hand on Ctrl-C or SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())

    def run(self) -> None:
        """Round after round; rests only when a round found nothing to do."""
        log.info("worker started", process=self.process)
        while not self.stopping.is_set():
            if not self.round():
                self.stopping.wait(self.rest_seconds)
        Pulse.objects.filter(pk=self.process).delete()
        log.info("worker ended", process=self.process)

    def round(self) -> int:
        """All jobs once; answers how many rows they worked on."""
        self._beat()
        return sum(self._run_job(name) for name in JOBS if not self.stopping.is_set())

    def _run_job(self, name: str) -> int:
        try:
            return JOBS[name](now=clock.now())
        except Exception:
            # The worker outlives every single failure: the row stays claimed for a while and is tried again.
            log.exception("job failed", job=name)
            _mend_connection()
            return 0

    def _beat(self) -> None:
        now = clock.now()
        if self.beat_at is not None and now < self.beat_at + _BEAT:
            return
        try:
            pulse = {"beat_at": now, "started_at": self.started_at}
            Pulse.objects.update_or_create(pk=self.process, defaults=pulse)
            self.beat_at = now
        except DatabaseError:
            log.exception("no database")
            _mend_connection()


def _mend_connection() -> None:
    close_old_connections()
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
