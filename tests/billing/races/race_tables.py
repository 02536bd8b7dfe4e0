"""Reads the race tables and runs them: one round for each failpoint that the first act passes.

    ## resend × cancel

    | given open request           | resend | cancel   | mails            |
    |------------------------------|--------|----------|------------------|
    | event payment_request.resent | resent | canceled | dropped, dropped |

The head names the scenario, the act that is held, the act that runs meanwhile, and observations. A row has the results
of both acts and the observations when the first was held at the failpoint of that row or at a later one, until the
next row, so every failpoint is covered. A row that ends in (sqlite) or (postgresql) is for that database alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path

from django.db import connection

from tests.billing.races.acts import ACTS
from tests.billing.races.interleaving import ActThreads, Failpoint, run_interleaved
from tests.billing.races.observations import OBSERVATIONS, result_cell, run_worker_to_completion
from tests.billing.races.scenarios import RaceScenario
from tests.support import failpoints

ScenarioFactory = Callable[[str], RaceScenario]  # creates a scenario by its name
Cells = tuple[str, ...]
Outcomes = dict[str, Cells]  # by the failpoint at which the first act was held

_PASSED: dict[tuple[str, str], list[str]] = {}  # the failpoints of an act alone, by its scenario and its name


@dataclass(frozen=True)
class Race:
    """One race table."""

    pair: str
    given: str
    first: str
    second: str
    facts: Cells
    rows: Outcomes

    def __str__(self) -> str:
        return f"{self.given}: {self.first}, then {self.second}"

    def failpoints_of_first_act(self, scenario_factory: ScenarioFactory) -> dict[str, Failpoint]:
        """Returns the failpoints that the first act passes when it runs alone, by the labels of the rows."""
        # Several tables begin with the same act in the same scenario.
        if (self.given, self.first) not in _PASSED:
            alone = scenario_factory(self.given)
            _PASSED[self.given, self.first] = failpoints.failpoints_passed(lambda: ACTS[self.first](alone))
        return labeled_failpoints(_PASSED[self.given, self.first])

    def sample(self, labels: list[str], offset: int = 0) -> list[str]:
        """Returns the labels of the first and the last failpoint of each row, and one in sixteen of those between."""
        begins = set(dict(self._rows_here()))
        return [
            label
            for number, (label, following) in enumerate(zip_longest(labels, labels[1:]))
            if label in begins or following is None or following in begins or (number + offset) % 16 == 0
        ]

    def play(self, scenario_factory: ScenarioFactory, at: dict[str, Failpoint]) -> Outcomes:
        """Returns the outcome for each failpoint at which the first act is held, each in a scenario of its own."""
        with ActThreads() as threads:
            return {
                label: self._round(scenario_factory(self.given), point, threads)
                for label, point in at.items()
            }

    def _round(self, scenario: RaceScenario, at: Failpoint, threads: ActThreads) -> Cells:
        first, second = (partial(ACTS[name], scenario) for name in (self.first, self.second))
        result = run_interleaved(first, second, at=at, threads=threads)
        run_worker_to_completion()
        return (
            result_cell(result.first),
            result_cell(result.second),
            *(OBSERVATIONS[name](scenario) for name in self.facts),
        )

    def expected(self, passed: list[str]) -> Outcomes:
        """Returns the outcome in the table for each failpoint; each row must begin at one of them, in their order."""
        rows = dict(self._rows_here())
        assert [label for label in passed if label in rows] == list(rows), f"{self} passes {passed}"
        assert passed[0] in rows, f"{self} has no row for “{passed[0]}”"
        outcomes: Outcomes = {}
        cells: Cells = ()
        for label in passed:
            cells = rows.get(label, cells)
            outcomes[label] = cells
        return outcomes

    @property
    def depends_on_database(self) -> bool:
        """Returns whether a row is for one database alone."""
        return any(label.endswith(")") for label in self.rows)

    def _rows_here(self) -> Iterator[tuple[str, Cells]]:
        for label, cells in self.rows.items():
            name, _, database = label.partition(" (")
            if database in ("", f"{connection.vendor})"):
                yield name, cells


def labeled_failpoints(names: list[str]) -> dict[str, Failpoint]:
    """Returns each failpoint by its label: a commit by what it commits last, a second pass with the suffix 2."""
    found: dict[str, Failpoint] = {}
    times: Counter[str] = Counter()
    written = ""
    for at, name in enumerate(names):
        kind, _, what = name.partition(" ")
        written = {"event": what, "call": name, "mail": name}.get(kind, written)
        label = f"{name} of {written}" if what == "commit" and written else name
        times[label] += 1
        marked = label if times[label] == 1 else f"{label} {times[label]}"
        found[marked] = Failpoint(name, names[: at + 1].count(name))
        written = "" if name == "after commit" else written
    return found


def races_of(file: Path) -> Iterator[Race]:
    """Yields the races of one file, each with the pair in the heading above it."""
    pair = ""
    for block in file.read_text().split("\n\n"):
        assert block.startswith("|") or "\n|" not in block, (
            f"an empty line is missing before a table: {block}"
        )
        if block.startswith("## "):
            pair = block.removeprefix("## ").strip()
        elif block.startswith("|"):
            yield _race(pair, block)


def _race(pair: str, table: str) -> Race:
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()
    ]
    assert {len(row) for row in rows} == {len(head)}, f"its rows and its head differ: {table}"
    given, first, second, *facts = head
    kept = {label: tuple(cells) for label, *cells in rows}
    assert len(kept) == len(rows), f"two rows begin at the same failpoint: {table}"
    return Race(pair, given.removeprefix("given "), first, second, tuple(facts), kept)


HERE = Path(__file__).parent
RACES = [race for file in sorted(HERE.glob("*.md")) for race in races_of(file)]
