"""`partway verify` after each test and act, made cheap: Django generates the SQL of each statement only once."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from itertools import compress
from typing import Any

from django.db import DatabaseError, connection, transaction

from partway.billing.verification import CHECKS, Check, Difference
from partway.billing.verification.checks import Findings, TableCheck

Statement = tuple[str, tuple[Any, ...]]


class IncrementalVerifier:
    """Caches the SQL of each part of a check without findings; runs the part again only when its rows have changed.

    With few rows, most of the time of a check is spent on generating its SQL, which is the same each time as long as
    the statements return the same rows: most return none.
    """

    def __init__(self) -> None:
        self._statements: dict[Check, dict[TableCheck, list[Statement]]] = {check: {} for check in CHECKS}
        self._rows: dict[tuple[Check, TableCheck], list[Any]] = {}

    def differences(self) -> list[str]:
        """Returns the differences that `verify` finds."""
        found = []
        for check, part in self._in_doubt():
            wrong = [str(Difference(check.rule, row, message)) for row, message in self._run(check, part)]
            if wrong:
                del self._statements[check][part]
            found += wrong
        return found

    def _in_doubt(self) -> list[tuple[Check, TableCheck]]:
        """Returns the parts without cached statements, and those whose statements return other rows than before."""
        try:
            # In a transaction PostgreSQL continues after an error only from a savepoint.
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                return [
                    (check, part)
                    for check, cached in self._statements.items()
                    for part in set(check.parts) - set(_without_rows(cached))
                    if part not in cached or self._rows.get((check, part)) != _rows(cached[part])
                ]
        except DatabaseError:  # a statement failed
            return [(check, part) for check in CHECKS for part in check.parts]

    def _run(self, check: Check, part: TableCheck) -> Findings:
        sent: list[Statement] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("SELECT"):  # not a savepoint, whose name differs each time
                sent.append((sql, tuple(params or ())))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            found = list(part.run(part.model._default_manager.all()))
        self._statements[check][part] = sent
        self._rows[check, part] = [] if found else _rows(sent)
        return found


def _without_rows(cached: dict[TableCheck, list[Statement]]) -> Iterable[TableCheck]:
    """Returns the parts of which no statement returns a row."""
    if not cached:
        return ()
    exists = [
        (" OR ".join(f"EXISTS({sql})" for sql, _ in sent), [param for _, params in sent for param in params])
        for sent in cached.values()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(sql for sql, _ in exists),
            [param for _, params in exists for param in params],
        )
        return compress(cached, [not finds for finds in cursor.fetchone()])


def _rows(statements: list[Statement]) -> list[Any]:
    """Returns the rows of each statement; equal ones lead a part to equal findings."""
    rows = []
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            rows.append(cursor.fetchall())
    return rows


VERIFIER = IncrementalVerifier()


def differences() -> list[str]:
    """Returns the differences that `verify` finds, with statements cached for all tests of this process."""
    return VERIFIER.differences()
