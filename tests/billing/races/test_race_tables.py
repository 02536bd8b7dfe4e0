"""A race table must have a row for every failpoint, and no row that no race reaches."""

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


def test_race_table_head_names_pair_scenario_acts_and_facts(tmp_path: Path) -> None:
    read = race(tmp_path, "| event a | open | void | none |")
    assert (read.pair, str(read)) == ("request × void", "sent: request, then void")
    assert (read.facts, read.rows) == (("request",), {"event a": ("open", "void", "none")})


def test_race_table_row_applies_until_next_row(tmp_path: Path) -> None:
    expected = race(tmp_path, "| event a | x | x | x |", "| event b | y | y | y |").expected(PASSED)
    assert expected == dict(zip(PASSED, (("x",) * 3, ("x",) * 3, ("y",) * 3), strict=True))


def test_race_table_sample_keeps_both_ends_of_each_row(tmp_path: Path) -> None:
    sampled = race(tmp_path, "| a | x | x | x |", "| e | y | y | y |").sample(list("abcdefghi"), offset=14)
    assert sampled == ["a", "c", "d", "e", "i"]  # c is the one in sixteen


@pytest.mark.parametrize(
    "rows",
    [
        ["| event b | y | y | y |"],  # no row for the first failpoint
        ["| event a | x | x | x |", "| event gone | y | y | y |"],  # a failpoint that no act passes
        ["| event a | x | x | x |", "| event b | y | y | y |", "| before commit of a | z | z | z |"],
    ],
    ids=["begins late", "rotten", "out of order"],
)
def test_race_table_rows_not_matching_failpoints_raise(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(AssertionError):
        race(tmp_path, *rows).expected(PASSED)


@pytest.mark.parametrize(
    "rows",
    [["| event a | x | x |"], ["| event a | x | x | x |", "| event a | y | y | y |"]],
    ids=["too short", "twice"],
)
def test_malformed_race_table_raises(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(AssertionError):
        race(tmp_path, *rows)


def test_race_table_row_for_other_database_is_skipped(tmp_path: Path) -> None:
    rows = [f"| event a ({name}) | {name} | x | x |" for name in ("sqlite", "postgresql")]
    assert race(tmp_path, *rows).expected(["event a"]) == {"event a": (connection.vendor, "x", "x")}


def test_commit_failpoint_is_labeled_by_last_event() -> None:
    names = ["before fetch", "event a", "event b", "before commit", "after commit", "before commit"]
    names += ["after commit", "call close", "before commit", "before commit", "before fetch"]
    assert list(labeled_failpoints(names)) == [
        *["before fetch", "event a", "event b", "before commit of b", "after commit of b", "before commit"],
        *["after commit", "call close", "before commit of call close", "before commit of call close 2"],
        "before fetch 2",
    ]
