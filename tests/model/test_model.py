"""Whatever people, gateways and clocks do, the product does what the model says."""

from __future__ import annotations

import pytest

from tests.model import acts
from tests.model.conftest import Run
from tests.model.machine import TALLY


# Whoever makes a rule dead by a change may choose other numbers.
@pytest.mark.parametrize("numbers", [[2, 3, 4], [6, 7, 8]])
def test_the_product_does_what_the_model_says(run: Run, numbers: list[int]) -> None:
    TALLY.clear()
    for number in numbers:
        run(number)
    print(f"{TALLY.total()} acts\n{acts.table(TALLY)}")
    assert acts.dead(TALLY) == []
