"""Every code and reason that billing raises has a sentence in partway.delivery.messages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from partway.billing import errors
from partway.delivery.messages import MESSAGES

PACKAGE = Path(errors.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
CLASSES = {name: item for name, item in vars(errors).items() if hasattr(item, "code")}


def raised_codes(path: Path) -> Iterator[str]:
    """Yields "code" of each literal field_error and "code.reason" of each error that a module creates."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id == "field_error" and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)
        elif node.func.id in CLASSES and not node.args:
            code = CLASSES[node.func.id].code
            reasons = [word.value for word in node.keywords if word.arg == "reason"]
            if not reasons:
                yield code
            elif isinstance(reasons[0], ast.Constant):
                yield f"{code}.{reasons[0].value}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_raised_codes_have_messages(path: Path) -> None:
    missing = {code for code in raised_codes(path) if not ({code, code.partition(".")[0]} & set(MESSAGES))}
    assert missing == set()
