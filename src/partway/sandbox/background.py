"""The threads beside the web server: one settles and expires what is due, a few send callbacks."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.db import connection

from partway.lib.clock import now
from partway.sandbox import callbacks, checkouts, payouts
from partway.sandbox.settings import PAYOUT_EVERY_SECONDS

log = logging.getLogger(__name__)

# A change wakes the clock at once, to send its callbacks; a settlement or a retry may be this late.
ROUND_SECONDS = 0.5

# Whether a round may find something. A sandbox is idle nearly always, and one statement that is written down takes a
# tenth of the eight that Django writes anew in each round.
_MAY_BE_DUE = """
    SELECT EXISTS (SELECT 1 FROM sandbox_callback WHERE due_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM sandbox_checkout WHERE status = 'open' AND expires_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM sandbox_checkout WHERE status = 'processing' AND settles_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM sandbox_checkout WHERE disputed_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM sandbox_refund WHERE settles_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM sandbox_dispute WHERE settles_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM sandbox_payout WHERE settles_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM sandbox_balanceentry WHERE payout_id IS NULL AND created_at <= %(paid_out)s)
"""


def start() -> None:
    """Starts the threads, which end with the process; unfinished work stays in the database."""
    threading.Thread(target=_run_clock, name="clock", daemon=True).start()
    for number in range(callbacks.SENDERS):
        threading.Thread(target=callbacks.send_forever, name=f"sender-{number}", daemon=True).start()


def _run_clock() -> None:
    next_round = time.monotonic()
    while True:
        woken = callbacks.wake_event.wait(max(0, next_round - time.monotonic()))
        callbacks.wake_event.clear()
        try:
            if woken:  # a callback should be sent within a tenth of a second
                callbacks.claim_due()
            if time.monotonic() >= next_round:
                next_round = time.monotonic() + ROUND_SECONDS
                at = now()
                paid_out = at - timedelta(seconds=PAYOUT_EVERY_SECONDS) if PAYOUT_EVERY_SECONDS else None
                with connection.cursor() as cursor:
                    cursor.execute(_MAY_BE_DUE, {"now": at, "paid_out": paid_out})
                    (may_be_due,) = cursor.fetchone()
                if may_be_due:
                    callbacks.claim_due()
                    checkouts.process_due()
                    payouts.process_due()
        except Exception:
            log.exception("a round of the clock failed")
