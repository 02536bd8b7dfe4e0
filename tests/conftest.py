"""Settings that all tests share; tests/postgres_plugin.py gives each run its database and its home."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from tests.gateways.stripe_server.client import StandIn, running_stripe
from tests.support.gateway_driver import GatewayDriver
from tests.support.gateways import GATEWAYS, TEST_GATEWAY
from tests.support.sandbox_server import CallbackReceiver, SandboxServer, running_sandbox
from tests.support.stripe_driver import StripeDriver

# Each gateway, with the fixture of its server.
DRIVERS: dict[str, tuple[str, type[GatewayDriver]]] = {
    "sandbox": ("sandbox_server", GatewayDriver),
    "stripe": ("stand_in", StripeDriver),
}

# A busy machine is not a defect, so examples have no deadline; CI tries the same examples every time, so that a
# failure can be repeated.
settings.register_profile("partway", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("partway")

# Thousands of tests are objects that stay, and searching them for garbage is a tenth of a run.
gc.disable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs tests with the mark `every_gateway` at each gateway, unless TEST_GATEWAY names the only one."""
    if TEST_GATEWAY == "sandbox" and metafunc.definition.get_closest_marker("every_gateway"):
        # To the database it makes no difference which gateway it is.
        others = [pytest.param(code, marks=pytest.mark.left_to("sqlite")) for code in GATEWAYS[1:]]
        metafunc.parametrize("gateway_code", [GATEWAYS[0], *others], scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        mark = item.get_closest_marker("sandbox_only")
        if mark and TEST_GATEWAY != "sandbox":
            item.add_marker(pytest.mark.skip(reason=mark.args[0]))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """The sandbox as a process, which all tests share, each with an account of its own.

    Bank debits settle when a test says so.
    """
    with running_sandbox(tmp_path_factory.mktemp("sandbox_server")) as sandbox_server:
        yield sandbox_server


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    """The stand-in for Stripe, which all tests share, each with an account of its own."""
    with running_stripe() as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def callback_receiver() -> Iterator[CallbackReceiver]:
    """Receives the callbacks of the gateway; a test passes on those that it needs."""
    with CallbackReceiver() as callback_receiver:
        yield callback_receiver


@pytest.fixture(scope="session")
def gateway_code() -> str:
    """The gateway at which a test runs; the mark `every_gateway` makes it each of them."""
    return TEST_GATEWAY


@pytest.fixture
def partway_url(callback_receiver: CallbackReceiver) -> str:
    """The address to which the gateway sends callbacks."""
    return callback_receiver.url.removesuffix("/callbacks")


@pytest.fixture
def connect_gateway(
    request: pytest.FixtureRequest,
    gateway_code: str,
    callback_receiver: CallbackReceiver,
    partway_url: str,
    settings: Settings,
) -> Callable[[Organization], GatewayDriver]:
    """Returns a function that connects an organization to a new account at the running gateway."""
    fixture, driver = DRIVERS[gateway_code]
    company: Any = request.getfixturevalue(fixture)
    settings.PARTWAY_URL = partway_url
    settings.PARTWAY_GATEWAY_URLS = {gateway_code: company.url}
    return partial(driver.connect, company, callback_receiver)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Runs before the database is created."""
    from tests.support.databases import make_tests_quick, share_migrated_database

    make_tests_quick()
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        share_migrated_database(worker)
