"""The files, functions and classes that the documentation names exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(path for name in ("recipes", "reference", "guide") for path in (ROOT / "docs" / name).glob("*.md")),
    ]
)
RECIPES = [path for path in PAGES if path.parent.name == "recipes"]
CODE_BLOCK = re.compile(r"^\s*```.*?^\s*```", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w./-]+\.(?:py|html|css|js|sh|toml|typ|md)")
DOTTED = re.compile(r"(\w+)\.(\w+)(?:\(.*)?")
# Names of the examples in the recipes, which do not exist yet.
EXAMPLES = {
    "PARTWAY_ACME_URL",
    "purchase_order_too_long",
    "delivery/mail/kinds/invoice_reopened.py",
    "delivery/templates/mail/invoice_reopened.html",
}


def inline_code(page: Path) -> list[str]:
    return INLINE_CODE.findall(CODE_BLOCK.sub("", page.read_text()))


@cache
def files() -> tuple[str, ...]:
    folders = ("src", "tests", "scripts", "bench", "docs")
    found = [path for name in folders for path in (ROOT / name).rglob("*.*")]
    return tuple(f"/{path.relative_to(ROOT)}" for path in [*found, *ROOT.glob("*.*")])


@cache
def source() -> str:
    paths = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py")]
    return "\n".join(path.read_text() for path in paths if path != Path(__file__))


@cache
def names_of_modules() -> dict[str, set[str]]:
    """Returns the names bound or imported at the top of each module of the source, by the module's last name."""
    names: dict[str, set[str]] = {}
    for path in (ROOT / "src").rglob("*.py"):
        stem = path.parent.name if path.stem == "__init__" else path.stem
        bound = names.setdefault(stem, set())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.add(node.id)
            elif isinstance(node, ast.alias):
                bound.add((node.asname or node.name).split(".")[-1])
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = {text for text in inline_code(page) if FILE.fullmatch(text)} - EXAMPLES
    assert [
        name for name in sorted(named) if not any(path.endswith(f"/{name.lstrip('/')}") for path in files())
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_functions_that_a_page_names_are_in_their_module(page: Path) -> None:
    """An event type or an attribute of a variable reads like one; it occurs as it is in the source."""
    dotted = {text for text in inline_code(page) if DOTTED.fullmatch(text) and not FILE.fullmatch(text)}
    modules = names_of_modules()
    named = [(text, *text.partition("(")[0].split(".")) for text in sorted(dotted)]
    assert [
        text
        for text, module, name in named
        if module in modules and name not in modules[module] and text not in source()
    ] == []


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.name)
def test_identifiers_that_a_recipe_names_are_in_the_source(page: Path) -> None:
    words = set(re.findall(r"\w+", source()))
    named = {
        text for text in inline_code(page) if re.fullmatch(r"[A-Za-z]\w*_\w+|_\w+|[A-Z]\w+[A-Z]\w*", text)
    }
    assert sorted(named - words - EXAMPLES) == []
