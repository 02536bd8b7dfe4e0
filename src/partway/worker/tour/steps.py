"""`partway tour`: runs the steps against an empty installation of its own and prints what each checked."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from partway.worker.supervisor import Supervisor, SupervisorConfig, SupervisorError, free_port

from . import invoice_steps, offline_payment_steps, quote_steps, refund_steps
from .browser import HttpBrowser, TourFailed
from .mailbox import Mailbox
from .session import Tour

STEPS: tuple[Callable[[Tour], str], ...] = (
    invoice_steps.start_processes,
    invoice_steps.create_organization,
    invoice_steps.enable_payments,
    invoice_steps.send_invoice,
    invoice_steps.pay_first_stage,
    invoice_steps.open_paid_link,
    invoice_steps.resend_and_cancel,
    invoice_steps.pay_now,
    quote_steps.send_quote,
    quote_steps.accept_quote,
    quote_steps.refuse_part_of_deposit,
    quote_steps.pay_deposit,
    quote_steps.create_invoice,
    offline_payment_steps.record_check,
    offline_payment_steps.reverse_check,
    refund_steps.refund_stage,
    invoice_steps.verify,
)


def main(arguments: list[str]) -> int:
    """Runs the tour in a temporary home, which is kept when a step fails; returns the exit status."""
    parser = argparse.ArgumentParser(prog="partway tour", description=__doc__)
    parser.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    options = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="partway-tour-"))
    config = SupervisorConfig(home, free_port(), free_port(), options.database_url, isolated=True)
    began = time.monotonic()
    try:
        with Supervisor(config) as supervisor, HttpBrowser() as owner, HttpBrowser() as customer:
            tour = Tour(supervisor, owner, customer, Mailbox(home))
            for number, step in enumerate(STEPS, start=1):
                checked = step(tour)
                print(f"{number:2}  {step.__doc__}\n      ✓ {checked}", flush=True)
    except (TourFailed, SupervisorError) as error:
        print(f"✗  {error}\n\nThe tour's home is kept, with its logs: {home}", file=sys.stderr)
        return 1
    shutil.rmtree(home)
    print(f"The tour is complete: {len(STEPS)} steps in {time.monotonic() - began:.0f} seconds.")
    return 0
