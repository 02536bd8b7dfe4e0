"""Accounts of businesses that the operator's account connects: making one, leading its owner, and its callbacks.

Stripe calls it Connect. An account made here belongs to the business: Stripe asks it for what is required, it pays
Stripe's fees, bears its losses and has Stripe's dashboard. Payments are direct charges, made on that account by the
operator's key and the header `Stripe-Account`, which `client_for` sends with every request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import stripe

from ..platform import Onboarding, Platform, PlatformCallback
from ..protocol import BadCallback, Gateway
from . import webhooks
from .adapter import StripeGateway
from .client import calling, client_for
from .connection import EVENT_TYPES, is_test_key
from .reading import text

# Of an account that a platform connects, beside those of every account.
DEAUTHORIZED = "account.application.deauthorized"


def create_account(url: str, platform: Platform, business: Onboarding) -> dict[str, str]:
    """Makes an account that belongs to the business, and returns its credentials; raises Refused, OutcomeUnknown."""
    params: Any = {
        "country": business.country,
        "email": business.email,
        "business_profile": {"name": business.name},
        # The business, and not the operator, pays Stripe and bears disputes; Stripe asks it for what is required.
        "controller": {
            "fees": {"payer": "account"},
            "losses": {"payments": "stripe"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "full"},
        },
    }
    options: Any = {"idempotency_key": business.key}
    with calling():
        made = client_for(url, platform.key).v1.accounts.create(params, options).to_dict()
        mode = "test" if is_test_key(platform.key) else "live"
        return {"connected_account": text(made["id"]), "mode": mode}


def onboarding_url(
    url: str, platform: Platform, credentials: Mapping[str, str], return_url: str, refresh_url: str
) -> str:
    """Returns a link to Stripe's pages for this account; raises Refused, OutcomeUnknown."""
    params: Any = {
        "account": credentials["connected_account"],
        "type": "account_onboarding",
        "return_url": return_url,
        "refresh_url": refresh_url,
    }
    with calling():
        return text(client_for(url, platform.key).v1.account_links.create(params).url, max_length=2000)


def read_callback(
    platform: Platform, body: bytes, headers: Mapping[str, str], now: datetime
) -> PlatformCallback:
    """Verifies the signature over the raw `body` by the platform's secrets; raises BadCallback."""
    if not platform.secrets:
        raise BadCallback("the operator has set no signing secret of the platform")
    event = webhooks.read_event(body, headers, platform.secrets, now)
    return PlatformCallback(event.sender, event.is_live, event.callback)


def open_account(url: str, platform: Platform, credentials: Mapping[str, str]) -> Gateway:
    """Returns the gateway of a connected account; makes no call."""
    secret = next(iter(platform.secrets), "")
    return StripeGateway(url, {**credentials, "api_key": platform.key, "platform_secret": secret})


def create_endpoint(url: str, platform: Platform, callback_url: str) -> str:
    """Makes the endpoint for the events of all connected accounts, and returns its signing secret.

    Stripe tells the secret only once. Raises Refused, OutcomeUnknown.
    """
    params: Any = {
        "url": callback_url,
        "enabled_events": [*EVENT_TYPES, DEAUTHORIZED],
        "api_version": stripe.api_version,
        "connect": True,
        "description": "Partway, all organizations",
    }
    with calling():
        made = client_for(url, platform.key).v1.webhook_endpoints.create(params).to_dict()
        return text(made["secret"])
