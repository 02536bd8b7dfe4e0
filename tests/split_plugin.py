"""Splits the suite between the runs on the two databases, and starts the longest tests first.

    --split     leave out what the run on the other database, another day's run or the run of everything covers

With it a test that uses no database runs on SQLite alone, and a test marked `sampled_on` is sampled on the database
that its mark names: because it runs whole on the other, or on both because its cases are very many and alike (the
failpoints of a crash). Of the folders below a share runs, another one each day. Without it everything runs.

A test uses the database when it asks for one of pytest-django's fixtures; all others are held to that: pytest-django
refuses a connection in this process, and the processes that such a test starts find no database at their address.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

Case = TypeVar("Case")
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}
NO_DATABASE = "sqlite:////nowhere/no-database.sqlite3"
RUNS_WITHOUT_DATABASE = "sqlite"  # in whose run are the tests that use none
TESTS = Path(__file__).parent
SECONDS_OF_DAY = 86_400
# Of the tests in these folders one in so many runs, first pattern first (decision 0077).
SAMPLED_FOLDERS = {
    # They send statements that Django writes for both databases. What may differ runs whole: see
    # `may_depend_on_database`.
    "postgresql": {
        "accounts*": 4,
        "api*": 12,
        "attacks*": 12,
        "billing*": 12,
        "clients*": 4,
        "config*": 8,
        "delivery*": 20,
        "pay*": 16,
        "staff*": 20,
        "worker*": 4,
    },
    # Many tests that are alike. The money (all else of billing) and what holds for every page (the files of `staff`
    # that are in no folder of it) run whole.
    "sqlite": {
        "api": 5,
        "attacks": 5,
        "billing/journal": 3,
        "billing/verification": 6,
        "config*": 5,
        "delivery*": 6,
        "gateways*": 5,
        "journeys": 4,
        "pay": 4,
        "sandbox": 4,
        "staff/scripts": 3,
        "staff/*": 6,
        "worker*": 3,
    },
}
# Of the tests that commit, which each database does in its way.
EVERY_THAT_COMMITS = {"sqlite": 6, "postgresql": 3}
# Of the cases of a test that asks for `days_share`.
EVERY_CASE = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--split", action="store_true", help="run only this database's share of the suite")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "long(seconds): takes about so long, so it begins before shorter tests"
    )
    config.addinivalue_line(
        "markers",
        "sampled_on(database, every): with --split, there one in `every`, on the other database all",
    )
    config.addinivalue_line("markers", "left_to(database): with --split, on this database alone")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.split:
        left_out = left_to_other_database(items, config.option.database)
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=_seconds, reverse=True)


def left_to_other_database(items: Sequence[pytest.Item], database: str) -> set[pytest.Item]:
    """Returns the tests that the run on the other database covers for both."""
    left_out = set()
    if database != RUNS_WITHOUT_DATABASE:
        left_out.update(item for item in items if not uses_database(item))
    for item in items:
        if (mark := item.get_closest_marker("left_to")) and mark.args[0] != database:
            left_out.add(item)
    groups: dict[tuple[object, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if group := sampled_group(item, database):
            groups[group].append(item)
    for number, ((_, every), cases) in enumerate(groups.items()):
        left_out.update(set(cases) - set(sample(cases, every, number + day_of_commit())))
    return left_out


def sampled_group(item: pytest.Item, database: str) -> tuple[object, int] | None:
    """Returns the group of which a sample runs on this database, and one in how many; None for a test that runs."""
    marks = {mark.args[0]: mark.kwargs["every"] for mark in item.iter_markers("sampled_on")}
    if database in marks:
        return getattr(item, "function", item), marks[database]
    if marks or item.get_closest_marker("guards_constraint"):
        return None
    if item.get_closest_marker("locks") and database == "postgresql":
        return None
    if commits(item) and item.get_closest_marker("browser") is None:  # those run on SQLite alone
        return "commits", EVERY_THAT_COMMITS[database]
    folder = item.path.parent.relative_to(TESTS).as_posix()
    for pattern, every in SAMPLED_FOLDERS[database].items():
        if fnmatch(folder, pattern):
            return pattern, every
    return None


@cache
def day_of_commit() -> int:
    """Returns the number of the day of the last commit, by which the samples go on; 0 outside of a repository."""
    command = ["git", "log", "-1", "--format=%ct"]
    shown = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False).stdout
    return int(shown or 0) // SECONDS_OF_DAY


def commits(item: pytest.Item) -> bool:
    if "attacks" in item.path.parts:
        return False  # a server of its own, for which each test commits
    mark = item.get_closest_marker("django_db")
    return mark is not None and bool(mark.kwargs.get("transaction", False))


@pytest.fixture
def days_share(pytestconfig: pytest.Config) -> Callable[[Sequence[Case]], Sequence[Case]]:
    """A function that returns a share of the cases of one test, with --split; without it all."""
    if not pytestconfig.option.split:
        return lambda cases: cases
    return lambda cases: sample(cases, EVERY_CASE, day_of_commit())


def sample(cases: Sequence[Case], every: int, number: int) -> Sequence[Case]:
    """One in `every` of the cases, at least one, beginning elsewhere for each `number` of a group."""
    return cases[number % min(every, len(cases)) :: every]


def uses_database(item: pytest.Item) -> bool:
    asked_for = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(asked_for) or item.get_closest_marker("django_db") is not None


def _seconds(item: pytest.Item) -> float:
    # The browser's tests run one after another, and their files end a browser before the next begins another.
    mark = item.get_closest_marker("long") if item.get_closest_marker("browser") is None else None
    return float(mark.args[0]) if mark else 0


@pytest.fixture(autouse=True)
def _no_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Prevents a test without the database mark from connecting, also through another process."""
    if uses_database(request.node):
        yield
        return
    request.getfixturevalue("monkeypatch").setenv("DATABASE_URL", NO_DATABASE)
    yield
    assert not DATABASE_FIXTURES.intersection(request.fixturenames), "ask for the database in the signature"
