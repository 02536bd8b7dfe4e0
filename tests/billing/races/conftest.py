"""Fixtures of the races: new rows for every round, at the running sandbox."""

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
    """Returns a function that creates a scenario; lifts the limits, because all rounds share one address and member."""
    settings.PARTWAY_CHECKOUTS_PER_IP = 10_000
    settings.PARTWAY_MAILS_PER_MEMBER = settings.PARTWAY_MAILS_PER_ORGANIZATION = 100_000
    return lambda given: create_scenario(given, gateway_driver, organization, alice)
