"""The threads beside the web server: one settles and expires what is due, a few send callbacks."""

from __future__ import annotations

import logging
import threading
import time

from partway.sandbox import callbacks, checkouts, payouts

log = logging.getLogger(__name__)

# A change wakes the clock at once, to send its callbacks; a settlement or a retry may be this late.
ROUND_SECONDS = 1


def start() -> None:
    """Starts the threads, which end with the process; unfinished work stays in the database."""
    threading.Thread(target=_run_clock, name="clock", daemon=True).start()
    for number in range(callbacks.SENDERS):
        threading.Thread(target=callbacks.send_forever, name=f"sender-{number}", daemon=True).start()


def _run_clock() -> None:
    next_round = time.monotonic()
    while True:
        callbacks.wake_event.wait(max(0, next_round - time.monotonic()))
        callbacks.wake_event.clear()
        try:
            # Callbacks first: one should be sent within a tenth of a second.
            callbacks.claim_due()
            if time.monotonic() >= next_round:
                next_round = time.monotonic() + ROUND_SECONDS
                checkouts.process_due()
                payouts.process_due()
        except Exception:
            log.exception("a round of the clock failed")
