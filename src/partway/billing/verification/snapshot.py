"""Reads the whole database as of one moment, without blocking writers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections, transaction

_MEMORY_MIB = 64  # for sorting a slice, or for the page cache


@contextmanager
def snapshot() -> Iterator[None]:
    """Runs its block in a read-only transaction that sees the database as it was when the block began."""
    whole = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with whole():
        yield


@contextmanager
def _on_postgresql() -> Iterator[None]:
    with transaction.atomic(durable=True):
        _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        _execute(f"SET LOCAL work_mem = '{_MEMORY_MIB}MB'")
        # A slice is small: rows that belong to it are looked up by index, never by scanning another table.
        for setting in ("enable_hashjoin", "enable_mergejoin", "jit"):
            _execute(f"SET LOCAL {setting} = off")
        _execute("SET LOCAL random_page_cost = 1.1")
        yield


@contextmanager
def _on_sqlite() -> Iterator[None]:
    """Begins DEFERRED: IMMEDIATE, as every other transaction begins, takes the one write lock."""
    here: Any = connections["default"]
    here.ensure_connection()
    mode, memory = here.transaction_mode, _execute("PRAGMA cache_size")
    here.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic(durable=True):
            _execute("PRAGMA query_only = ON")
            _execute(f"PRAGMA cache_size = {-1024 * _MEMORY_MIB}")
            yield
    finally:
        here.transaction_mode = mode
        _execute("PRAGMA query_only = OFF")
        _execute(f"PRAGMA cache_size = {memory}")


def _execute(statement: str) -> Any:
    """Executes a statement and returns the first column of its row, or None."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
