"""Docstrings, documentation and texts for users name who acts, and no docstring begins with "What".

CONTRIBUTING.md has the convention.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
VAGUE_PERSON = re.compile(
    r"\b(somebody|nobody|whoever|anybody|everybody|someone|anyone|no one)\b", re.IGNORECASE
)
QUOTATION = re.compile(r"`[^`\n]*`|“[^”]*”|\"[^\"\n]*\"")
LABEL_IN_MARKDOWN = re.compile(r"(?<!\*)\*[^*\n]+\*(?!\*)")

SOURCES = sorted(
    path for folder in ("src", "tests", "scripts", "bench") for path in (ROOT / folder).rglob("*.py")
)
CODE = [path for path in SOURCES if path != Path(__file__)]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")])
SHEETS = sorted(
    [*(ROOT / "src").rglob("*.css"), *(ROOT / "src").rglob("*.js"), *(ROOT / "scripts").rglob("*.sh")]
)


CATALOGUE = ROOT / "src/partway/delivery/locale/en/LC_MESSAGES/django.po"


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, text


def comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def vague(texts: Iterator[tuple[int, str]] | list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [(line, text) for line, text in texts if VAGUE_PERSON.search(QUOTATION.sub("", text))]


def test_python_docstrings_and_comments_name_who_acts() -> None:
    found = []
    for path in CODE:
        source = path.read_text()
        found += [
            (str(path.relative_to(ROOT)), *hit) for hit in vague([*docstrings(source), *comments(source)])
        ]
    assert found == []


def test_docstrings_do_not_begin_with_what() -> None:
    assert [
        (str(path.relative_to(ROOT)), line)
        for path in CODE
        for line, text in docstrings(path.read_text())
        if text.startswith("What")
    ] == []


@pytest.mark.parametrize("path", [*PAGES, *SHEETS], ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_style_sheets_and_scripts_name_who_acts(path: Path) -> None:
    text = path.read_text()
    if path.suffix == ".md":
        text = LABEL_IN_MARKDOWN.sub("", text)
    assert vague(list(enumerate(text.splitlines(), 1))) == []


def test_texts_for_users_name_who_acts() -> None:
    """The catalogue has the texts of templates and of gettext; `scripts/catalogue.sh` keeps it complete."""
    with CATALOGUE.open("rb") as file:
        texts = [
            text
            for message in read_po(file)
            for text in (message.id if message.pluralizable else [message.id])
        ]
    assert len(texts) > 1000
    assert [text for text in texts if VAGUE_PERSON.search(text)] == []


def test_vague_persons_are_found_outside_of_quotations() -> None:
    texts = [(1, "Nobody pays."), (2, "Runs as the user `nobody`."), (3, "The page says “Invite a member”.")]
    assert vague(texts) == texts[:1]
