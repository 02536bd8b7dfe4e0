"""Runs a concurrent act between the reads of a page and the transaction in which billing decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def race_hook(act: Callable[[], object]) -> Iterator[None]:
    """Runs `act` once, right before the first transaction that the block opens (inside a test, a savepoint)."""
    waiting = [act]

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if waiting and sql.startswith("SAVEPOINT"):
            waiting.pop()()
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield
    assert not waiting, "no transaction was opened"
