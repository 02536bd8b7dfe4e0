"""Plans of the queries of a page, as both databases would run them on large tables: which index, by which columns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.apps import apps
from django.db import connection, models

_SQLITE_STEP = re.compile(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?INDEX (\w+)(?: \((.*)\))?)?")
_NUMBERS = count()
_COLUMN = re.compile(r"\b([a-z]\w*)\b")


@dataclass(frozen=True)
class Step:
    """One table that a plan reads: its index, the columns that are looked up in it, and those asked of each row."""

    table: str
    index: str
    columns: frozenset[str]
    asked: frozenset[str]

    @property
    def reads_all(self) -> bool:
        """Whether it reads all rows of an organization, or of all, to ask each for more than its organization."""
        found = self.columns | condition_columns(self.index)
        return not self.columns or (found == {"organization_id"} and bool(self.asked - found))


@dataclass
class Plans:
    """Collects the statements that read these tables."""

    tables: frozenset[str]
    statements: dict[tuple[str, tuple[Any, ...]], None] = field(default_factory=dict)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip("(").startswith(("SELECT", "WITH")) and any(f'"{name}"' in sql for name in self.tables):
            self.statements[sql, tuple(map(_hashable, params or ()))] = None
        return execute(sql, params, many, context)

    def steps(self, sql: str, params: tuple[Any, ...]) -> tuple[list[Step], bool]:
        """Returns the steps of a plan on these tables, and whether it sorts more than was looked up by ids."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                lists = [list(each) if isinstance(each, tuple) else each for each in params]
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", lists)
                [[(plan,)]] = [[row] for row in cursor.fetchall()]
                found = list(_nodes((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]))
                steps = [step for node in found if (step := _postgresql_step(node)).table in self.tables]
                sorts = "GROUP BY" not in sql and any("Sort" in node["Node Type"] for node in found)
            else:
                # A statement of its own: one that the driver keeps shows the plan of the indexes of that time.
                cursor.execute(f"EXPLAIN QUERY PLAN {sql} -- {next(_NUMBERS)}", params)
                lines = [str(row[-1]) for row in cursor.fetchall()]
                steps = list(self._sqlite_steps(sql, lines))
                sorts = any("TEMP B-TREE FOR" in line and "ORDER BY" in line for line in lines)
        by_ids = any("id" in step.columns and "organization_id" not in step.columns for step in steps)
        return steps, sorts and not by_ids

    def _sqlite_steps(self, sql: str, lines: list[str]) -> Iterator[Step]:
        found = re.findall(r'(?:FROM|JOIN) "(\w+)" (U\d|V\d|T\d)\b', sql)
        names = {alias: table for table, alias in found}
        several = {alias for alias in names if sum(alias == each for _table, each in found) > 1}
        # Without the conditions of sums, and without the rows around a subquery that it names.
        plain = re.sub(r"FILTER \(WHERE [^)]*\)|\(\"\w+\"\.\"\w+\"\)", "", sql)
        conditions = plain.partition("WHERE")[2].partition("ORDER BY")[0]
        for line in lines:
            if (match := _SQLITE_STEP.match(line)) and (name := names.get(match[2], match[2])) in self.tables:
                asked = frozenset(re.findall(rf'"?{match[2]}"?\."(\w+)"', conditions))
                asked = frozenset() if match[2] in several else asked
                columns = frozenset(_COLUMN.findall(match[4] or "")) - {"and"}
                yield Step(name, match[3] or "", columns, asked)


def _hashable(param: Any) -> Any:
    if isinstance(param, list):
        return tuple(param)
    return bytes(param) if isinstance(param, (bytearray, memoryview)) else param


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _postgresql_step(node: dict[str, Any]) -> Step:
    columns = frozenset(_COLUMN.findall(re.sub(r"'[^']*'|::\w+", "", node.get("Index Cond", ""))))
    asked = frozenset(_COLUMN.findall(re.sub(r"'[^']*'|::\w+", "", node.get("Filter", ""))))
    return Step(node.get("Relation Name", ""), node.get("Index Name", ""), columns, asked)


def indexes(*of: type[models.Model]) -> dict[str, models.Index]:
    """Returns the indexes of models by name, without those of texts."""
    return {index.name: index for model in of for index in model._meta.indexes if type(index) is models.Index}


def condition_columns(name: str) -> frozenset[str]:
    """Returns the columns that the condition of a partial index is of."""
    found = indexes(*apps.get_app_config("billing").get_models()).get(name)
    return (
        frozenset(_of(found.condition)) if found is not None and found.condition is not None else frozenset()
    )


def _of(condition: Any) -> Iterator[str]:
    for each in condition.children:
        if isinstance(each, tuple):
            yield each[0].partition("__")[0]
        else:
            yield from _of(each)


@contextmanager
def large_tables(*of: type[models.Model]) -> Iterator[None]:
    """Lets PostgreSQL plan as if these tables had a million rows; SQLite without statistics does so by itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for method in ("seqscan", "sort", "incremental_sort", "bitmapscan"):  # where there is an index
                cursor.execute(f"SET LOCAL enable_{method} = off")
            for model in of:
                cursor.execute(
                    "UPDATE pg_class SET reltuples = 1000000, relpages = 1 WHERE oid = %s::regclass",
                    [model._meta.db_table],
                )
    yield
