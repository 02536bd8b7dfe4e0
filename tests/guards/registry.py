"""The list of guards: what each one protects, how it is taken away, and the one test that holds it.

    constraints.toml    every constraint of the database; it is dropped from the database of the test
    the other files     guards of the code: `text` stands exactly once in `file` (below src/partway), and `instead`
                        stands there when the guard is gone; where nothing is said, the condition is never true

A guard of the code is tried on SQLite, unless `databases` names those on which it matters: a lock bites on
PostgreSQL alone, because on SQLite a transaction that writes is alone anyway.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db.models import BaseConstraint, Model

LISTS = Path(__file__).parent
SOURCE = LISTS.parents[1] / "src"
CONSTRAINT_TEST = "tests/billing/test_constraints.py::test_the_database_refuses"
ROOMS = ("accounts", "billing")


class Moved(Exception):
    """The text of a guard is not where the list says: the list must follow the code."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard; `file` is empty for a constraint of the database."""

    name: str
    protects: str
    test: str
    databases: tuple[str, ...] = ("sqlite",)
    file: str = ""
    text: str = ""
    instead: str = "if False:"

    def path(self, source: Path = SOURCE) -> Path:
        """Where the guard stands in a copy of the source."""
        return source / "partway" / self.file

    def taken_away(self) -> str:
        """The guard's file without it; raises Moved."""
        if not self.path().exists():
            raise Moved(f"{self.file} is gone: update the list of guards")
        code = self.path().read_text()
        times = code.count(self.text)
        if times != 1:
            raise Moved(f"its text stands {times} times in {self.file}: update the list of guards")
        return code.replace(self.text, self.instead)


def trouble(guard: Guard) -> str:
    """Why this guard of the code cannot be taken away; empty when it can."""
    try:
        compile(guard.taken_away() if guard.file else "", guard.file, "exec")
    except (Moved, SyntaxError) as error:
        return f"{guard.name}: {error}"
    return ""


def guards() -> list[Guard]:
    """Every guard, those of the database first."""
    return [*constraints(), *code()]


def constraints() -> Iterator[Guard]:
    """The guards that the database itself keeps."""
    for name, protects in _read(LISTS / "constraints.toml").items():
        yield Guard(name, protects, f"{CONSTRAINT_TEST}[{name}]", ("sqlite", "postgresql"))


def code() -> Iterator[Guard]:
    """The guards that stand in the code, file after file."""
    for path in sorted(LISTS.glob("*.toml")):
        if path.name != "constraints.toml":
            for name, told in _read(path).items():
                yield Guard(name=name, **{**told, "databases": tuple(told.get("databases", ["sqlite"]))})


def _read(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text())


def in_the_models() -> dict[str, tuple[type[Model], BaseConstraint]]:
    """Each constraint of our own tables by its name, with its table."""
    models = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
    return {row.name: (model, row) for model in models for row in model._meta.constraints}
