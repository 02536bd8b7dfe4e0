"""Reads the tables of races and plays them: one round for every stop point that the first act passes.

    ## resend × cancel

    | given asked                  | resend | cancel   | mails            |
    |------------------------------|--------|----------|------------------|
    | event payment_request.resent | resent | canceled | dropped, dropped |

The head names what is given, the act that is held, the act that runs meanwhile, and facts. A row says what both acts
answered and what is left when the first was held at the stop point of that row or at a later one, until the next row:
so no stop point is ever left out. A row that ends in (sqlite) or (postgresql) is for that database alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.db import connection

from tests.billing.races.acts import ACTS
from tests.billing.races.interleaving import Failpoint, run_interleaved
from tests.billing.races.observations import OBSERVATIONS, result_cell, run_worker_to_completion
from tests.billing.races.scenarios import RaceScenario
from tests.support import failpoints

ScenarioFactory = Callable[[str], RaceScenario]  # sets a scene on which something is given
Cells = tuple[str, ...]
Outcomes = dict[str, Cells]  # by the stop point at which the first act was held


@dataclass(frozen=True)
class Race:
    """One table."""

    pair: str
    given: str
    first: str
    second: str
    facts: Cells
    rows: Outcomes

    def __str__(self) -> str:
        return f"{self.given}: {self.first}, then {self.second}"

    def played(self, scenario_factory: ScenarioFactory) -> Outcomes:
        """What it comes to, stop point by stop point, each time on rows of its own."""
        alone = scenario_factory(self.given)
        passed = failpoints.failpoints_passed(lambda: ACTS[self.first](alone))
        return {
            label: self._round(scenario_factory(self.given), stop)
            for label, stop in labeled_failpoints(passed).items()
        }

    def _round(self, scenario: RaceScenario, at: Failpoint) -> Cells:
        first, second = (partial(ACTS[name], scenario) for name in (self.first, self.second))
        answers = run_interleaved(first, second, at=at)
        run_worker_to_completion()
        return (
            result_cell(answers.first),
            result_cell(answers.second),
            *(OBSERVATIONS[name](scenario) for name in self.facts),
        )

    def expected(self, passed: list[str]) -> Outcomes:
        """What the table says for each of these stop points; every row must begin at one, in their order."""
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
        """Whether a row is for one database alone."""
        return any(label.endswith(")") for label in self.rows)

    def _rows_here(self) -> Iterator[tuple[str, Cells]]:
        for label, cells in self.rows.items():
            name, _, database = label.partition(" (")
            if database in ("", f"{connection.vendor})"):
                yield name, cells


def labeled_failpoints(names: list[str]) -> dict[str, Failpoint]:
    """Each stop point by the name that rows call it: a commit by what it commits last, the second of a name by 2."""
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
    """The races of one file, each with the pair under whose heading it stands."""
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
    assert len(kept) == len(rows), f"two rows begin at the same stop point: {table}"
    return Race(pair, given.removeprefix("given "), first, second, tuple(facts), kept)


HERE = Path(__file__).parent
RACES = [race for file in sorted(HERE.glob("*.md")) for race in races_of(file)]
