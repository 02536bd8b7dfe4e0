"""A stage for races: fresh rows for every round, on the running company."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import Organization
from partway.billing.events import Actor
from tests.billing.races.scenes import staged
from tests.billing.races.tables import Stage
from tests.billing.world import World


@pytest.fixture
def stage(world: World, organization: Organization, alice: Actor, settings: Settings) -> Stage:
    """Sets a scene; one address pays for everybody there."""
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 10_000
    return lambda given: staged(given, world, organization, alice)
