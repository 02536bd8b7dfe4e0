"""Shows that a test fails when a guard is removed: `make guards`, or `python -m tests.guards`.

    constraints    each is dropped from the database around the test marked for it, which must then fail
    mutants        the code is changed in one place, and a test that reaches that place must then fail

Arguments narrow the run: `make guards ARGS="allocations money"` runs the mutants of the modules with these in their
names, `ARGS=constraints` drops the constraints, `ARGS=locks` only takes locks away. Killed mutants are kept between
runs as long as their file is unchanged.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkItem, WorkResult

from .accepted import accepted, report
from .coverage_map import (
    MARKED,
    TESTS,
    WORK,
    CoverageMap,
    current_map,
    run_pytest,
    test_environment,
    tests_of,
)
from .mutants import ROOT, Module, Name, modules, name_of

DATABASES = ("sqlite", "postgresql")


def main() -> int:
    """Runs the mutants and constraints that the arguments select; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make guards", description=__doc__, formatter_class=_Raw)
    parser.add_argument("words", nargs="*", help="parts of module names, `constraints` or `locks`")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    parser.add_argument(
        "--tests", action="append", help="only these tests, a file or a folder (default: all)"
    )
    parser.add_argument("--processes", type=int, default=2, help="how many run at once (default: 2)")
    chosen = parser.parse_args()
    if chosen.fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    parts = tuple(word for word in chosen.words if word not in ("constraints", "locks"))
    if not chosen.words or "constraints" in chosen.words:
        drop_constraints()
    if chosen.words == ["constraints"]:
        return 0
    found = modules(parts)
    if not found:
        sys.exit("No module has such a name.")
    only_locks = "locks" in chosen.words
    return run_mutants(found, chosen.tests or tests_of(found), chosen.processes, only_locks=only_locks)


class _Raw(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def drop_constraints() -> None:
    """Drops each constraint around its test, on both databases; ends the program if no test fails for one."""
    for database in DATABASES:
        run_pytest(["--without-constraints", f"--database={database}", "-m", "guards_constraint", *TESTS])


def run_mutants(
    chosen: Sequence[Module], tests: Sequence[str], processes: int, *, only_locks: bool = False
) -> int:
    """Runs the mutants of these modules, compares survivors with the accepted ones, and returns the exit code."""
    began = time.monotonic()
    items = [(module, item) for module in chosen for item in module.work_items()]
    on_postgresql = [one for one in items if is_lock(*one)]
    if only_locks:
        items, results = on_postgresql, {}
    else:
        current_map("sqlite", chosen, tests, processes)
        results = run_items("sqlite", [one for one in items if one not in on_postgresql], tests, processes)
    # PostgreSQL locks single rows, so mutants that survive on SQLite are tried there too.
    covered = current_map("postgresql", chosen, tests, processes)
    left = [one for one in items if not is_killed(results.get(one[1].job_id)) and is_covered(covered, *one)]
    results |= run_items("postgresql", left, tests, processes)
    survivors: dict[Name, str] = {}
    for module, item in items:
        result = results.get(item.job_id)
        if not is_killed(result):
            name = name_of(module, item.mutations[0], module.mutated(item.mutations[0]))
            survivors[name] = (result and result.output) or "no test marked for locks runs it"
    print(f"\n{len(items)} mutants, {len(survivors)} survived, {time.monotonic() - began:.0f} s")
    return report(survivors, accepted(), [] if only_locks else [module.name for module in chosen])


def is_killed(result: WorkResult | None) -> bool:
    """Returns True if a test failed, or if the mutant is not valid Python."""
    return result is not None and result.test_outcome in (TestOutcome.KILLED, TestOutcome.INCOMPETENT)


def is_lock(module: Module, item: WorkItem) -> bool:
    """Returns True for a mutant that removes a lock; SQLite has no row locks."""
    spec = item.mutations[0]
    if not spec.operator_name.endswith(("/RemoveLock", "/RemoveChainedCall")):
        return False
    name = name_of(module, spec, module.mutated(spec))
    locks = (".locked(", ".lock(", ".select_for_update(")
    return any(name.before.count(lock) > name.after.count(lock) for lock in locks)


def is_covered(covered: CoverageMap, module: Module, item: WorkItem) -> bool:
    """Returns True if a test runs the statement of this mutant."""
    return bool(covered.tests_at(module, module.statement_lines(item.mutations[0].start_pos[0])))


def run_items(
    database: str, items: Sequence[tuple[Module, WorkItem]], tests: Sequence[str], processes: int
) -> dict[str, WorkResult]:
    """Runs those of these mutants that were not killed before; returns the result of each by its id."""
    by_module: dict[Module, list[WorkItem]] = {}
    for module, item in items:
        by_module.setdefault(module, []).append(item)
    sessions = {module: WORK / f"{module.name}-{database}.sqlite" for module in by_module}
    for module, path in sessions.items():
        with use_db(str(path), WorkDB.Mode.create) as work:
            killed = {job: result for job, result in work.results if is_killed(result)}
            work.clear()
            work.add_work_items(by_module[module])
            for item in by_module[module]:
                if item.job_id in killed:
                    work.set_result(item.job_id, killed[item.job_id])
    start_workers(database, list(sessions.values()), tests, processes)
    results: dict[str, WorkResult] = {}
    for path in sessions.values():
        with use_db(str(path), WorkDB.Mode.open) as work:
            results |= dict(work.results)
    return results


def start_workers(database: str, sessions: Sequence[Path], tests: Sequence[str], processes: int) -> None:
    """Runs the pending mutants of the sessions in several processes, and waits for them."""
    pending = 0
    for path in sessions:
        with use_db(str(path), WorkDB.Mode.open) as work:
            pending += work.num_work_items - work.num_results
    print(f"{pending} mutants to run on {database}", flush=True)
    if not pending:
        return
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.guards.plugin",
        "-q",
        "-s",
        "-m",
        MARKED[database],
    ]
    options = [f"--database={database}", f"--mutants={','.join(map(str, sessions))}", *tests]
    shares = [f"--share={number}/{processes}" for number in range(processes)]
    running = [
        subprocess.Popen([*command, share, *options], cwd=ROOT, env=test_environment()) for share in shares
    ]
    try:
        ended = [process.wait() for process in running]
    finally:
        for process in running:
            process.send_signal(signal.SIGINT)  # so that pytest tears down its fixtures
    if any(code not in (0, 5) for code in ended):
        sys.exit(f"A pytest that ran mutants ended with {ended}.")


if __name__ == "__main__":
    sys.exit(main())
