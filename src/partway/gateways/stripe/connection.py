"""The connection form of Stripe, its permissions, events and secrets; without the SDK, which takes half a second."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from partway.lib.texts import gettext_noop

from ..definition import CredentialField

# Where a secret is replaced, Stripe may still deliver what it signed with the one before.
_OVERLAP = timedelta(days=1)
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{16,120}")

FIELDS = (
    CredentialField(
        "api_key",
        gettext_noop("Secret or restricted key"),
        help=gettext_noop(
            "In Stripe under Developers → API keys; a restricted key is enough. One that begins with sk_test_ or "
            "rk_test_ moves no money, one with sk_live_ or rk_live_ does."
        ),
        starts_with=("sk_live_", "sk_test_", "rk_live_", "rk_test_"),
    ),
)

# As Stripe's form of a restricted key names them in November 2026, with their ids, which the form takes in its address
# (0066 says from where). `endpoint.check` tries each. Everything else can stay at None.
ACCOUNTS, WEBHOOKS = "Accounts: Read", "Webhook Endpoints, Event Destinations: Write"
_IDS = {
    "Checkout Sessions: Write": "checkout_session_write",
    "Payment Intents: Write": "payment_intent_write",
    "Charges and Refunds: Write": "charge_write",
    "Payment Disputes: Read": "dispute_read",
    "Balance Transaction Sources: Read": "balance_transaction_source_read",
    "Payouts: Read": "payout_read",
    "Events: Read": "event_read",
    ACCOUNTS: "connected_account_read",
    WEBHOOKS: "webhook_write",
}
PERMISSIONS = tuple(_IDS)


def key_form_url(live: bool) -> str:
    """Returns the address of Stripe's form of a restricted key, with its name and the permissions chosen."""
    query = [("name", "Partway"), *(("permissions[]", f"rak_{permission}") for permission in _IDS.values())]
    return f"https://dashboard.stripe.com/{'' if live else 'test/'}apikeys/create?{urlencode(query)}"


# The types of events that the endpoint is created with, and no other: each one that arrives is asked about.
# Of a checkout; each names a session, or an object whose session Stripe is asked for.
CHECKOUT_EVENT_TYPES = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.processing",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
PAYOUT_EVENT_TYPES = ("payout.paid", "payout.failed")
EVENT_TYPES = (*CHECKOUT_EVENT_TYPES, *PAYOUT_EVENT_TYPES, "account.updated")

SECRET_FIELD = CredentialField("secret", gettext_noop("Signing secret of the endpoint (whsec_…)"))
STEPS = (
    gettext_noop("In Stripe open Developers → Webhooks and add an endpoint, for events on your own account."),
    gettext_noop("As its URL paste the address below."),
    gettext_noop("Choose exactly the events below, and the newest API version that it offers."),
    gettext_noop("Save it, let it show the signing secret, and paste that here."),
)


def is_test_account(credentials: Mapping[str, str]) -> bool:
    """Returns whether the key is one of the test mode; of a platform's account, whether it was made in that mode."""
    return credentials["mode"] == "test" if is_connected(credentials) else is_test_key(credentials["api_key"])


def is_connected(credentials: Mapping[str, str]) -> bool:
    """Returns whether the account was connected by the operator's platform, whose key opens it."""
    return "connected_account" in credentials


def is_test_key(key: str) -> bool:
    """Returns whether a secret or restricted key is one of the test mode."""
    return not key.startswith(("sk_live_", "rk_live_"))


def with_secret(credentials: Mapping[str, str], secret: str, now: datetime) -> dict[str, str]:
    """Returns the credentials with another signing secret; raises ValueError for text that is none.

    What was signed with the one before is accepted for one more day: `webhooks.signing_secrets`.
    """
    if not _SECRET.fullmatch(secret):
        raise ValueError("not a signing secret")
    before = credentials.get("signing_secret", "")
    if not before or before == secret:
        return {**credentials, "signing_secret": secret}
    until = (now + _OVERLAP).isoformat()
    replaced = {"previous_signing_secret": before, "previous_until": until}
    return {**credentials, **replaced, "signing_secret": secret}
