"""The harness of each gateway, on a running server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partway.gateways.registry import GATEWAYS
from tests.gateways.harnesses import GatewayHarness, SandboxHarness, StripeHarness
from tests.support.sandbox_server import CallbackReceiver, SandboxServer, running_sandbox


@pytest.fixture
def callback_receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as callback_receiver:
        yield callback_receiver


@pytest.fixture(params=sorted(GATEWAYS))
def harness(request: pytest.FixtureRequest, callback_receiver: CallbackReceiver) -> GatewayHarness:
    harnesses = {
        "sandbox": lambda: SandboxHarness(request.getfixturevalue("sandbox_server"), callback_receiver),
        "stripe": lambda: StripeHarness(request.getfixturevalue("stand_in"), callback_receiver),
    }
    return harnesses[request.param]()


@pytest.fixture(scope="session")
def quick_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """A sandbox of its own, where what takes a few seconds takes none."""
    with running_sandbox(tmp_path_factory.mktemp("quick-sandbox"), settle_after=0) as sandbox_server:
        yield sandbox_server


@pytest.fixture
def quick_harness(quick_sandbox: SandboxServer, callback_receiver: CallbackReceiver) -> GatewayHarness:
    """The harness of the gateway whose cards and accounts are disputed by themselves."""
    return SandboxHarness(quick_sandbox, callback_receiver)
