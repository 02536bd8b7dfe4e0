"""Runs mutants inside a pytest process that has imported and collected everything once.

Each mutant gets a fork of that process, in which the code of the mutated function is replaced, or the value of the
mutated constant, and the tests that run it are run until one fails. A mutated decorator gets a new process instead.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult
from django.core.management import call_command
from django.db import connections

from .coverage_map import CoverageMap, source_modules, test_environment, uses_of
from .mutants import ROOT, Module, module_of, name_of
from .patching import RunsAtImport, patch_constants, patch_functions

# A mutant may be slower than the code, and the machine busier than when the tests were measured.
START_SECONDS = 20.0
TIMES_SLOWER = 5.0


class OnlyData(Exception):
    """The mutation is in the class body of a model, which the migrations have repeated."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of the tests of one mutant, and the failed test or another explanation."""

    killed: bool
    by: str


class Worker:
    """One pytest process, which runs its share of the mutants one after the other."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session
        self.items = {item.nodeid: item for item in session.items}
        self.map = CoverageMap.load(session.config.getoption("--database"))
        self.source = source_modules()

    def run(self, sessions: Sequence[Path], number: int, of: int) -> None:
        """Runs every `of`-th pending mutant of the sessions and stores its result there."""
        self._set_up_session_fixtures()
        for path in sessions:
            with use_db(str(path), WorkDB.Mode.open) as database:
                pending = sorted(database.pending_work_items, key=lambda item: item.job_id)
                for item in pending:
                    if int(item.job_id, 16) % of == number:
                        database.set_result(item.job_id, self.result(item.mutations[0]))

    def result(self, spec: MutationSpec) -> WorkResult:
        """Creates the mutant and runs its tests."""
        module = module_of(spec.module_path)
        mutated = module.mutated(spec)
        name = name_of(module, spec, mutated)
        try:
            outcome = self._run(module, spec, mutated)
        except (SyntaxError, OnlyData) as error:
            return WorkResult(WorkerOutcome.NO_TEST, repr(error), TestOutcome.INCOMPETENT)
        test_outcome = TestOutcome.KILLED if outcome.killed else TestOutcome.SURVIVED
        if not outcome.killed:
            print(f"survived: {name}", flush=True)
        return WorkResult(WorkerOutcome.NORMAL, outcome.by, test_outcome, f"{name.before}\n===\n{name.after}")

    def _run(self, module: Module, spec: MutationSpec, mutated: str) -> Outcome:
        compile(mutated, str(module.path), "exec", dont_inherit=True)
        tests = self._tests(module, spec)
        if not tests:
            return Outcome(killed=False, by="no test reaches it")
        seconds = START_SECONDS + TIMES_SLOWER * sum(self.map.seconds[test] for test in tests)
        try:
            return self._run_in_fork(module, mutated, tests, seconds)
        except RunsAtImport:
            if module.is_data:
                raise OnlyData from None
            return run_anew(module, mutated, tests, seconds, self.map.database)

    def _tests(self, module: Module, spec: MutationSpec) -> list[str]:
        line = spec.start_pos[0]
        tests = self.map.tests_at(module, module.statement_lines(line))
        if not tests and (constant := module.assigned_name(line)):
            tests = self.map.tests_at(module, range(len(module.source)))
            for user, at in uses_of(constant, self.source):
                tests |= self.map.tests_at(user, user.statement_lines(at))
        return [test for test in self.map.affordable(tests, module) if test in self.items]

    def _run_in_fork(self, module: Module, mutated: str, tests: list[str], seconds: float) -> Outcome:
        connections.close_all()
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            self._be_child(writer, module, mutated, tests)
        os.close(writer)
        in_time = bool(select.select([reader], [], [], seconds)[0])
        report = os.read(reader, 1000).decode() if in_time else "time is over"
        os.close(reader)
        _end_group(child)
        os.waitpid(child, 0)
        if report == "runs at import":
            raise RunsAtImport
        if not in_time or not report:
            self._empty_database()
        return Outcome(killed=report != "passed", by=report or "the process ended")

    def _be_child(self, writer: int, module: Module, mutated: str, tests: list[str]) -> None:
        os.setsid()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        report = "an error outside of the tests"
        try:
            try:
                patch_functions(module.path, module.source, mutated)
            except RunsAtImport:
                patch_constants(f"partway.{module.name}", module.source, mutated)
            report = self._first_failure([self.items[test] for test in tests]) or "passed"
        except RunsAtImport:
            report = "runs at import"
        finally:
            os.write(writer, report[:1000].encode())
            os._exit(0)

    def _first_failure(self, items: list[pytest.Item]) -> str:
        return next((item.nodeid for item in items if self._fails(item)), "")

    def _fails(self, item: pytest.Item) -> bool:
        # The session as the next "item" keeps the session fixtures and tears down all others.
        reports = runtestprotocol(item, log=False, nextitem=self.session)  # type: ignore[arg-type]
        return any(report.failed for report in reports)

    def _set_up_session_fixtures(self) -> None:
        """Creates the database and starts the sandbox once, so that every fork has them."""

        def with_database(django_db_setup: None) -> None: ...

        def with_sandbox(django_db_setup: None, sandbox_server: object) -> None: ...

        made = set()
        for item in self.items.values():
            fixtures = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
            key = fixtures.get("sandbox_server", fixtures.get("django_db_setup"))
            if key and key[-1] not in made:
                made.add(key[-1])
                function = with_sandbox if "sandbox_server" in fixtures else with_database
                assert not self._fails(pytest.Function.from_parent(item.parent, name="x", callobj=function))

    def _empty_database(self) -> None:
        """Removes the rows of a test that was ended early."""
        from pytest_django.plugin import blocking_manager_key

        with self.session.config.stash[blocking_manager_key].unblock():
            call_command("flush", interactive=False, verbosity=0)
        connections.close_all()


def run_anew(module: Module, mutated: str, tests: list[str], seconds: float, database: str) -> Outcome:
    """Runs the tests in a process that imports the mutated source."""
    with mutated_file(mutated) as text:
        environment = {**test_environment(), "GUARDS_MUTATED": f"{module.path}{os.pathsep}{text}"}
        command = [sys.executable, "-m", "pytest", "-p", "tests.guards.plugin", "-x", "-q", "--no-header"]
        process = subprocess.Popen(
            [*command, f"--database={database}", *tests],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=seconds + START_SECONDS)
        except subprocess.TimeoutExpired:
            _end_group(process.pid)
            process.communicate()
            return Outcome(killed=True, by="time is over")
    failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return Outcome(
        killed=process.returncode != 0, by=(failed or [f"pytest ended with {process.returncode}"])[0]
    )


@contextmanager
def mutated_file(mutated: str) -> Iterator[Path]:
    """Writes the mutated source to a file and returns its path."""
    with tempfile.TemporaryDirectory(prefix="partway-guards-") as folder:
        path = Path(folder, "mutated.py")
        path.write_text(mutated)
        yield path


def _end_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
