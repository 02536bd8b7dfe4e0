"""Every object of the stand-in has the fields that Stripe's examples and the SDK's classes have, with their types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandIn
from tests.gateways.stripe_server.conftest import open_sdk, session_params
from tests.gateways.stripe_server.sdk_types import (
    FIELDS,
    differences_from_examples,
    differences_from_sdk,
    fields_of_example,
)

EXAMPLES = Path(__file__).parents[4] / "shared" / "companies" / "stripe-examples.json"

CLASSES = {
    "account": stripe.Account,
    "balance": stripe.Balance,
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "payment_intent": stripe.PaymentIntent,
    "payout": stripe.Payout,
    "refund": stripe.Refund,
    "webhook_endpoint": stripe.WebhookEndpoint,
}


@pytest.fixture(scope="module")
def shown(stand_in: StandIn) -> dict[str, list[dict[str, Any]]]:
    """Returns what the API shows after all that can happen to a payment has happened, by the kind of object."""
    account = stand_in.open_account()
    sdk = open_sdk(account, account.test_key)
    sdk.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["payout.paid"]})
    sdk.v1.checkout.sessions.create(
        session_params(customer_email="a@b.example", cancel_url="http://merchant.test")
    )
    for form in (
        {"number": "4000000000000002"},
        {"number": "4000002500003155"},
        {"number": "5555555555554444"},
        {"number": "4000000000000259"},
        {"number": "4000000000001976"},
        {"method": "us_bank_account", "account": "000111111116"},
        {"method": "us_bank_account", "account": "000123456789"},
        {"method": "us_bank_account", "account": "000555555559"},
        {"method": "link"},
    ):
        account.pay(sdk.v1.checkout.sessions.create(session_params()).url or "", **form)
    account.control("shift_clock", seconds=5 * 86_400)  # the bank debits have their outcome
    for intent in sdk.v1.payment_intents.list({"limit": 100}).data:
        if intent.status == "requires_capture":
            sdk.v1.payment_intents.capture(intent.id)
    for number, charge in enumerate(sdk.v1.charges.list({"limit": 100}).data):
        if charge.captured and not charge.disputed:
            refund = sdk.v1.refunds.create({"charge": charge.id, "amount": 500})
            account.control("settle_refund", id=refund.id, outcome=("failed", "succeeded")[number % 2])
    [payout] = account.control("pay_out")
    for outcome in ("paid", "failed"):
        account.control("settle_payout", id=payout["id"], outcome=outcome)
    return _all_objects(sdk)


def _all_objects(sdk: stripe.StripeClient) -> dict[str, list[dict[str, Any]]]:
    api, params = sdk.v1, {"limit": 100}
    lists: list[Any] = [
        api.checkout.sessions.list(params),  # type: ignore[arg-type]
        api.payment_intents.list(params),  # type: ignore[arg-type]
        api.charges.list(params),  # type: ignore[arg-type]
        api.refunds.list(params),  # type: ignore[arg-type]
        api.disputes.list(params),  # type: ignore[arg-type]
        api.balance_transactions.list(params),  # type: ignore[arg-type]
        api.payouts.list(params),  # type: ignore[arg-type]
        api.events.list(params),  # type: ignore[arg-type]
        api.webhook_endpoints.list(params),  # type: ignore[arg-type]
    ]
    single = [api.accounts.retrieve_current(), api.balance.retrieve()]
    found: dict[str, list[dict[str, Any]]] = {}
    for one in [*single, *(row for each in lists for row in each.data)]:
        found.setdefault(one.object, []).append(one.to_dict())
    return found


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_objects_have_the_fields_of_the_examples(shown: dict[str, list[dict[str, Any]]], kind: str) -> None:
    found = {line for one in shown[kind] for line in differences_from_examples(one, kind)}
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_objects_are_as_the_sdk_describes_them(shown: dict[str, list[dict[str, Any]]], kind: str) -> None:
    found = {line for one in shown[kind] for line in differences_from_sdk(CLASSES[kind], one, kind)}
    assert not found, "\n".join(sorted(found))


@pytest.mark.skipif(not EXAMPLES.exists(), reason="Stripe's examples are not on this machine")
def test_committed_fields_are_those_of_the_examples() -> None:
    examples = json.loads(EXAMPLES.read_text())
    lines = {line for kind, example in examples.items() for line in fields_of_example(example, kind)}
    assert FIELDS.read_text().splitlines() == sorted(lines)


def test_field_that_is_missing_or_of_another_type_is_named() -> None:
    refund = {"amount": "500", "object": "refund"}
    assert {"refund.amount is string and not integer", "refund.currency is missing"} <= set(
        differences_from_examples(refund, "refund")
    )
    assert {"refund.amount is '500' and not <class 'int'>", "refund.currency is missing"} <= set(
        differences_from_sdk(stripe.Refund, refund, "refund")
    )
