"""The gateway to Stripe, for cards, wallets, bank debits and more in most countries."""

from __future__ import annotations

from partway.lib.texts import gettext_noop

from ..definition import CallbackSetup, GatewayDefinition
from ..later import later
from ..platform import PlatformDefinition
from . import connection, requirements

# The SDK takes half a second and 30 MB: only an installation with such an account pays for them, and not at start.
STRIPE = GatewayDefinition(
    name=gettext_noop("Stripe"),
    phrase=gettext_noop("Stripe"),
    description=gettext_noop("Stripe takes cards, wallets and bank debits in more than 40 countries."),
    open=later(f"{__name__}.adapter", "StripeGateway"),
    fields=connection.FIELDS,
    callback_setup=CallbackSetup(
        create=later(f"{__name__}.endpoint", "create_endpoint"),
        with_secret=connection.with_secret,
        field=connection.SECRET_FIELD,
        steps=connection.STEPS,
        events=connection.EVENT_TYPES,
    ),
    is_test_account=connection.is_test_account,
    permissions=connection.PERMISSIONS,
    key_form_url=connection.key_form_url,
    platform=PlatformDefinition(
        create_account=later(f"{__name__}.connected", "create_account"),
        onboarding_url=later(f"{__name__}.connected", "onboarding_url"),
        open=later(f"{__name__}.connected", "open_account"),
        read_callback=later(f"{__name__}.connected", "read_callback"),
        is_connected_by=connection.is_connected,
        is_test_key=connection.is_test_key,
        create_endpoint=later(f"{__name__}.connected", "create_endpoint"),
        countries=requirements.COUNTRIES,
    ),
    words=requirements.words,
    trial=later(f"{__name__}.trial", "run"),
    test_card="4242 4242 4242 4242",
    default_url="https://api.stripe.com",
    sample_credentials={"api_key": "sk_test_seed", "signing_secret": f"whsec_{'c2VlZHNl' * 4}"},
)
