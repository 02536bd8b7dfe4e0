"""Bulkheads: how many threads of a web process may do one kind of slow work at once, so that it never takes them all.

A gateway that is silent, a crowd that signs in, or many documents at once each fill their own bulkhead; the other
threads go on with everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class BulkheadFull(Exception):
    """All places are taken. Nothing was done; the door responds 503 with Retry-After at once."""

    def __init__(self, name: str) -> None:
        super().__init__(f"too much at once: {name}")
        self.name = name


class Bulkhead:
    """A number of places for one kind of work; `limit` is None where no web pages wait, as in a worker.

    `in_use` and `refused` are the figures of this process for /metrics.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.limit: int | None = None
        self.in_use = 0
        self.refused = 0
        self._lock = threading.Lock()
        self._thread = threading.local()

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Holds a place for the block; raises BulkheadFull at once when there is none.

        A thread that is inside already enters again without another place, so that an act can take one before it
        writes anything, and the call that it leads to finds it taken.
        """
        if getattr(self._thread, "is_inside", False):
            yield
            return
        with self._lock:
            if self.limit is not None and self.in_use >= self.limit:
                self.refused += 1
                raise BulkheadFull(self.name)
            self.in_use += 1
        self._thread.is_inside = True
        try:
            yield
        finally:
            self._thread.is_inside = False
            with self._lock:
                self.in_use -= 1


GATEWAY_CALLS = Bulkhead("gateway_calls")
PASSWORD_HASHES = Bulkhead("password_hashes")
PDF_DOCUMENTS = Bulkhead("pdf_documents")
SPREADSHEETS = Bulkhead("spreadsheets")

BULKHEADS = (GATEWAY_CALLS, PASSWORD_HASHES, PDF_DOCUMENTS, SPREADSHEETS)
