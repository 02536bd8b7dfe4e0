"""Only a test that was tried, and failed by what it says, shows that a guard is held."""

from __future__ import annotations

import pytest

from .runs import Report, Run

TEST = "tests/test_it.py::test_it"


def run(*phases: tuple[str, str, str]) -> Run:
    """A run of the test with these phases: when, outcome, and what was raised."""
    return Run([Report(TEST, *phase, seconds=0.1, source="") for phase in phases], "1 error")


SETUP, PASSED = ("setup", "passed", ""), ("call", "passed", "")


def test_a_failed_test_shows_that_it_is_held() -> None:
    failed = run(SETUP, ("call", "failed", "AssertionError"))
    assert (failed.loophole(TEST), failed.failure(TEST)) == ("", "AssertionError")


def test_books_that_are_wrong_after_the_test_show_it_too() -> None:
    assert run(SETUP, PASSED, ("teardown", "failed", "AssertionError")).loophole(TEST) == ""


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ([SETUP, PASSED], "passes without the guard"),
        ([("setup", "skipped", "Skipped")], "skipped"),
        ([("setup", "failed", "IntegrityError")], "nothing was tried"),
        ([SETUP, ("call", "failed", "NameError")], "nothing was tried"),
        ([], "did not run: 1 error"),
    ],
)
def test_nothing_else_does(phases: list[tuple[str, str, str]], words: str) -> None:
    assert words in run(*phases).loophole(TEST)


@pytest.mark.parametrize("phases", [[("setup", "skipped", "Skipped")], [SETUP, ("call", "failed", "X")], []])
def test_only_a_test_that_passed_is_right_with_its_guard(phases: list[tuple[str, str, str]]) -> None:
    assert run(SETUP, PASSED).trouble(TEST) == ""
    assert run(*phases).trouble(TEST) != ""
