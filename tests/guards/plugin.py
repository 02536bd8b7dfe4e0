"""The part of `make guards` that runs inside pytest.

--measure=FOLDER           notes which test runs which line of the source
--mutants=SESSION,...      runs no test by itself, but the mutants of these cosmic-ray sessions
--without-constraints      drops each constraint around the test marked for it, which must then fail
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest
from django.apps import apps
from django.db import connection
from django.db.models import BaseConstraint, Model
from pytest_django import DjangoDbBlocker

from .mutants import SOURCE
from .patching import MutatedModule

# Set for a test run of a mutant that is imported: the file, and another file with its mutated source.
if "GUARDS_MUTATED" in os.environ:
    _path, _text = os.environ["GUARDS_MUTATED"].split(os.pathsep)
    MutatedModule(Path(_path), Path(_text).read_text()).install()

OUR_APPS = ("accounts", "billing")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--measure", type=Path, help="the folder for what each test reaches")
    parser.addoption("--mutants", default="", help="the sessions with the mutants to run")
    parser.addoption("--share", default="0/1", help="which part of the mutants, as 0/2 for the first half")
    parser.addoption("--without-constraints", action="store_true", help="drop a constraint around its test")


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--measure")
    runs_tests = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    if folder and runs_tests:
        config.pluginmanager.register(Measurement(folder))


class Measurement:
    """Records the lines that each test runs, and how long each test takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.left_out = set(json.loads((folder / "left_out.json").read_text()))
        self.seconds: dict[str, float] = {}
        file = str(folder / "coverage")
        self.coverage = coverage.Coverage(
            file, data_suffix=True, config_file=False, include=[f"{SOURCE}/*"], messages=False
        )
        self.coverage.start()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid not in self.left_out]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        # Imported only here, since it may be the module that a mutant replaces.
        from partway.accounts.prepared import Prepared, PreparedUpdate

        # Each test compiles the queries that it runs, for their lines are lines that it runs.
        for prepared in (*gc.get_referrers(Prepared), *gc.get_referrers(PreparedUpdate)):
            if type(prepared) in (Prepared, PreparedUpdate):
                prepared._plan = None
        self.coverage.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # The setup of a test may contain that of the whole session.
        seconds = min(report.duration, 1.0) if report.when == "setup" else report.duration
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.01) + seconds

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        self.coverage.save()
        (self.folder / f"seconds-{os.getpid()}.json").write_text(json.dumps(self.seconds))


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Runs mutants in place of tests."""
    sessions = session.config.getoption("--mutants")
    if not sessions:
        return None
    from .worker import Worker

    number, of = session.config.getoption("--share").split("/")
    Worker(session).run([Path(one) for one in sessions.split(",")], int(number), int(of))
    return True


def constraints() -> dict[str, tuple[type[Model], BaseConstraint]]:
    """Returns each constraint of our own tables by its name, with its table."""
    models = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]
    return {row.name: (model, row) for model in models for row in model._meta.constraints}


def constraint_of(item: pytest.Item) -> str | None:
    """Returns the constraint that this test is marked for."""
    marker = item.get_closest_marker("guards_constraint")
    return marker.args[0] if marker else None


@pytest.fixture(autouse=True)
def _without_its_constraint(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Generator[None]:
    name = constraint_of(request.node)
    if name is None or not request.config.getoption("--without-constraints"):
        yield
        return
    request.getfixturevalue("django_db_setup")
    table, constraint = constraints()[name]
    whole = table._meta.constraints
    # SQLite rebuilds the table from the model, so the model must not contain the constraint either.
    table._meta.constraints = [one for one in whole if one.name != name]
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.remove_constraint(table, constraint)
    table._meta.constraints = whole
    yield
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        editor.add_constraint(table, constraint)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Inverts the outcome while the constraint is dropped, because the test must then fail."""
    report = yield
    if report.when == "call" and item.config.getoption("--without-constraints") and constraint_of(item):
        passed = report.passed
        report.outcome = "failed" if passed else "passed"
        report.longrepr = f"it passes without {constraint_of(item)}" if passed else None
    return report
