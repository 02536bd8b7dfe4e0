"""A table says something about every stop point, and nothing that no race comes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from tests.billing.races.race_tables import Race, labeled_failpoints, races_of

HEAD = """## request × void

| given sent | request | void | request |
|------------|---------|------|---------|
"""
PASSED = ["event a", "before commit of a", "event b"]


def race(folder: Path, *rows: str) -> Race:
    file = folder / "races.md"
    file.write_text(HEAD + "\n".join(rows))
    return next(races_of(file))


def test_the_head_names_the_pair_what_is_given_the_acts_and_the_facts(tmp_path: Path) -> None:
    read = race(tmp_path, "| event a | open | void | none |")
    assert (read.pair, str(read)) == ("request × void", "sent: request, then void")
    assert (read.facts, read.rows) == (("request",), {"event a": ("open", "void", "none")})


def test_a_row_counts_until_the_next_one(tmp_path: Path) -> None:
    expected = race(tmp_path, "| event a | x | x | x |", "| event b | y | y | y |").expected(PASSED)
    assert expected == dict(zip(PASSED, (("x",) * 3, ("x",) * 3, ("y",) * 3), strict=True))


@pytest.mark.parametrize(
    "rows",
    [
        ["| event b | y | y | y |"],  # nothing is said of the first
        ["| event a | x | x | x |", "| event gone | y | y | y |"],  # nobody comes there any more
        ["| event a | x | x | x |", "| event b | y | y | y |", "| before commit of a | z | z | z |"],
    ],
    ids=["begins late", "rotten", "out of order"],
)
def test_rows_that_do_not_fit_the_stop_points_fail(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(AssertionError):
        race(tmp_path, *rows).expected(PASSED)


@pytest.mark.parametrize(
    "rows",
    [["| event a | x | x |"], ["| event a | x | x | x |", "| event a | y | y | y |"]],
    ids=["too short", "twice"],
)
def test_what_is_no_table_is_not_read_as_one(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(AssertionError):
        race(tmp_path, *rows)


def test_a_row_for_one_database_is_left_out_on_the_other(tmp_path: Path) -> None:
    rows = [f"| event a ({name}) | {name} | x | x |" for name in ("sqlite", "postgresql")]
    assert race(tmp_path, *rows).expected(["event a"]) == {"event a": (connection.vendor, "x", "x")}


def test_a_commit_is_called_by_what_it_commits_last() -> None:
    names = ["before fetch", "event a", "event b", "before commit", "after commit", "before commit"]
    names += ["after commit", "call close", "before commit", "before commit", "before fetch"]
    assert list(labeled_failpoints(names)) == [
        *["before fetch", "event a", "event b", "before commit of b", "after commit of b", "before commit"],
        *["after commit", "call close", "before commit of call close", "before commit of call close 2"],
        "before fetch 2",
    ]
