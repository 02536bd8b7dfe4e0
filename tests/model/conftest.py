"""Fixtures of the model tests: a function that opens it at the gateway, and one that runs the state machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest_django.fixtures import Settings

from tests.model.full_machine import FullMachine
from tests.model.state_machine import CHECKOUTS_PER_LINK, Connect
from tests.support.sandbox_server import CallbackReceiver

# After ten examples Hypothesis mostly varies the earlier ones, and new ones find more here.
BATCH = 9
IN_SPLIT_RUN = {"sqlite": 3, "postgresql": 1}
STEPS = 50

NewMachine = Callable[[], FullMachine]
Run = Callable[[int], None]


@pytest.fixture
def new_machine(
    transactional_db: None, connect_gateway: Connect, callback_receiver: CallbackReceiver, settings: Settings
) -> NewMachine:
    """Returns a function that empties the database and opens a machine on it and on the gateway."""
    settings.PARTWAY_CHECKOUTS_PER_LINK = CHECKOUTS_PER_LINK
    # Members act hundreds of times within seconds; these limits have tests of their own.
    settings.PARTWAY_MAILS_PER_LINK = settings.PARTWAY_MAILS_PER_MEMBER = 100_000
    settings.PARTWAY_MAILS_PER_ORGANIZATION = 100_000

    def new_machine() -> FullMachine:
        callback_receiver.received.clear()
        return FullMachine(connect_gateway)

    return new_machine


@pytest.fixture
def run(new_machine: NewMachine, pytestconfig: pytest.Config) -> Run:
    """Runs examples of the machine: with --split a few, because `make soak` runs as many as there is time for."""
    batch = IN_SPLIT_RUN[connection.vendor] if pytestconfig.option.split else BATCH
    return partial(_run, new_machine, batch)


def _run(new_machine: NewMachine, batch: int, number: int) -> None:
    """Runs a batch of examples; the same `number` gives the same examples."""
    how = settings(
        max_examples=batch,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(new_machine), settings=how)
