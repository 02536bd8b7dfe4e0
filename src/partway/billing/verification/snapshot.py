"""One moment of the whole database: what is written meanwhile is not seen, and whoever writes does not wait for us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections, transaction

_MEMORY_MIB = 64  # what the database may use to sort a slice, or to keep pages of its file at hand


@contextmanager
def snapshot() -> Iterator[None]:
    """A transaction that reads the books as they were when it began, and writes nothing."""
    whole = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with whole():
        yield


@contextmanager
def _on_postgresql() -> Iterator[None]:
    with transaction.atomic(durable=True):
        _tell("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        _tell(f"SET LOCAL work_mem = '{_MEMORY_MIB}MB'")
        # A slice is small: what belongs to its rows is looked up by index, and never by reading another table whole.
        for way in ("enable_hashjoin", "enable_mergejoin", "jit"):
            _tell(f"SET LOCAL {way} = off")
        _tell("SET LOCAL random_page_cost = 1.1")
        yield


@contextmanager
def _on_sqlite() -> Iterator[None]:
    """Every other transaction begins IMMEDIATE and so takes its turn at the one write lock; this one must not."""
    here: Any = connections["default"]
    here.ensure_connection()
    mode, memory = here.transaction_mode, _tell("PRAGMA cache_size")
    here.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic(durable=True):
            _tell("PRAGMA query_only = ON")
            _tell(f"PRAGMA cache_size = {-1024 * _MEMORY_MIB}")
            yield
    finally:
        here.transaction_mode = mode
        _tell("PRAGMA query_only = OFF")
        _tell(f"PRAGMA cache_size = {memory}")


def _tell(statement: str) -> Any:
    """Tell the database how to work; answers what it says to a question."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
