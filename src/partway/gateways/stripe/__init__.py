"""The gateway to Stripe, for cards, wallets, bank debits and more in most countries."""

from __future__ import annotations

from collections.abc import Mapping

from partway.lib.texts import gettext_noop

from ..definition import CredentialField, GatewayDefinition
from ..protocol import Gateway


def _open(url: str, credentials: Mapping[str, str]) -> Gateway:
    # The SDK takes half a second and 30 MB: only an installation with such an account pays for them, and not at start.
    from .adapter import StripeGateway

    return StripeGateway(url, credentials)


STRIPE = GatewayDefinition(
    name="Stripe",
    phrase="Stripe",
    description=gettext_noop("Stripe takes cards, wallets and bank debits in more than 40 countries."),
    open=_open,
    fields=(
        CredentialField(
            "api_key",
            gettext_noop("Secret or restricted key"),
            help=gettext_noop(
                "In Stripe under Developers → API keys. A key of the test mode moves no money."
            ),
        ),
        CredentialField("signing_secret", gettext_noop("Signing secret of the webhook endpoint")),
    ),
    default_url="https://api.stripe.com",
    sample_credentials={"api_key": "sk_test_seed", "signing_secret": f"whsec_{'c2VlZHNl' * 4}"},
)
