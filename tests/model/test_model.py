"""The product does what the model says for generated acts of members, customers, gateway and worker."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.model import outcome_coverage
from tests.model.conftest import Run
from tests.model.state_machine import OUTCOME_COUNTS

# Each number is a test of its own, so that the processes of a run share them. After a change that leaves a rule unused
# other numbers may be chosen.
NUMBERS = [1, 3, 8]


@pytest.mark.long(30)
@pytest.mark.sampled_on("postgresql", every=3)
@pytest.mark.parametrize("number", NUMBERS)
def test_product_matches_model(run: Run, number: int, shared_folder: Path) -> None:
    """The last test of a complete set asserts that together they have tried every act."""
    OUTCOME_COUNTS.clear()
    run(number)
    print(f"{OUTCOME_COUNTS.total()} acts\n{outcome_coverage.table(OUTCOME_COUNTS)}")
    write_tally(shared_folder / f"tally-{number}.json")
    written = [shared_folder / f"tally-{number}.json" for number in NUMBERS]
    if all(file.exists() for file in written):
        assert outcome_coverage.never_succeeded(sum(map(read_tally, written), Counter())) == []


def write_tally(file: Path) -> None:
    """Writes the counts atomically, because another process may read the file."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps([[act, end, count] for (act, end), count in OUTCOME_COUNTS.items()]))
    unfinished.replace(file)


def read_tally(file: Path) -> outcome_coverage.OutcomeCounts:
    return Counter({(act, end): count for act, end, count in json.loads(file.read_text())})
