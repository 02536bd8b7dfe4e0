"""Takes each guard away and shows that its one test then fails: `python -m tests.guards`, or `make guards`.

First every named test runs with its guard, and must pass. Then it runs without it, a constraint dropped from the
database or a text replaced in a copy of the source, and must fail: by what the test says, not because nothing could
be imported any more. Prints the list, and exits with 1 when a guard is not held.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

from .registry import Guard, guards, trouble
from .runs import Places, Run, places

AT_ONCE = 2
DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one guard: why it is not held, or what its test raised without it, and how long that took."""

    guard: Guard
    loophole: str
    raised: str
    seconds: float


def main() -> int:
    """Try the guards, print each as it is known, and answer the exit code."""
    parser = argparse.ArgumentParser(prog="make guards", description="Shows that each guard bites.")
    parser.add_argument("-k", default="", metavar="NAME", help="only guards with this in their name")
    wanted = parser.parse_args().k
    chosen = [guard for guard in guards() if wanted in guard.name]
    moved = [words for guard in chosen if (words := trouble(guard))]
    if moved:
        sys.exit("\n".join(moved))
    began, not_held = time.monotonic(), []
    with places(AT_ONCE) as free, ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            for trial in trials(chosen, free, threads):
                print(line(trial, chosen), flush=True)
                not_held += [trial.guard.name] if trial.loophole else []
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    print(f"\n{len(chosen)} guards, {len(not_held)} not held, {time.monotonic() - began:.0f} s")
    print("".join(f"NOT HELD: {name}\n" for name in not_held), end="")
    return 1 if not_held or not chosen else 0


def trials(chosen: list[Guard], free: Places, threads: Executor) -> Iterator[Trial]:
    """Every guard on every database where it matters, in the order of the list."""

    def begin(database: str, *options: str) -> Future[Run]:
        mine = [one for one in chosen if database in one.databases and not (options and one.file)]
        return threads.submit(together, free, mine, *options, database=database)

    with_guard = {database: begin(database) for database in DATABASES}
    dropped = {database: begin(database, "--without-constraints") for database in DATABASES}
    replaced = {guard.name: threads.submit(apart, free, guard) for guard in chosen if guard.file}
    for guard in chosen:
        before = [with_guard[database].result().trouble(guard.test) for database in guard.databases]
        without = [dropped[database].result() for database in guard.databases]
        yield judged(guard, before, replaced[guard.name].result() if guard.file else without)


def together(free: Places, chosen: list[Guard], *options: str, database: str) -> Run:
    """The tests of many guards in one run."""
    tests = list(dict.fromkeys(guard.test for guard in chosen))
    with free.one() as place:
        return place.run(tests, *options, database=database) if tests else Run([], "no test")


def apart(free: Places, guard: Guard) -> list[Run]:
    """The test of a guard of the code without it, on each database where it matters."""
    with free.one() as place, place.without(guard):
        return [place.run([guard.test], database=database) for database in guard.databases]


def judged(guard: Guard, before: list[str], runs: list[Run]) -> Trial:
    """Held when the test passes with the guard and fails without it, everywhere."""
    loopholes = [f"with the guard already: {trouble}" for trouble in before if trouble]
    loopholes += [loophole for run in runs if (loophole := run.loophole(guard.test))]
    raised = ", ".join(dict.fromkeys(run.failure(guard.test) for run in runs))
    seconds = sum(report.seconds for run in runs for report in run.of(guard.test))
    return Trial(guard, "; ".join(loopholes), raised, seconds)


def line(trial: Trial, chosen: list[Guard]) -> str:
    """One row: does it bite, seconds, guard, what it protects, its test and what that raises; what is wrong, below."""
    guard = trial.guard
    names, protects = (max(len(getattr(one, column)) for one in chosen) for column in ("name", "protects"))
    word = "NOT HELD" if trial.loophole else "bites"
    test = f"{guard.test.removeprefix('tests/')}  {trial.raised}"
    row = f"{word:<9}{trial.seconds:5.1f} s  {guard.name:<{names}}  {guard.protects:<{protects}}  {test}"
    return f"{row}\n         {trial.loophole}" if trial.loophole else row


if __name__ == "__main__":
    sys.exit(main())
