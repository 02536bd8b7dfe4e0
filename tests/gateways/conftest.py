"""The stage of every gateway, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partway.gateways.registry import GATEWAYS
from tests.gateways.company import Company, Ear, running
from tests.gateways.stages import SandboxStage, Stage


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with running(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear() as ear:
        yield ear


@pytest.fixture(params=sorted(GATEWAYS))
def stage(request: pytest.FixtureRequest, ear: Ear) -> Stage:
    stages = {"sandbox": lambda: SandboxStage(request.getfixturevalue("company"), ear)}
    return stages[request.param]()
