"""`partway verify` after each test and act, made cheap: Django generates the SQL of each statement only once."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from itertools import chain, compress
from typing import Any

from django.db import DatabaseError, connection, transaction

from partway.billing.verification import CHECKS, Check, Difference
from partway.billing.verification.checks import Findings, TableCheck

Statement = tuple[str, tuple[Any, ...]]


class IncrementalVerifier:
    """Caches the SQL of each part of a check that found nothing; runs the part again only when a statement finds rows.

    With few rows, most of the time of a check is spent on generating its SQL, which is the same each time as long as no
    statement finds rows.
    """

    def __init__(self) -> None:
        self._kept: dict[Check, dict[TableCheck, Statement]] = {check: {} for check in CHECKS}

    def differences(self) -> list[str]:
        """Returns the differences that `verify` finds."""
        found = []
        for check, part in self._in_doubt():
            wrong = [str(Difference(check.rule, row, message)) for row, message in self._run(check, part)]
            if wrong:
                del self._kept[check][part]
            found += wrong
        return found

    def _in_doubt(self) -> list[tuple[Check, TableCheck]]:
        """Returns the parts without cached statements, and those with a statement that finds a row."""
        try:
            # In a transaction PostgreSQL continues after an error only from a savepoint.
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                clean = {(check, part) for check, kept in self._kept.items() for part in _clean(kept)}
        except DatabaseError:  # a statement failed
            clean = set()
        return [(check, part) for check in CHECKS for part in check.parts if (check, part) not in clean]

    def _run(self, check: Check, part: TableCheck) -> Findings:
        sent: list[Statement] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("SELECT"):  # not a savepoint, whose name differs each time
                sent.append((f"EXISTS({sql})", tuple(params or ())))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            found = list(part.run(part.model._default_manager.all()))
        self._kept[check][part] = _joined(" OR ", sent)
        return found


def _clean(kept: dict[TableCheck, Statement]) -> Iterable[TableCheck]:
    """Returns the parts of which no statement finds a row."""
    if not kept:
        return ()
    sql, params = _joined(", ", kept.values())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", params)
        return compress(kept, [not finds for finds in cursor.fetchone()])


def _joined(by: str, statements: Iterable[Statement]) -> Statement:
    sqls, params = zip(*statements, strict=True)
    return by.join(sqls), tuple(chain.from_iterable(params))


VERIFIER = IncrementalVerifier()


def differences() -> list[str]:
    """Returns the differences that `verify` finds, with statements cached for all tests of this process."""
    return VERIFIER.differences()
