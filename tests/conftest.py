"""Settings that all tests share; tests/postgres_plugin.py gives each run its database and its home."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.gateways.stripe_server.client import StandIn, running_stripe
from tests.support.gateways import GATEWAYS, TEST_GATEWAY
from tests.support.sandbox_server import SandboxServer, running_sandbox

# A busy machine is not a defect, so examples have no deadline; CI tries the same examples every time, so that a
# failure can be repeated.
settings.register_profile("partway", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("partway")

# Thousands of tests are objects that stay, and searching them for garbage is a tenth of a run.
gc.disable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs tests with the mark `every_gateway` at each gateway, unless TEST_GATEWAY names the only one."""
    if TEST_GATEWAY == "sandbox" and metafunc.definition.get_closest_marker("every_gateway"):
        metafunc.parametrize("gateway_driver", GATEWAYS, indirect=True)


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
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Runs before the database is created; requests the fixture that names each worker's database."""
    from tests.support.databases import make_tests_quick

    make_tests_quick()
