"""The list of guards is whole, and follows the code. That each guard bites is shown by `make guards`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter

from .registry import SOURCE, constraints, guards, in_the_models, trouble


def test_every_constraint_of_the_database_is_in_it() -> None:
    assert {guard.name for guard in constraints()} == set(in_the_models())


def test_no_two_guards_have_one_name() -> None:
    assert [name for name, times in Counter(guard.name for guard in guards()).items() if times > 1] == []


def test_each_says_what_it_protects_and_where_the_design_asks_for_it() -> None:
    assert [one.name for one in guards() if not re.fullmatch(r"[MRPD]\d: .+\.", one.protects)] == []


def test_each_stands_once_where_the_list_says() -> None:
    moved = [words for guard in guards() if (words := trouble(guard))]
    assert not moved, "\n".join(moved)


def test_each_has_one_test_that_exists() -> None:
    named = {guard.test for guard in guards()}
    files = sorted({test.partition("::")[0] for test in named})
    collected = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--collect-only",
            "--database=sqlite",
            *filter(os.path.exists, files),
        ],
        cwd=SOURCE.parent,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=True,
    )
    missing = sorted(named - set(collected.stdout.splitlines()))
    assert not missing, "\n".join(missing)
