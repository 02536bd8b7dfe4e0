"""Acts of customers, of the dashboard and of other applications at the stand-in, for the tests of Stripe's adapter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from partway.gateways.protocol import Checkout
from partway.lib.money import Money
from tests.gateways.harnesses import StripeHarness

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FULL = Money(12_500, "USD")


def authorized(harness: StripeHarness, **changes: Any) -> Checkout:
    checkout = harness.gateway.start(harness.checkout_request(**changes))
    harness.pay(checkout)
    return checkout


def paid(harness: StripeHarness, **changes: Any) -> Checkout:
    checkout = authorized(harness, **changes)
    harness.gateway.capture(checkout.ref, changes.get("amount", FULL), f"capture-{checkout.ref}")
    return checkout


def sent(harness: StripeHarness, name: str) -> list[dict[str, Any]]:
    """Returns the parameters of the requests to an endpoint, by the name of the SDK's method."""
    return [one["params"] for one in harness.account.control("requests") if one["name"] == name]


def call(harness: StripeHarness, method: str, path: str, **form: str) -> dict[str, Any]:
    """Calls the API as the dashboard, or another application on the same account, would."""
    headers = {"Authorization": f"Bearer {harness.account.test_key}"}
    url = f"{harness.stand_in.url}/v1/{path}"
    response = harness.stand_in.client.request(method, url, headers=headers, data=form or None)
    assert response.is_success, response.text
    return dict(response.json())


def intent_of(harness: StripeHarness, checkout: Checkout) -> str:
    return str(call(harness, "GET", f"checkout/sessions/{checkout.ref}")["payment_intent"])
