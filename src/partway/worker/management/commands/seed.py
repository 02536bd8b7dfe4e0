"""`partway seed --invoices N`: a believable large installation, fast, to try and to measure with."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from partway.lib import clock
from partway.worker import seed


class Command(BaseCommand):
    """Adds one large organization; the books stay right."""

    help = "Add an organization with many invoices, to try and to measure with."

    def add_arguments(self, parser: CommandParser) -> None:
        """How large, and which."""
        parser.add_argument("--invoices", type=int, required=True, help="how many invoices, at least 1")
        parser.add_argument("--chance", type=int, default=1, help="another number makes other invoices")

    def handle(self, *args: Any, invoices: int, rng: int, **options: Any) -> None:
        """Build it and say where it is."""
        if settings.PARTWAY_LIVE:
            raise CommandError("This installation is marked live; made-up invoices do not belong there.")
        if invoices < 1:
            raise CommandError("Ask for at least one invoice.")
        began = time.monotonic()
        # Made-up books need no secrets, and the same number shall make the same ones.
        made = seed.build(invoices=invoices, now=clock.now(), rng=Random(rng))  # noqa: S311
        took = time.monotonic() - began
        self.stdout.write(f"{invoices:,} invoices of {made.name} in {took:.1f} s.")
        self.stdout.write(f"They are at {settings.PARTWAY_URL}/o/{made.slug}/invoices/")
        self.stdout.write(f"Sign in as {seed.OWNER}; `partway changepassword {seed.OWNER}` sets a password.")
