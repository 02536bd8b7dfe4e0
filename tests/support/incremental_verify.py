"""`partway verify` after each test and act, made cheap: Django generates the SQL of each statement only once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import compress
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from partway.billing.verification import CHECKS, Check, Difference
from partway.billing.verification.checks import Findings, TableCheck

Statement = tuple[str, tuple[Any, ...]]

ID = re.compile(r"\b[a-z]+_[0-9a-hjkmnp-tv-z]{26}\b")
DIGESTS = ("pty_", "logo_")  # ids that follow from the content of their row


class IncrementalVerifier:
    """Caches the SQL of each part of a check without findings; runs the part again only when its rows have changed.

    With few rows, most of the time of a check is spent on generating its SQL, which is the same each time as long as
    the statements return the same rows: most return none.
    """

    def __init__(self) -> None:
        self._statements: dict[Check, dict[TableCheck, list[Statement]]] = {check: {} for check in CHECKS}
        self._rows: dict[tuple[Check, TableCheck], list[Any]] = {}

    def differences(self, rule: str = "") -> list[Difference]:
        """Returns the differences that the checks of a rule find, or all checks."""
        checks = [check for check in CHECKS if rule in ("", check.rule)]
        assert checks, rule
        found = []
        for check, part in self._in_doubt(checks):
            wrong = [Difference(check.rule, row, message) for row, message in self._run(check, part)]
            if wrong:
                del self._statements[check][part]
            found += wrong
        return found

    def _in_doubt(self, checks: list[Check]) -> list[tuple[Check, TableCheck]]:
        """Returns the parts without cached statements, and those whose statements return other rows than before."""
        try:
            # In a transaction PostgreSQL continues after an error only from a savepoint.
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                filled = _filled_tables()
                return [
                    (check, part)
                    for check in checks
                    for cached in [self._statements[check]]
                    for part in _with_rows(cached, [each for each in check.parts if each.model in filled])
                    if part not in cached or self._rows.get((check, part)) != _rows(cached[part])
                ]
        except DatabaseError:  # a statement failed
            return [(check, part) for check in checks for part in check.parts]

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


def _filled_tables() -> set[type[Model]]:
    """Returns the models that have a row; a part finds only rows of its own model."""
    models = sorted(
        {part.model for check in CHECKS for part in check.parts}, key=lambda model: model.__name__
    )
    tables = [connection.ops.quote_name(model._meta.db_table) for model in models]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"EXISTS(SELECT 1 FROM {table})" for table in tables))  # noqa: S608 - our own names
        return set(compress(models, cursor.fetchone()))


def _with_rows(cached: dict[TableCheck, list[Statement]], parts: list[TableCheck]) -> Iterable[TableCheck]:
    """Returns the parts without cached statements, and those of which a statement returns a row."""
    known = [part for part in parts if part in cached]
    if not known:
        return parts
    exists = [" OR ".join(f"EXISTS({sql})" for sql, _ in cached[part]) for part in known]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(exists),
            [param for part in known for _, params in cached[part] for param in params],
        )
        empty = set(compress(known, [not finds for finds in cursor.fetchone()]))
    return [part for part in parts if part not in empty]


def _rows(statements: list[Statement]) -> list[Any]:
    """Returns the rows of each statement; equal ones lead a part to equal findings.

    The ids of each test are new ones, so they are replaced by their ranks: which are equal and which came first is all
    that checks read of them, except of digests. An id that a statement was sent with is no id of another test's rows.
    """
    rows = []
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            rows.append(cursor.fetchall())
    texts = [value for of_one in rows for row in of_one for value in row if isinstance(value, str)]
    ids = sorted(
        {found for text in texts for found in ID.findall(text)}, key=lambda found: found.partition("_")[2]
    )
    sent = [param for _, params in statements for param in params if isinstance(param, str)]
    if any(found.startswith(DIGESTS) for found in ids) or any(map(ID.search, sent)):
        return rows
    ranks = {found: f"{found.partition('_')[0]} {rank}" for rank, found in enumerate(ids)}

    def ranked(value: Any) -> Any:
        return ID.sub(lambda match: ranks[match[0]], value) if isinstance(value, str) else value

    return [[tuple(map(ranked, row)) for row in of_one] for of_one in rows]


VERIFIER = IncrementalVerifier()


def differences(rule: str = "") -> list[Difference]:
    """Returns the differences that `verify` finds, with statements cached for all tests of this process."""
    return VERIFIER.differences(rule)
