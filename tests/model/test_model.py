"""The product does what the model says: for generated acts, and for each act once."""

from __future__ import annotations

import pytest

from tests.model import outcome_coverage
from tests.model.conftest import NewMachine, Run
from tests.model.every_act import try_every_act
from tests.model.state_machine import OUTCOME_COUNTS
from tests.support.gateways import TEST_GATEWAY


# Each number is a test of its own, so that the processes of a run share them.
@pytest.mark.long(30)
@pytest.mark.sampled_on("sqlite", every=3)
@pytest.mark.sampled_on("postgresql", every=3)
@pytest.mark.parametrize("number", [1, 3, 8])
def test_product_matches_model(run: Run, number: int) -> None:
    OUTCOME_COUNTS.clear()
    run(number)
    print(f"{OUTCOME_COUNTS.total()} acts\n{outcome_coverage.table(OUTCOME_COUNTS)}")


@pytest.mark.long(10)
@pytest.mark.every_gateway
@pytest.mark.sampled_on("sqlite", every=2)
@pytest.mark.left_to("sqlite")  # the generated acts above run on PostgreSQL too, and `make soak` for an hour
def test_product_matches_model_for_each_act(new_machine: NewMachine, gateway_code: str) -> None:
    OUTCOME_COUNTS.clear()
    is_sample = gateway_code != TEST_GATEWAY
    try_every_act(new_machine(), at_gateway_only=is_sample)
    assert is_sample or outcome_coverage.never_succeeded(OUTCOME_COUNTS) == []
