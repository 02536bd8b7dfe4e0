"""A stage for races: fresh rows for every round, on the running company."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.events import Actor
from tests.billing.races.race_tables import ScenarioFactory
from tests.billing.races.scenarios import create_scenario
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def scenario_factory(
    gateway_driver: GatewayDriver, organization: Organization, alice: Actor, settings: Settings
) -> ScenarioFactory:
    """Sets a scene; one address pays for everybody there."""
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 10_000
    return lambda given: create_scenario(given, gateway_driver, organization, alice)
