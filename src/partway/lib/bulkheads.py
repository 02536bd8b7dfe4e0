"""Bulkheads: how many threads of a web process may do one kind of slow work at once, so that it never takes them all.

A gateway that is silent, a crowd that signs in, or many documents at once each fill their own bulkhead; the other
threads go on with everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The key in the environment of a WSGI request under which its refusal leaves the bulkhead that it may wait for.
FULL = "partway.bulkhead_full"


class BulkheadFull(Exception):
    """All places are taken. Nothing was done; the door responds 503 with Retry-After."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        super().__init__(f"too much at once: {bulkhead.name}")
        self.bulkhead = bulkhead


class Bulkhead:
    """A number of places for one kind of work; `limit` is None where no web pages wait, as in a worker.

    `in_use` and `refused` are the figures of this process for /metrics. has_line: a request that is refused has changed
    nothing, and the web server runs it again, without a thread meanwhile, when there is a place.
    """

    def __init__(self, name: str, *, has_line: bool = False) -> None:
        self.name = name
        self.has_line = has_line
        self.limit: int | None = None
        self.in_use = 0
        self.refused = 0
        self._lock = threading.Lock()
        self._thread = threading.local()

    @property
    def is_full(self) -> bool:
        """Whether the next thread would be refused."""
        return self.limit is not None and self.in_use >= self.limit

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
            if self.is_full:
                self.refused += 1
                raise BulkheadFull(self)
            self.in_use += 1
        self._thread.is_inside = True
        try:
            yield
        finally:
            self._thread.is_inside = False
            with self._lock:
                self.in_use -= 1


GATEWAY_CALLS = Bulkhead("gateway_calls", has_line=True)  # a customer who presses Pay
PASSWORD_HASHES = Bulkhead("password_hashes")
PDF_DOCUMENTS = Bulkhead("pdf_documents")
SPREADSHEETS = Bulkhead("spreadsheets")

BULKHEADS = (GATEWAY_CALLS, PASSWORD_HASHES, PDF_DOCUMENTS, SPREADSHEETS)
