"""The worker process: a thread for each kind of job, and the heartbeat, until a signal ends it.

A kind whose mail server or gateway is silent delays only itself. Whether a kind falls behind is in /metrics; the
heartbeat says that the process lives.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from datetime import timedelta

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, connections

from partway.billing.claims import BUDGET, stopping_when
from partway.billing.models.due_notifications import NOTICE_SECONDS
from partway.lib import clock

from .due_listener import DueListener, notify_listeners
from .jobs import JOBS, JOBS_BY_KIND, PAUSE_FACTORS, QUEUES, REST_SECONDS
from .models import Heartbeat

log = structlog.get_logger(__name__)

_HEARTBEAT_INTERVAL = timedelta(seconds=5)
# A job that waits for a server longer than this is left behind: its rows are claimed, and due again when that ends.
_SHUTDOWN = timedelta(seconds=5)


class WorkerLoop:
    """Runs every kind of job until `stopping` is set; a job that fails is logged and runs again in the next round."""

    def __init__(self, *, idle_seconds: float = 0.5) -> None:
        self.idle_seconds = idle_seconds
        self.process = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.wakes = {kind: threading.Event() for kind in JOBS_BY_KIND}
        self.listener = DueListener(self._wake, list(self.wakes))
        self.started_at = clock.now()

    def stop_on_signals(self) -> None:
        """Makes Ctrl-C and SIGTERM end the loop, at the latest five seconds later."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())

    def run(self) -> None:
        """Runs until stopped, with the heartbeat on this thread, which never waits for a job."""
        log.info("worker_started", process=self.process)
        # Daemons, so that one that waits for a silent server does not keep the process from ending.
        threads = [
            threading.Thread(target=self._run_kind, args=[kind], name=kind, daemon=True)
            for kind in JOBS_BY_KIND
        ]
        for thread in threads:
            thread.start()
        self.listener.start()
        while True:
            self.record_heartbeat()
            if self.stopping.wait(_HEARTBEAT_INTERVAL.total_seconds()):
                break
        deadline = time.monotonic() + _SHUTDOWN.total_seconds()
        for kind in self.wakes:
            self._wake(kind)
        self.listener.close(_SHUTDOWN.total_seconds())
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        waiting = [thread.name for thread in threads if thread.is_alive()]
        Heartbeat.objects.filter(pk=self.process).delete()
        log.info("worker_stopped", process=self.process, left_waiting=waiting)

    def _wake(self, kind: str) -> None:
        if kind in self.wakes:  # a newer version, in the midst of an upgrade, may have others
            self.wakes[kind].set()

    def _run_kind(self, kind: str) -> None:
        """Runs rounds of one kind; pauses only after a round that processed nothing, and until it is woken."""
        while not self.stopping.is_set():
            self.wakes[kind].clear()
            if not self.round(kind) and not self.stopping.is_set():
                self.wakes[kind].wait(self.pause_seconds(kind))
        connections.close_all()

    def pause_seconds(self, kind: str) -> float:
        """Returns how long a kind rests that found nothing: until its first row is due, if a notice would wake it."""
        short = self.idle_seconds * PAUSE_FACTORS.get(kind, 1)
        if not self.listener.is_trusted:
            return short
        if kind not in QUEUES:
            return max(short, REST_SECONDS[kind])
        try:
            due_at = QUEUES[kind].next_due_at()
        except DatabaseError:
            _reset_connection()
            return short
        seconds = NOTICE_SECONDS if due_at is None else (due_at - clock.now()).total_seconds()
        return min(max(seconds, short), NOTICE_SECONDS)

    def round(self, kind: str) -> int:
        """Runs each job of a kind once; returns the number of rows they processed."""
        processed = 0
        for name in JOBS_BY_KIND[kind]:
            if self.stopping.is_set():
                break
            began = time.monotonic()
            try:
                with stopping_when(self.stopping.is_set):
                    processed += JOBS[name](now=clock.now())
            except Exception:
                # The worker survives every failure: the rows of this job stay claimed for a while, then are retried.
                log.exception("job_failed", job=name)
                _reset_connection()
            seconds = time.monotonic() - began
            if seconds > BUDGET.total_seconds():
                log.warning("job_over_budget", job=name, seconds=round(seconds, 1))
        return processed

    def record_heartbeat(self) -> None:
        """Writes that this process is alive."""
        try:
            heartbeat = {"last_seen_at": clock.now(), "started_at": self.started_at}
            Heartbeat.objects.update_or_create(pk=self.process, defaults=heartbeat)
            notify_listeners()
        except DatabaseError:
            log.exception("database_unavailable")
            _reset_connection()


def _reset_connection() -> None:
    close_old_connections()
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
