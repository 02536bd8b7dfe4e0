"""`partway worker`: runs the jobs (mails, callbacks, expiry, reconciliation) in one process; any number can run."""

from __future__ import annotations

from typing import Any

from partway.worker.loop import WorkerLoop
from partway.worker.management.partway_command import PartwayCommand, require_tables


class Command(PartwayCommand):
    """Runs until Ctrl-C or SIGTERM."""

    help = "Run one worker process."

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the loop."""
        require_tables()
        loop = WorkerLoop()
        loop.stop_on_signals()
        loop.run()
