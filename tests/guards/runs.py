"""One run of pytest for `make guards`: where it happens, and what became of a test in it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.postgres_plugin import running_server

from .registry import SOURCE, Guard

# A test that hangs without its guard, as one whose lock is gone may do, says nothing.
PATIENCE_SECONDS = 180

# What a mistake in the list of guards looks like: the code does not run at all, so nothing was tried.
BROKEN = {"ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "NameError"}


@dataclass(frozen=True, slots=True)
class Report:
    """What one phase of a test came to; `error` is the name of what was raised."""

    test: str
    when: str
    outcome: str
    error: str
    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class Run:
    """All reports of a run, and the end of what it printed."""

    reports: list[Report]
    said: str

    def of(self, test: str) -> list[Report]:
        """The phases of one test."""
        return [report for report in self.reports if report.test == test]

    def trouble(self, test: str) -> str:
        """Why this test did not pass; empty when it did."""
        if not self.of(test):
            return f"it did not run: {self.said}"
        return next(
            (f"{one.when} {one.outcome} by {one.error}" for one in self.of(test) if one.outcome != "passed"),
            "",
        )

    def failure(self, test: str) -> str:
        """What was raised when the test failed; empty when it did not."""
        return next((report.error for report in self.of(test) if report.outcome == "failed"), "")

    def loophole(self, test: str) -> str:
        """Why this failure does not show that a guard is held; empty when it does."""
        failures = [report for report in self.of(test) if report.outcome == "failed"]
        if not failures:
            return self.trouble(test) or "it passes without the guard"
        if any(one.when == "setup" or one.error in BROKEN for one in failures):
            return f"nothing was tried: {self.trouble(test)}"
        return ""


class Place:
    """A copy of the source, and databases of its own: one run happens here at a time.

    `migrated` names for each kind of database one that is ready to be copied: migrating takes longer than most tests.
    """

    def __init__(self, folder: Path, server: str, migrated: dict[str, str]) -> None:
        self.folder = folder
        self.source = folder / "src"
        self.server = f"{server}/{folder.name}"
        self.migrated = migrated
        shutil.copytree(SOURCE, self.source)

    @contextmanager
    def without(self, guard: Guard) -> Iterator[None]:
        """The copy lacks this guard for as long as the block lasts."""
        guard.path(self.source).write_text(guard.taken_away())
        try:
            yield
        finally:
            shutil.copy2(guard.path(), guard.path(self.source))

    def run(self, tests: Sequence[str], *options: str, database: str) -> Run:
        """Run these tests on the copy, and read what became of them."""
        outcomes, log = self.folder / "outcomes", self.folder / "log"
        outcomes.write_text("")
        told = (f"--outcomes={outcomes}", f"--database={database}", f"--migrated={self.migrated[database]}")
        self._pytest(log, *told, *options, *tests, patience=PATIENCE_SECONDS + 5 * len(tests))
        reports = [Report(**json.loads(line)) for line in outcomes.read_text().splitlines()]
        assert all(one.source.startswith(str(self.source)) for one in reports), "not the copy was tested"
        return Run(reports, (log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1])

    def _pytest(self, log: Path, *arguments: str, patience: int) -> None:
        """What hangs is ended, together with all that it has started."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.guards.plugin", *arguments]
        with (
            log.open("wb") as file,
            subprocess.Popen(
                command,
                cwd=SOURCE.parent,
                env=self._environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as running,
        ):
            try:
                running.wait(patience)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)

    def _environment(self) -> dict[str, str]:
        # No compiled file is written, so that each stays the one of the source it was copied with.
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "PYTHONPATH": str(self.source),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PARTWAY_TEST_DATABASE_URL": self.server,
        }


class Places:
    """As many places as runs may happen at once."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._free: queue.SimpleQueue[Place] = queue.SimpleQueue()
        for place in places:
            self._free.put(place)

    @contextmanager
    def one(self) -> Iterator[Place]:
        """A place for this thread alone."""
        place = self._free.get()
        try:
            yield place
        finally:
            self._free.put(place)


@contextmanager
def places(many: int) -> Iterator[Places]:
    """So many places, on one PostgreSQL; all of it is gone after the block."""
    with running_server() as url, TemporaryDirectory(prefix="partway-guards-") as name:
        folder, (server, _, database) = Path(name), url.rpartition("/")
        migrate(url, folder)
        migrate(f"sqlite:///{folder}/migrated.sqlite3", folder)
        migrated = {"sqlite": f"{folder}/migrated.sqlite3", "postgresql": database}
        yield Places([Place(folder / f"guards_{number}", server, migrated) for number in range(many)])


def migrate(url: str, home: Path) -> None:
    """Make the tables of this database."""
    told = {"DATABASE_URL": url, "PARTWAY_HOME": str(home)}
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("PARTWAY_", "PG"))}
    command = [sys.executable, "-m", "partway", "migrate"]
    subprocess.run(command, env={**rest, **told}, stdout=subprocess.DEVNULL, check=True)
