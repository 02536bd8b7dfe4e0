"""The harness of each gateway, on a running server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partway.gateways.registry import GATEWAYS
from tests.gateways.harnesses import GatewayHarness, SandboxHarness
from tests.support.sandbox_server import CallbackReceiver


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
