"""Says at which gateway the tests of billing, the races, the crashes and the model run: the sandbox or another."""

from __future__ import annotations

import os

GATEWAYS = ("sandbox", "stripe")
TEST_GATEWAY = os.environ.get("TEST_GATEWAY", "sandbox")
