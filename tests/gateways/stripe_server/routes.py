"""The table of the API: each endpoint with its name, its parameters, the permission a restricted key needs, its act."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import accounts, balance, charges, connect, disputes, events, intents, refunds, sessions
from .errors import Json

Act = Callable[..., Json]


@dataclass(frozen=True)
class Route:
    """One endpoint. `name` is that of the SDK's method, `params` a class in `stripe.params`."""

    method: str
    path: str
    name: str
    params: str
    permission: str
    act: Act

    def match(self, method: str, path: str) -> dict[str, str] | None:
        found = (
            re.fullmatch(self.path.replace("{id}", "(?P<id>[^/]+)"), path) if method == self.method else None
        )
        return found.groupdict() if found else None


def _resource(
    name: str, path: str, params: str, permission: str, *endpoints: tuple[str, str, str, Act]
) -> list[Route]:
    """Returns the routes of a resource; the parameters of `list_line_items` are `<params>ListLineItemsParams`."""
    return [
        Route(
            method,
            path + rest,
            f"{name}.{verb}",
            f"{params}{verb.title().replace('_', '')}Params",
            f"{permission}_{'read' if method == 'GET' else 'write'}",
            act,
        )
        for method, rest, verb, act in endpoints
    ]


ROUTES = [
    *_resource(
        *("checkout.sessions", "/v1/checkout/sessions", "checkout.Session", "checkout_session"),
        ("POST", "", "create", sessions.create),
        ("GET", "", "list", sessions.list_sessions),
        ("GET", "/{id}", "retrieve", sessions.retrieve),
        ("POST", "/{id}", "update", sessions.update),
        ("POST", "/{id}/expire", "expire", sessions.expire),
        ("GET", "/{id}/line_items", "list_line_items", sessions.list_line_items),
    ),
    *_resource(
        *("payment_intents", "/v1/payment_intents", "PaymentIntent", "payment_intent"),
        ("GET", "", "list", intents.list_intents),
        ("GET", "/{id}", "retrieve", intents.retrieve),
        ("POST", "", "create", intents.create),
        ("POST", "/{id}/confirm", "confirm", intents.confirm),
        ("POST", "/{id}/capture", "capture", intents.capture),
        ("POST", "/{id}/cancel", "cancel", intents.cancel),
    ),
    *_resource(
        *("charges", "/v1/charges", "Charge", "charge"),
        ("GET", "", "list", charges.list_charges),
        ("GET", "/{id}", "retrieve", charges.retrieve),
    ),
    *_resource(
        # Charges and refunds are one permission.
        *("refunds", "/v1/refunds", "Refund", "charge"),
        ("POST", "", "create", refunds.create),
        ("GET", "", "list", refunds.list_refunds),
        ("GET", "/{id}", "retrieve", refunds.retrieve),
        ("POST", "/{id}", "update", refunds.update),
    ),
    *_resource(
        *("disputes", "/v1/disputes", "Dispute", "dispute"),
        ("GET", "", "list", disputes.list_disputes),
        ("GET", "/{id}", "retrieve", disputes.retrieve),
        ("POST", "/{id}", "update", disputes.update),
        ("POST", "/{id}/close", "close", disputes.close),
    ),
    *_resource(
        "balance", "/v1/balance", "Balance", "balance", ("GET", "", "retrieve", balance.retrieve_balance)
    ),
    *_resource(
        *(
            "balance_transactions",
            "/v1/balance_transactions",
            "BalanceTransaction",
            "balance_transaction_source",
        ),
        ("GET", "", "list", balance.list_transactions),
        ("GET", "/{id}", "retrieve", balance.retrieve_transaction),
    ),
    *_resource(
        *("payouts", "/v1/payouts", "Payout", "payout"),
        ("GET", "", "list", balance.list_payouts),
        ("GET", "/{id}", "retrieve", balance.retrieve_payout),
    ),
    *_resource(
        *("events", "/v1/events", "Event", "event"),
        ("GET", "", "list", events.list_events),
        ("GET", "/{id}", "retrieve", events.retrieve),
    ),
    *_resource(
        *("v2.core.events", "/v2/core/events", "v2.core.Event", "event"),
        ("GET", "/{id}", "retrieve", events.retrieve_thin),
    ),
    *_resource(
        *("webhook_endpoints", "/v1/webhook_endpoints", "WebhookEndpoint", "webhook"),
        ("POST", "", "create", accounts.create_endpoint),
        ("GET", "", "list", accounts.list_endpoints),
        ("GET", "/{id}", "retrieve", accounts.retrieve_endpoint),
        ("POST", "/{id}", "update", accounts.update_endpoint),
        ("DELETE", "/{id}", "delete", accounts.delete_endpoint),
    ),
    *_resource(
        *("accounts", "/v1/account", "Account", "accounts_kyc_basic"),
        ("GET", "", "retrieve_current", accounts.retrieve_own),
        ("GET", "s/{id}", "retrieve", connect.retrieve_account),
        ("GET", "s", "list", connect.list_accounts),
        ("POST", "s", "create", connect.create_account),
    ),
    *_resource(
        *("account_links", "/v1/account_links", "AccountLink", "account_link"),
        ("POST", "", "create", connect.create_link),
    ),
    *_resource(
        *("application_fees", "/v1/application_fees", "ApplicationFee", "application_fee"),
        ("GET", "", "list", connect.list_fees),
        ("GET", "/{id}", "retrieve", connect.retrieve_fee),
    ),
]


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for route in ROUTES:
        found = route.match(method, path)
        if found is not None:
            return route, found
    return None
