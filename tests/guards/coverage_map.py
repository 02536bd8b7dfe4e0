"""The lines of the source that each test runs, measured by coverage with a context for each test."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import coverage

from .mutants import ROOT, SOURCE, Module

WORK = ROOT / ".guards"
# The tests of the domain and of the packages below it; a door, as staff, is also tested by its own tests.
TESTS = ("tests/accounts", "tests/billing", "tests/gateways", "tests/lib")
LEFT_OUT = "tests/billing/races"  # its tests are long, and no line depends on them alone
MARKED = {"sqlite": "not browser", "postgresql": "locks"}
# On PostgreSQL all run: few tests are marked for locks, and any of them can be the only one to miss a lock.
MOST_SECONDS = {"sqlite": 60.0, "postgresql": float("inf")}


@dataclass(slots=True)
class CoverageMap:
    """The measurement on one database; a test is named by its pytest node id."""

    database: str
    digests: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    @classmethod
    def load(cls, database: str) -> CoverageMap:
        """Returns the last measurement, or an empty one."""
        file = WORK / f"coverage-{database}.json"
        if not file.exists():
            return cls(database)
        stored = json.loads(file.read_text())
        tests = list(stored["seconds"])
        lines = {
            module: {int(line): [tests[index] for index in indexes] for line, indexes in by_line.items()}
            for module, by_line in stored["lines"].items()
        }
        return cls(database, stored["digests"], stored["seconds"], lines)

    def save(self) -> None:
        """Stores the measurement; each test name is stored once, because each test runs many lines."""
        index = {test: number for number, test in enumerate(self.seconds)}
        lines = {
            module: {line: [index[test] for test in tests] for line, tests in by_line.items()}
            for module, by_line in self.lines.items()
        }
        stored = {"digests": self.digests, "seconds": self.seconds, "lines": lines}
        (WORK / f"coverage-{self.database}.json").write_text(json.dumps(stored))

    def is_current(self, modules: Sequence[Module], tests: Sequence[str]) -> bool:
        """Returns True if neither these modules nor these tests changed since the measurement."""
        stamp = tests_digest(tests)
        return all(self.digests.get(module.name) == f"{module.digest} {stamp}" for module in modules)

    def tests_at(self, module: Module, lines: Sequence[int]) -> set[str]:
        """Returns the tests that run at least one of these lines."""
        by_line = self.lines.get(module.name, {})
        return {test for line in lines for test in by_line.get(line, ())}

    def affordable(self, tests: set[str], module: Module) -> list[str]:
        """Returns the tests that fit into MOST_SECONDS, the module's own first, then the fastest of each file."""
        own = f"/test_{module.name.rpartition('.')[2]}.py::"
        by_file: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda test: (self.seconds[test], test)):
            by_file.setdefault(test.partition("::")[0], []).append(test)
        rank = {test: place for of_file in by_file.values() for place, test in enumerate(of_file)}
        chosen: list[str] = []
        total = 0.0
        for test in sorted(tests, key=lambda test: (own not in test, rank[test], self.seconds[test], test)):
            total += self.seconds[test]
            if chosen and total > MOST_SECONDS[self.database]:
                break
            chosen.append(test)
        return chosen

    def measure(self, modules: Sequence[Module], tests: Sequence[str], processes: int = 0) -> None:
        """Runs the tests once and records the lines they run; leaves out tests known to run none of these modules."""
        is_known = all(module.name in self.lines for module in modules)
        running = {
            test for one in modules for found in self.lines.get(one.name, {}).values() for test in found
        }
        left_out = self.seconds.keys() - running if is_known else set()
        measured = modules if is_known else source_modules()
        with tempfile.TemporaryDirectory(prefix="partway-guards-") as folder:
            Path(folder, "left_out.json").write_text(json.dumps(sorted(left_out)))
            options = [f"--measure={folder}", f"--database={self.database}", "-m", MARKED[self.database]]
            run_pytest([*options, "-n", str(processes), f"--ignore={LEFT_OUT}", *tests])
            self._read(Path(folder), measured)
        self.digests |= {module.name: f"{module.digest} {tests_digest(tests)}" for module in measured}

    def _read(self, folder: Path, modules: Sequence[Module]) -> None:
        for file in folder.glob("seconds-*.json"):
            self.seconds |= json.loads(file.read_text())
        data = coverage.CoverageData(str(folder / "combined"))
        for file in folder.glob("coverage.*"):
            part = coverage.CoverageData(str(file))
            part.read()
            data.update(part)
        for module in modules:
            found = data.contexts_by_lineno(str(module.path))
            self.lines[module.name] = {
                line: [test for test in tests if test in self.seconds] for line, tests in found.items()
            }


def current_map(
    database: str, modules: Sequence[Module], tests: Sequence[str], processes: int
) -> CoverageMap:
    """Returns the current measurement; measures changed files again."""
    WORK.mkdir(exist_ok=True)
    covered = CoverageMap.load(database)
    if not covered.is_current(modules, tests):
        print(f"Measuring which tests run which lines ({database})", flush=True)
        covered.measure(modules, tests, processes)
        covered.save()
    return covered


def tests_of(modules: Sequence[Module]) -> tuple[str, ...]:
    """Returns the folders with the tests of these modules."""
    doors = {f"tests/{module.name.partition('.')[0]}" for module in modules}
    return tuple(sorted({*TESTS, *doors}))


def run_pytest(arguments: Sequence[str]) -> None:
    """Runs pytest with the plugin of the guards; ends the program if a test fails."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.guards.plugin", "-q", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=test_environment(), check=False)
    if done.returncode:
        sys.exit(f"The tests must pass before anything is taken away: pytest ended with {done.returncode}.")


def test_environment() -> dict[str, str]:
    """Returns an environment without pytest's variables, in which Hypothesis repeats its examples."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return {**kept, "CI": "true"}


def tests_digest(tests: Sequence[str]) -> str:
    """Returns a digest that changes with any test and with the choice of tests."""
    digest = hashlib.sha256(repr(sorted(tests)).encode())
    for path in sorted(ROOT.glob("tests/**/*.py")):
        if path.parent.name != "guards":
            digest.update(path.read_bytes())
    return digest.hexdigest()


def uses_of(name: str, modules: Sequence[Module]) -> list[tuple[Module, int]]:
    """Returns the places in the source that use a constant."""
    return [
        (module, node.lineno)
        for module in modules
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Name) and node.id == name)
        or (isinstance(node, ast.Attribute) and node.attr == name)
    ]


def source_modules() -> list[Module]:
    """Returns every module of the source, including those that are not mutated."""
    return [Module(path) for path in sorted(SOURCE.glob("**/*.py"))]
