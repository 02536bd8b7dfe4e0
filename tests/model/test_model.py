"""Whatever people, gateways and clocks do, the product does what the model says."""

from __future__ import annotations

import pytest

from tests.model import outcome_coverage
from tests.model.conftest import Run
from tests.model.state_machine import OUTCOME_COUNTS


# Whoever makes a rule dead by a change may choose other numbers.
@pytest.mark.parametrize("numbers", [[2, 3, 4], [6, 7, 8]])
def test_the_product_does_what_the_model_says(run: Run, numbers: list[int]) -> None:
    OUTCOME_COUNTS.clear()
    for number in numbers:
        run(number)
    print(f"{OUTCOME_COUNTS.total()} acts\n{outcome_coverage.table(OUTCOME_COUNTS)}")
    assert outcome_coverage.never_succeeded(OUTCOME_COUNTS) == []
