"""Fixtures of the model tests: the sandbox as a process, and a function that runs the state machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest_django.fixtures import Settings

from tests.model.full_machine import FullMachine
from tests.model.state_machine import CHECKOUTS_PER_LINK
from tests.support.sandbox_server import CallbackReceiver, SandboxServer

# After ten examples Hypothesis mostly varies the earlier ones, and new ones find more here.
BATCH = 9
STEPS = 50

Run = Callable[[int], None]


@pytest.fixture(scope="session")
def callback_receiver() -> Iterator[CallbackReceiver]:
    """Receives the callbacks of the gateway."""
    with CallbackReceiver() as callback_receiver:
        yield callback_receiver


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this pytest run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture
def run(
    transactional_db: None,
    sandbox_server: SandboxServer,
    callback_receiver: CallbackReceiver,
    settings: Settings,
    pytestconfig: pytest.Config,
) -> Run:
    """Runs examples of the machine on the database and the sandbox."""
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": sandbox_server.url}
    settings.PARTWAY_URL = callback_receiver.url.removesuffix("/callbacks")
    settings.PARTWAY_CHECKOUTS_PER_LINK = CHECKOUTS_PER_LINK
    # Members act hundreds of times within seconds; these limits have tests of their own.
    settings.PARTWAY_MAILS_PER_LINK = settings.PARTWAY_MAILS_PER_MEMBER = 100_000
    settings.PARTWAY_MAILS_PER_ORGANIZATION = 100_000
    # The rules are the same on both databases, and each example takes PostgreSQL twice as long.
    batch = BATCH // 3 if pytestconfig.option.split and connection.vendor == "postgresql" else BATCH
    return partial(_run, sandbox_server, callback_receiver, batch)


def _run(sandbox_server: SandboxServer, callback_receiver: CallbackReceiver, batch: int, number: int) -> None:
    """Runs a batch of examples; the same `number` gives the same examples."""
    how = settings(
        max_examples=batch,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )

    @seed(number)
    class Seeded(FullMachine):
        def __init__(self) -> None:
            super().__init__(sandbox_server, callback_receiver)

    run_state_machine_as_test(Seeded, settings=how)
