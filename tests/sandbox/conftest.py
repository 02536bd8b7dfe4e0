"""A running sandbox, a merchant with an account there, and an unpaid checkout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.merchant_client import Merchant
from tests.support.sandbox_server import CallbackReceiver, SandboxServer


@pytest.fixture
def callback_receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as callback_receiver:
        yield callback_receiver


@pytest.fixture
def merchant(sandbox_server: SandboxServer, callback_receiver: CallbackReceiver) -> Merchant:
    return Merchant(sandbox_server, callback_receiver)


@pytest.fixture
def checkout(merchant: Merchant) -> dict[str, Any]:
    return merchant.start()


@pytest.fixture
def page(checkout: dict[str, Any]) -> str:
    return str(checkout["url"])
