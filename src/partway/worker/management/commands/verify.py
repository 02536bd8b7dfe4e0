"""`partway verify`: recomputes the books; exits 1 and lists every difference."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from partway.billing.verification import CHECKS, Check, Difference, snapshot
from partway.worker.management.partway_command import PartwayCommand


class Command(PartwayCommand):
    """Runs every check on one snapshot of the database."""

    help = "Recompute every stored amount and state from the facts, and list what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        """--limit."""
        parser.add_argument("--limit", type=int, default=1000, help="list at most so many rows of each check")

    def handle(self, *args: Any, limit: int, **options: Any) -> None:
        """Prints each check with its result."""
        with snapshot():
            count = sum(self._run(check, limit) for check in CHECKS)
        if count:
            self.stdout.write(f"{count:,} differences.")
            sys.exit(1)
        self.stdout.write("The books are right.")

    def _run(self, check: Check, limit: int) -> int:
        """Prints the result of one check and returns the number of differences; keeps at most `limit` in memory."""
        listed: list[Difference] = []
        more = 0
        on_terminal = sys.stderr.isatty()
        progress: tqdm[None] = tqdm(
            desc=f"{check.rule}  {check.message[:40]}",
            total=check.size() if on_terminal else None,
            unit=" rows",
            leave=False,
            disable=not on_terminal,
        )
        with progress:
            for difference in check.differences(progress.update):
                if len(listed) < limit:
                    listed.append(difference)
                else:
                    more += 1
        self.stdout.write(f"{'FAIL' if listed or more else 'ok  '}  {check}")
        for difference in listed:
            self.stdout.write(f"      {difference}")
        if more:
            self.stdout.write(f"      … and {more:,} more")
        return len(listed) + more
