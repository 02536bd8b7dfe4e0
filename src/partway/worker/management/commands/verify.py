"""`partway verify`: recomputes the books; exits 1 and lists every difference."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from partway.billing.verification import CHECKS


class Command(BaseCommand):
    """Runs every check of the books."""

    help = "Recompute every stored amount and state from the facts, and list what differs."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each check with its result."""
        found = 0
        for name, check in CHECKS.items():
            differences = list(check())
            found += len(differences)
            self.stdout.write(f"{'ok  ' if not differences else 'FAIL'}  {name}")
            for difference in differences:
                self.stdout.write(f"      {difference}")
        if found:
            self.stdout.write(f"{found} differences.")
            sys.exit(1)
        self.stdout.write("The books are right.")
