"""The threads beside the web server: one lets time pass, a few send callbacks."""

from __future__ import annotations

import logging
import threading

from partway.sandbox import callbacks, checkouts

log = logging.getLogger(__name__)

# A change wakes the clock at once; this is only how late a settlement or a retry may be.
ROUND_SECONDS = 0.5


def start() -> None:
    """Start them once; they end with the process, and what they leave undone is in the database."""
    threading.Thread(target=_run_clock, name="clock", daemon=True).start()
    for number in range(callbacks.SENDERS):
        threading.Thread(target=callbacks.send_forever, name=f"sender-{number}", daemon=True).start()


def _run_clock() -> None:
    while True:
        callbacks.wake_event.wait(ROUND_SECONDS)
        callbacks.wake_event.clear()
        try:
            # First what waits for nothing else: a callback should leave within a tenth of a second.
            callbacks.claim_due()
            checkouts.process_due()
        except Exception:
            log.exception("the clock stumbled and goes on")
