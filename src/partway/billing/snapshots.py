"""Reads the database as of one moment, without blocking writers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections, transaction


@contextmanager
def snapshot(*, joins: bool = False) -> Iterator[None]:
    """Runs its block in a read-only transaction that sees the database as it was at its first query.

    Raises RuntimeError inside another transaction, which may see what others commit between two of its queries; with
    `joins` the block is part of that one, for what a page shows while nothing is acted on.
    """
    if joins and connection.in_atomic_block:
        yield
        return
    whole = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with whole():
        yield


@contextmanager
def _on_postgresql() -> Iterator[None]:
    # Only the transaction that a test runs in can be around it, see `durable`; the level of that one cannot change.
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


@contextmanager
def _on_sqlite() -> Iterator[None]:
    """Begins DEFERRED: IMMEDIATE, as every other transaction begins, takes the one write lock."""
    here: Any = connections["default"]
    here.ensure_connection()
    mode = here.transaction_mode
    here.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
            yield
    finally:
        here.transaction_mode = mode
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")
