"""The gateway to Stripe, for cards, wallets, bank debits and more in most countries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from partway.lib.texts import gettext_noop

from ..definition import CallbackSetup, GatewayDefinition
from ..protocol import Gateway
from . import connection


def _open(url: str, credentials: Mapping[str, str]) -> Gateway:
    # The SDK takes half a second and 30 MB: only an installation with such an account pays for them, and not at start.
    from .adapter import StripeGateway

    return StripeGateway(url, credentials)


def _create_endpoint(
    url: str, credentials: Mapping[str, str], callback_url: str, now: datetime
) -> dict[str, str]:
    from .endpoint import create_endpoint

    return create_endpoint(url, credentials, callback_url, now)


def _try_out(url: str, api_key: str) -> Iterator[str]:
    from .trial import run

    return run(url, api_key)


STRIPE = GatewayDefinition(
    name="Stripe",
    phrase="Stripe",
    description=gettext_noop("Stripe takes cards, wallets and bank debits in more than 40 countries."),
    open=_open,
    fields=connection.FIELDS,
    callback_setup=CallbackSetup(
        create=_create_endpoint,
        with_secret=connection.with_secret,
        field=connection.SECRET_FIELD,
        steps=connection.STEPS,
        events=connection.EVENT_TYPES,
    ),
    is_test_account=connection.is_test_account,
    permissions=connection.PERMISSIONS,
    trial=_try_out,
    test_card="4242 4242 4242 4242",
    default_url="https://api.stripe.com",
    sample_credentials={"api_key": "sk_test_seed", "signing_secret": f"whsec_{'c2VlZHNl' * 4}"},
)
