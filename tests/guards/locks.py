"""Finds every place in the source that locks rows, in its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .coverage_map import source_modules
from .mutants import Module

# The sandbox has its own database, which is SQLite.
OUTSIDE = "sandbox"


@dataclass(frozen=True, slots=True)
class Lock:
    """One call that locks: its place and the locked rows."""

    module: Module
    function: str
    call: str
    line: int

    def __str__(self) -> str:
        return f"{self.function}: {self.call}"


def locks() -> Iterator[Lock]:
    """Returns every lock of our database."""
    for module in source_modules():
        if not module.name.startswith(OUTSIDE):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and is_lock(node):
                    yield Lock(module, module.function(node.lineno), ast.unparse(node), node.lineno)


def is_lock(call: ast.Call) -> bool:
    """Returns True for `.locked(...)`, `.lock()`, `.select_for_update(...)` and PostgreSQL's advisory locks."""
    if not isinstance(call.func, ast.Attribute):
        return False
    sql = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    return call.func.attr in ("locked", "lock", "select_for_update") or "pg_advisory_xact_lock" in str(sql)
