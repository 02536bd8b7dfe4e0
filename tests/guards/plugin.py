"""The part of `make guards` that runs inside pytest: drops a constraint around its test, and writes outcomes down.

Loaded with `-p tests.guards.plugin` by `python -m tests.guards`, and by nothing else.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

import partway

from .registry import constraints, in_the_models


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, help="where to write what became of each test, a line each")
    parser.addoption("--migrated", help="a migrated database to begin with: a file of SQLite, or a name")
    parser.addoption("--without-constraints", action="store_true", help="drop a constraint around its test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    told = {
        "test": item.nodeid,
        "when": report.when,
        "outcome": report.outcome,
        "error": call.excinfo.typename if call.excinfo else "",
        "seconds": report.duration,
        "source": partway.__file__,
    }
    with item.config.getoption("--outcomes").open("a") as file:
        file.write(json.dumps(told) + "\n")
    return report


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin with a copy of a migrated database: migrating an empty one takes longer than most tests."""
    migrated, test = session.config.getoption("--migrated"), settings.DATABASES["default"]["TEST"]
    if connection.vendor == "sqlite":
        shutil.copy(migrated, test["NAME"])
        session.config.option.reuse_db = True  # it goes with the home of the run
    else:
        test["TEMPLATE"] = migrated


@pytest.fixture(autouse=True)
def _without_its_constraint(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Generator[None]:
    name = {guard.test: guard.name for guard in constraints()}.get(request.node.nodeid)
    if name is None or not request.config.getoption("--without-constraints"):
        yield
        return
    table, constraint = in_the_models()[name]
    whole = table._meta.constraints
    # SQLite makes the table anew from what the model says, so the model must not speak of it either.
    table._meta.constraints = [one for one in whole if one.name != name]
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.remove_constraint(table, constraint)
    table._meta.constraints = whole
    yield
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.add_constraint(table, constraint)
