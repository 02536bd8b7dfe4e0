"""The page of guarantees names a test for each guarantee, and each named test exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/guarantees.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+(?:::\w+)?)`", PAGE)))
PROMISES = [line for line in PAGE.splitlines() if re.match(r"\| [A-Z][^|]+\|[^|]+\|", line)]


@pytest.mark.parametrize("named", NAMED)
def test_guarantees_page_names_only_existing_tests(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).exists()
    assert not test or f"def {test}(" in (ROOT / path).read_text()


@pytest.mark.parametrize("promise", PROMISES)
def test_every_guarantee_names_a_test(promise: str) -> None:
    assert "`tests/" in promise.split("|")[3]


def test_guarantees_page_is_parsed() -> None:
    assert len(PROMISES) > 20
