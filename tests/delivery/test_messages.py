"""Tests that every code and reason that billing raises has a sentence, with placeholders for its parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from partway import billing
from partway.billing import errors
from partway.delivery.messages import (
    MESSAGES,
    documents,
    imports,
    journal,
    payments,
    people,
    receivables,
    requests,
    webhooks,
)

ROOT = Path(billing.__file__).parent
CODES = {
    name: value.code
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.BillingError)
}


def text(node: ast.expr) -> str | None:
    """Returns a literal, with * for each part of an f-string that is computed; None for another expression."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
    return None


def raised_codes() -> Iterator[str]:
    """Yields each "code.reason" and field code that is a literal in billing."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "field_error" and (code := text(node.args[0])):
                yield code
            reason = next((text(keyword.value) for keyword in node.keywords if keyword.arg == "reason"), None)
            if node.func.id in CODES and reason:
                yield f"{CODES[node.func.id]}.{reason}"


def test_each_code_raised_by_billing_has_sentence() -> None:
    codes = set(raised_codes())
    assert len(codes) > 100
    assert {code for code in codes if not any(fnmatch(known, code) for known in MESSAGES)} == set()


def test_no_two_packages_define_the_same_code() -> None:
    packages = (documents, imports, journal, payments, people, receivables, requests, webhooks)
    assert len(MESSAGES) == sum(len(package.MESSAGES) for package in packages)
