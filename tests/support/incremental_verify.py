"""`partway verify` after each test and act, made cheap: a part of a check does not run on rows that it has judged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import compress, pairwise, zip_longest
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from partway.billing.verification import CHECKS, Difference
from partway.billing.verification.checks import Findings, TableCheck

Params = tuple[Any, ...]
Order = tuple[Any, ...]

DIGESTS = ("pty_", "logo_")  # ids that follow from the content of their row, in no order
ID = re.compile(r"\b[a-z]+_[0-9a-hjkmnp-tv-z]{26}\b")
UTC_ZONE = r"datetime\.timezone\.utc|zoneinfo\.ZoneInfo\(key='UTC'\)"
# A moment in a row as Python shows it, and as text: in JSON, and in what SQLite computes.
TIME = re.compile(
    rf"datetime\.datetime\(([\d, ]+)(?:, tzinfo=(?:{UTC_ZONE}))?\)"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?"
)
NO_ROWS = hash("[]")  # as `Names.rows` returns it
ID_OR_TIME = re.compile(f"{ID.pattern}|{TIME.pattern}")


@dataclass(slots=True)
class Step:
    """A statement of a part; for each result the next one, or at the end the orders of ids and times judged right."""

    sql: str
    params: Params
    then: dict[int, Step | set[Order]] = field(default_factory=dict)


class IncrementalVerifier:
    """Remembers the rows in which each part of a check found nothing, and runs it again only for other rows.

    With few rows, most of the time of a check is spent on generating its SQL, so the remembered statements are sent
    again instead. Each test has other ids and times, so they get names.
    """

    def __init__(self) -> None:
        self._first: dict[TableCheck, Step] = {}

    def differences(self, rule: str = "") -> list[Difference]:
        """Returns the differences that the checks of a rule find, or all checks."""
        parts = [(check, part) for check in CHECKS if rule in ("", check.rule) for part in check.parts]
        assert parts, rule
        in_doubt = self.in_doubt(part for _, part in parts)
        return [
            Difference(check.rule, row, message)
            for check, part in parts
            if part in in_doubt
            for row, message in self._run(part)
        ]

    def in_doubt(self, parts: Iterable[TableCheck]) -> set[TableCheck]:
        """Returns the parts that have not judged the present rows."""
        by_model: dict[type[Model], list[TableCheck]] = {}
        for part in parts:
            by_model.setdefault(part.model, []).append(part)
        try:
            # In a transaction PostgreSQL continues after an error only from a savepoint.
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                return {
                    part
                    for model in _filled(by_model)
                    for part, finds in self._finds(by_model[model]).items()
                    if not self._has_judged(part, finds)
                }
        except DatabaseError:  # a statement failed
            return {part for of_model in by_model.values() for part in of_model}

    def _finds(self, parts: list[TableCheck]) -> dict[TableCheck, bool]:
        """Returns for each part whether its first statement, if it is known, returns a row."""
        known = {part: self._first[part] for part in parts if part in self._first}
        found = _exist([(step.sql, step.params) for step in known.values()])
        return {**dict.fromkeys(parts, True), **dict(zip(known, found, strict=True))}

    def _has_judged(self, part: TableCheck, finds: bool) -> bool:
        names = Names()
        step: Step | set[Order] | None = self._first.get(part)
        if isinstance(step, Step) and not finds:
            step = step.then.get(NO_ROWS)
        while isinstance(step, Step):
            step = step.then.get(names.rows(step.sql, names.restored(step.params)))
        return step is not None and names.order() in step

    def _run(self, part: TableCheck) -> Findings:
        sent: list[tuple[str, Params]] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith("SELECT"):  # not a savepoint, whose name differs each time
                sent.append((sql, tuple(params or ())))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            found = list(part.run(part.model._default_manager.all()))
        if not found:
            self._remember(part, sent)
        return found

    def _remember(self, part: TableCheck, sent: list[tuple[str, Params]]) -> None:
        names = Names()
        steps: list[Step] = []
        results: list[int] = []
        for sql, params in sent:
            named = names.named(params)
            if named is None:
                return
            steps.append(Step(sql, named))
            results.append(names.rows(sql, params))
        if hasattr(part.model, "content_id") and set(results) != {NO_ROWS}:
            return  # these ids must be those that follow from the content, so they are more than names
        step = self._first.setdefault(part, steps[0])
        for result, following in zip_longest(results, steps[1:]):
            if (step.sql, step.params) != (steps[0].sql, steps[0].params):
                return  # an order of the parameters that differs from run to run
            steps = steps[1:]
            then = step.then.setdefault(result, following or set())
            if isinstance(then, set):
                if following is None:
                    then.add(names.order())
                return
            step = then


class Names:
    """Names the ids and times in rows by where they are first read.

    Which of them are equal, which came first and in which quarter of an hour is all that checks read of them. Of a
    digest, as the id of a party, they read only which are equal.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def rows(self, sql: str, params: Params) -> int:
        """Returns the hash of the rows of a statement, in which the ids and times are replaced by their names."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return hash(ID_OR_TIME.sub(self._name, repr(cursor.fetchall())))

    def _name(self, match: re.Match[str]) -> str:
        text = match[0]
        prefix, _, random = text.partition("_")
        return self._names.setdefault(text, f"{prefix if random else 'time'} {len(self._names)}")

    def named(self, params: Params) -> Params | None:
        """Returns parameters with the names of ids; None if one is not in the rows that were read, or is a time."""
        texts = [str(param) for param in params]
        ids = {text for text in texts if ID_OR_TIME.search(text)}
        if ids - self._names.keys() or any(map(TIME.search, ids)):
            return None
        return tuple(self._names.get(text, param) for text, param in zip(texts, params, strict=True))

    def restored(self, params: Params) -> Params:
        """Returns parameters with the ids of these names."""
        ids = {name: text for text, name in self._names.items()}
        return tuple(ids.get(param, param) if isinstance(param, str) else param for param in params)

    def order(self) -> Order:
        """Returns the names in the order of their ids, and of their times with what passed between them in minutes."""
        ids = sorted(
            (text.partition("_")[2], name)
            for text, name in self._names.items()
            if ID.match(text) and not text.startswith(DIGESTS)
        )
        times = sorted((_moment(text), name) for text, name in self._names.items() if not ID.match(text))
        gaps = [
            (-1 if later == earlier else round((later - earlier) / timedelta(minutes=1)))
            for (earlier, _), (later, _) in pairwise(times)
        ]
        quarters = [int(moment.timestamp()) // 900 for moment, _ in times]
        return (*(name for _, name in ids), *(name for _, name in times), *gaps, *quarters)


def _moment(text: str) -> datetime:
    match = TIME.match(text)
    assert match, text
    if match[1]:
        return datetime(*map(int, match[1].split(", ")), tzinfo=UTC)  # type: ignore[misc,arg-type]
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _filled(models: Iterable[type[Model]]) -> list[type[Model]]:
    """Returns the models that have a row; a part finds only rows of its own model."""
    ordered = sorted(models, key=lambda model: model.__name__)
    tables = [connection.ops.quote_name(model._meta.db_table) for model in ordered]
    return [*compress(ordered, _exist([(f"SELECT 1 FROM {table}", ()) for table in tables]))]  # noqa: S608 - our own names


def _exist(statements: list[tuple[str, Params]]) -> list[bool]:
    """Returns for each statement whether it returns a row."""
    if not statements:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(f"EXISTS({sql})" for sql, _ in statements),
            [param for _, params in statements for param in params],
        )
        return [bool(finds) for finds in cursor.fetchone()]


VERIFIER = IncrementalVerifier()


def differences(rule: str = "") -> list[Difference]:
    """Returns the differences that `verify` finds, with what all tests of this process have judged remembered."""
    return VERIFIER.differences(rule)
