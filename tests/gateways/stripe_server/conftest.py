"""An account of the stand-in, the official SDK on it, and a session that can be paid."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandIn, StandInAccount


@pytest.fixture
def account(stand_in: StandIn) -> StandInAccount:
    return stand_in.open_account()


@pytest.fixture
def sdk(account: StandInAccount) -> stripe.StripeClient:
    return open_sdk(account, account.test_key)


def open_sdk(account: StandInAccount, key: str) -> stripe.StripeClient:
    addresses: Any = {"api": account.stand_in.url}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0)


def session_params(amount: int = 12_500, currency: str = "usd", **changes: Any) -> Any:
    """Returns the parameters of a session that authorizes cards first."""
    line = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Invoice INV-0042"}}
    return {
        "mode": "payment",
        "success_url": "http://merchant.test/paid?session={CHECKOUT_SESSION_ID}",
        "line_items": [{"quantity": 1, "price_data": line}],
        "payment_method_options": {"card": {"capture_method": "manual"}},
        **changes,
    }


def pay(
    sdk: stripe.StripeClient,
    account: StandInAccount,
    /,
    number: str = "4242424242424242",
    *,
    currency: str = "usd",
    **form: str,
) -> stripe.PaymentIntent:
    """Opens a session and submits its page; returns the intent with its charge."""
    session = sdk.v1.checkout.sessions.create(session_params(currency=currency))
    account.pay(session.url or "", number=number, **form)
    expand = {"expand": ["payment_intent.latest_charge"]}
    found = sdk.v1.checkout.sessions.retrieve(session.id, expand).payment_intent  # type: ignore[arg-type]
    assert isinstance(found, stripe.PaymentIntent)
    return found


def pay_and_capture(
    sdk: stripe.StripeClient, account: StandInAccount, /, number: str = "4242424242424242", **form: str
) -> stripe.Charge:
    """Returns the charge of a payment by card that was captured."""
    intent = pay(sdk, account, number, **form)
    captured = sdk.v1.payment_intents.capture(intent.id, {"expand": ["latest_charge"]})
    assert isinstance(captured.latest_charge, stripe.Charge)
    return captured.latest_charge
