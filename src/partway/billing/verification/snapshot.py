"""The snapshot that a verification reads, with the settings of the database for slices that are looked up by index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from .. import snapshots

_MEMORY_MIB = 64  # for sorting a slice, or for the page cache


@contextmanager
def snapshot() -> Iterator[None]:
    """Runs its block on one snapshot, tuned for it on PostgreSQL and with a larger page cache on SQLite."""
    if connection.vendor == "postgresql":
        with snapshots.snapshot():
            _execute(f"SET LOCAL work_mem = '{_MEMORY_MIB}MB'")
            # A slice is small: rows that belong to it are looked up by index, never by scanning another table.
            for setting in ("enable_hashjoin", "enable_mergejoin", "jit"):
                _execute(f"SET LOCAL {setting} = off")
            _execute("SET LOCAL random_page_cost = 1.1")
            yield
        return
    memory = _execute("PRAGMA cache_size")
    try:
        with snapshots.snapshot():
            _execute(f"PRAGMA cache_size = {-1024 * _MEMORY_MIB}")
            yield
    finally:
        _execute(f"PRAGMA cache_size = {memory}")


def _execute(statement: str) -> Any:
    """Executes a statement and returns the first column of its row, or None."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
