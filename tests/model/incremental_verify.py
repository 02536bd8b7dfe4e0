"""`partway verify` after every act, at a price that allows it: Django writes the statements of each check only once."""

from __future__ import annotations

from typing import Any

from django.db import connection

from partway.billing.verification import CHECKS, Check

Statement = tuple[str, Any]


class IncrementalVerifier:
    """Sends the statements of every check, and runs a check whole as soon as one of its statements finds a row.

    Most of the time of a check of few rows goes into writing its SQL, which is the same each time as long as no
    statement of the check finds anything.
    """

    def __init__(self) -> None:
        self._statements: dict[Check, list[Statement]] = {}

    def differences(self) -> list[str]:
        """All that `verify` says."""
        found = []
        for check in CHECKS:
            statements = self._statements.get(check)
            if statements is None or _finds(statements):
                found += self._run(check)
        return found

    def _run(self, check: Check) -> list[str]:
        sent: list[Statement] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            sent.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            found = [str(difference) for difference in check.differences()]
        if not _finds(sent):
            self._statements[check] = sent
        return found


def _finds(statements: list[Statement]) -> bool:
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            if cursor.fetchone():
                return True
    return False
