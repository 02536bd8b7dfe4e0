"""`partway seed --invoices N`: a large, realistic organization to try and to measure with."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from partway.lib import clock
from partway.worker import seed
from partway.worker.management.partway_command import PartwayCommand


class Command(PartwayCommand):
    """Adds one organization with many invoices; `partway verify` finds no difference in it."""

    help = "Add an organization with many invoices, to try and to measure with."

    def add_arguments(self, parser: CommandParser) -> None:
        """--invoices, --random-seed."""
        parser.add_argument("--invoices", type=int, required=True, help="how many invoices, at least 1")
        parser.add_argument("--random-seed", type=int, default=1, help="another number makes other invoices")

    def handle(self, *args: Any, invoices: int, random_seed: int, **options: Any) -> None:
        """Builds the organization and prints its address."""
        if settings.PARTWAY_LIVE:
            raise CommandError("This installation is marked live; made-up invoices do not belong there.")
        if invoices < 1:
            raise CommandError("Ask for at least one invoice.")
        began = time.monotonic()
        # Not a secret, and the same number must make the same invoices.
        rng = Random(random_seed)  # noqa: S311
        organization = seed.build(invoices=invoices, now=clock.now(), rng=rng)
        seconds = time.monotonic() - began
        self.stdout.write(f"{invoices:,} invoices of {organization.name} in {seconds:.1f} s.")
        self.stdout.write(f"They are at {settings.PARTWAY_URL}/o/{organization.slug}/invoices/")
        self.stdout.write(f"Sign in as {seed.OWNER}; `partway changepassword {seed.OWNER}` sets a password.")
