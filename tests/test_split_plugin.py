"""A sample has a case of every function, and a test without a database connects to none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatch

import pytest
from django.db import connection

from tests.split_plugin import SAMPLED_FOLDERS, TESTS, sample


@pytest.mark.parametrize("many", [1, 2, 5, 14])
def test_a_sample_has_a_case_of_every_function_and_over_many_functions_each_case(many: int) -> None:
    cases = [*range(many)]
    samples = [sample(cases, 4, number) for number in range(12)]  # type: ignore[type-var]
    assert all(samples)
    assert {case for chosen in samples for case in chosen} == {*cases}
    assert max(len(chosen) for chosen in samples) <= -(-many // 4)


@pytest.mark.parametrize("database", SAMPLED_FOLDERS)
def test_every_sampled_folder_has_tests(database: str) -> None:
    folders = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    for pattern in SAMPLED_FOLDERS[database]:
        assert any(fnmatch(folder, pattern) for folder in folders), pattern


def test_a_test_without_database_cannot_connect() -> None:
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()


def test_a_process_that_a_test_without_database_starts_finds_none() -> None:
    command = [sys.executable, "-m", "partway", "migrate", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode != 0
    assert "unable to open database file" in done.stderr


def test_a_days_share_of_cases_is_a_part_with_split_and_without_it_all(
    days_share: Callable[[Sequence[int]], Sequence[int]], pytestconfig: pytest.Config
) -> None:
    shared = [*days_share(range(10))]
    assert len(shared) == (5 if pytestconfig.option.split else 10)
