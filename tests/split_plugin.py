"""Splits the suite between the runs on the two databases, and starts the longest tests first.

    --split     leave out the tests that the run on the other database covers for both

With it a test that uses no database runs on SQLite alone, and a test marked `sampled_on` is sampled on the database
that its mark names: because it runs whole on the other, or on both because its cases are very many and alike (the
failpoints of a crash). Without it everything runs.

A test uses the database when it asks for one of pytest-django's fixtures; all others are held to that: pytest-django
refuses a connection in this process, and the processes that such a test starts find no database at their address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}
NO_DATABASE = "sqlite:////nowhere/no-database.sqlite3"
RUNS_WITHOUT_DATABASE = "sqlite"  # in whose run are the tests that use none
# Of each of these folders one test in so many runs on PostgreSQL, and all of them on SQLite: they send statements
# that Django writes for both databases. What may differ runs whole on both: see `may_depend_on_database`.
SAMPLED_FOLDERS = {
    "accounts": 4,
    "api": 12,
    "attacks": 12,
    "billing": 12,
    "clients": 4,
    "config": 8,
    "delivery": 20,
    "pay": 16,
    "staff": 20,
    "worker": 4,
}


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
        marks = {mark.args[0]: mark.kwargs["every"] for mark in item.iter_markers("sampled_on")}
        folders = [name for name in item.path.parts if name in SAMPLED_FOLDERS]
        if database in marks:
            groups[getattr(item, "function", item), marks[database]].append(item)
        elif not marks and folders and database == "postgresql" and not may_depend_on_database(item):
            groups[folders[0], SAMPLED_FOLDERS[folders[0]]].append(item)
    for number, ((_, every), cases) in enumerate(groups.items()):
        left_out.update(set(cases) - set(sample(cases, every, number)))
    return left_out


def may_depend_on_database(item: pytest.Item) -> bool:
    """Whether a test in a sampled folder is about what databases do each in their way: commits, locks, constraints."""
    marks = {mark.name: mark for mark in item.iter_markers()}
    if "attacks" in item.path.parts:
        return False  # a server of its own, for which each test commits
    commits = "django_db" in marks and marks["django_db"].kwargs.get("transaction", False)
    return commits or "locks" in marks or "guards_constraint" in marks


def sample(cases: Sequence[pytest.Item], every: int, number: int) -> Sequence[pytest.Item]:
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
