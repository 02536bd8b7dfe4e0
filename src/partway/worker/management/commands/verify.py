"""`partway verify`: recomputes the books; exits 1 and lists every difference."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from partway.billing.verification import CHECKS, Check, Difference, snapshot


class Command(BaseCommand):
    """Runs every check of the books on one moment of them."""

    help = "Recompute every stored amount and state from the facts, and list what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        """How much to list."""
        parser.add_argument("--most", type=int, default=1000, help="list at most so many rows of each check")

    def handle(self, *args: Any, most: int, **options: Any) -> None:
        """Print each check with its result."""
        with snapshot():
            found = sum(self._run(check, most) for check in CHECKS)
        if found:
            self.stdout.write(f"{found:,} differences.")
            sys.exit(1)
        self.stdout.write("The books are right.")

    def _run(self, check: Check, most: int) -> int:
        """How many differences it found; no more are kept than are listed."""
        listed: list[Difference] = []
        more = 0
        with _bar(check) as bar:
            for difference in check.differences(bar.update):
                if len(listed) < most:
                    listed.append(difference)
                else:
                    more += 1
        self.stdout.write(f"{'FAIL' if listed or more else 'ok  '}  {check}")
        for difference in listed:
            self.stdout.write(f"      {difference}")
        if more:
            self.stdout.write(f"      … and {more:,} more")
        return len(listed) + more


def _bar(check: Check) -> tqdm[None]:
    """How far a check has come, for a terminal alone; it is gone when the check is done."""
    shown = sys.stderr.isatty()
    return tqdm(
        desc=f"{check.rule}  {check.message[:40]}",
        total=check.size() if shown else None,
        unit=" rows",
        leave=False,
        disable=not shown,
    )
