"""The harness of Stripe by itself, for tests of what only its adapter does."""

from __future__ import annotations

import pytest

from tests.gateways.harnesses import StripeHarness
from tests.gateways.stripe_server.client import StandIn
from tests.support.sandbox_server import CallbackReceiver


@pytest.fixture
def stripe_harness(stand_in: StandIn, callback_receiver: CallbackReceiver) -> StripeHarness:
    return StripeHarness(stand_in, callback_receiver)
