"""The company as a process of its own, and how the machine is run on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from pytest_django.fixtures import Settings

from tests.gateways.company import Company, Ear, running
from tests.model.business import Business
from tests.model.machine import CHECKOUTS_PER_LINK

# Beyond ten examples Hypothesis would mostly vary those it has, and fresh ones find more here.
BATCH = 9
STEPS = 50

Run = Callable[[int], None]


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The pretend payment company; bank debits settle when told."""
    with running(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture(scope="session")
def ear() -> Iterator[Ear]:
    """Where the company's callbacks arrive."""
    with Ear() as ear:
        yield ear


@pytest.fixture
def run(transactional_db: None, company: Company, ear: Ear, settings: Settings) -> Run:
    """Run examples of the machine on the real database and the running company."""
    settings.PARTWAY_SANDBOX_URL = company.url
    settings.PARTWAY_URL = ear.url.removesuffix("/callbacks")
    settings.PARTWAY_CHECKOUTS_PER_LINK = CHECKOUTS_PER_LINK
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")  # no example outlives a power cut
    return partial(_run, company, ear)


def _run(company: Company, ear: Ear, number: int) -> None:
    """A batch of examples; the same `number` gives the same ones."""
    how = settings(
        max_examples=BATCH,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )

    @seed(number)
    class Seeded(Business):
        def __init__(self) -> None:
            super().__init__(company, ear)

    run_state_machine_as_test(Seeded, settings=how)
