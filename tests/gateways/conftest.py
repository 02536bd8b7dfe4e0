"""The harness of each gateway, on a running server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partway.gateways.registry import GATEWAYS
from tests.gateways.harnesses import GatewayHarness, SandboxHarness
from tests.support.sandbox_server import CallbackReceiver, SandboxServer, running_sandbox


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox_server")) as sandbox_server:
        yield sandbox_server


@pytest.fixture
def callback_receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as callback_receiver:
        yield callback_receiver


@pytest.fixture(params=sorted(GATEWAYS))
def harness(request: pytest.FixtureRequest, callback_receiver: CallbackReceiver) -> GatewayHarness:
    harnesses = {
        "sandbox": lambda: SandboxHarness(request.getfixturevalue("sandbox_server"), callback_receiver)
    }
    return harnesses[request.param]()
