"""Runs the model test for an hour instead of a minute, with new examples; `make soak` runs it on both databases.

pytest does not collect this file by itself. SOAK_MINUTES says for how long, SOAK_SEED where to begin.
"""

from __future__ import annotations

import os
import secrets
import time

import pytest

from tests.model import outcome_coverage
from tests.model.conftest import BATCH, Run
from tests.model.state_machine import OUTCOME_COUNTS

# After so many acts every outcome must have occurred a few times.
ENOUGH_ACTS, LEAST = 20_000, 3


def test_product_matches_model_for_a_long_time(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs new examples until the time is over; a mismatch ends the run and prints the acts that led to it."""
    until = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "1"))
    first = number = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**9))
    while number == first or time.monotonic() < until:
        with capsys.disabled():
            print(f"seed {number}: {OUTCOME_COUNTS.total()} acts so far", flush=True)
        run(number)
        number += 1
    examples = (number - first) * BATCH
    seldom = outcome_coverage.seldom(OUTCOME_COUNTS, LEAST)
    with capsys.disabled():
        print(f"\n{OUTCOME_COUNTS.total()} acts in {examples} examples, seeds {first} to {number - 1}")
        print(outcome_coverage.table(OUTCOME_COUNTS))
        print("Seldom: " + ("; ".join(seldom) or "nothing"))
    assert OUTCOME_COUNTS.total() < ENOUGH_ACTS or not seldom
