"""`partway verify` after each test and each act, at a price that allows it: Django writes each statement only once."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import chain
from typing import Any

from django.db import DatabaseError, connection, transaction

from partway.billing.verification import CHECKS, Check

Statement = tuple[str, tuple[Any, ...]]


class IncrementalVerifier:
    """Asks for each check whether any of its statements finds a row, and runs it whole only then.

    Most of the time of a check of few rows goes into writing its SQL, which is the same each time as long as no
    statement of the check finds anything.
    """

    def __init__(self) -> None:
        self._questions: dict[Check, Statement] = {}

    def differences(self) -> list[str]:
        """All that `verify` says."""
        found = []
        for check in CHECKS:
            question = self._questions.get(check)
            if question is None or _is_true(question):
                found += self._run(check)
        return found

    def _run(self, check: Check) -> list[str]:
        sent: list[Statement] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("SELECT"):  # no savepoint, whose name is another each time
                sent.append((sql, tuple(params or ())))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            found = [str(difference) for difference in check.differences()]
        question = _any_of(sent)
        if not found and not _is_true(question):
            self._questions[check] = question
        return found


def _any_of(statements: list[Statement]) -> Statement:
    """The question whether one of these statements finds a row."""
    sql = " OR ".join(f"EXISTS({sql})" for sql, _ in statements)
    return f"SELECT {sql}", tuple(chain.from_iterable(params for _, params in statements))


def _is_true(question: Statement) -> bool:
    """Whether it is so, or cannot be answered."""
    try:
        # Inside a transaction PostgreSQL goes on after an error only behind a savepoint.
        with (
            transaction.atomic() if connection.in_atomic_block else nullcontext(),
            connection.cursor() as cursor,
        ):
            cursor.execute(*question)
            return bool(cursor.fetchone()[0])
    except DatabaseError:
        return True


VERIFIER = IncrementalVerifier()


def differences() -> list[str]:
    """All that `verify` says, with the statements that all tests of this process share."""
    return VERIFIER.differences()
