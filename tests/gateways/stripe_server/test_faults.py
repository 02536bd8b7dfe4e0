"""The faults of the line and of money that a test can inject, and requests that meet each other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import pay, pay_and_capture, session_params
from tests.gateways.stripe_server.faults import KINDS


@pytest.mark.parametrize(
    ("kind", "error", "captured"),
    [
        ("server_error", stripe.APIError, False),
        ("error_after_success", stripe.APIError, True),
        ("bad_gateway", stripe.APIError, False),
        ("rate_limited", stripe.RateLimitError, False),
        ("lock_timeout", stripe.RateLimitError, False),
        ("dropped", stripe.APIConnectionError, True),
        ("garbage", stripe.APIError, True),
    ],
)
def test_fault_of_the_line_says_nothing_of_what_happened(
    sdk: stripe.StripeClient,
    account: StandInAccount,
    kind: str,
    error: type[stripe.StripeError],
    captured: bool,
) -> None:
    intent = pay(sdk, account)
    account.inject(kind, on="payment_intents.capture")
    with pytest.raises(error):
        sdk.v1.payment_intents.capture(intent.id)
    assert (sdk.v1.payment_intents.retrieve(intent.id).status == "succeeded") == captured


def test_hanging_response_comes_late_for_what_happened_at_once(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    intent = pay(sdk, account)
    account.inject("hang", on="payment_intents.capture", delay=0.2)
    began = time.monotonic()
    sdk.v1.payment_intents.capture(intent.id)
    assert time.monotonic() - began >= 0.2


def test_response_can_lack_fields_however_deep_they_are(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    pay_and_capture(sdk, account)
    account.inject("without", on="payment_intents.list", fields=["balance_transaction"])
    params: Any = {"expand": ["data.latest_charge"]}
    [intent] = sdk.v1.payment_intents.list(params).data
    assert not hasattr(intent.latest_charge, "balance_transaction")
    [intent] = sdk.v1.payment_intents.list(params).data
    assert hasattr(intent.latest_charge, "balance_transaction")


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("capture_other_amount", {"delta": -300}, (12_200, "usd")),
        ("capture_other_currency", {"currency": "jpy"}, (12_500, "jpy")),
    ],
)
def test_other_money_can_be_taken_than_was_asked(
    sdk: stripe.StripeClient,
    account: StandInAccount,
    kind: str,
    details: dict[str, object],
    expected: tuple[int, str],
) -> None:
    intent = pay(sdk, account)
    account.inject(kind, **details)
    captured = sdk.v1.payment_intents.capture(intent.id)
    assert (captured.amount_received, captured.currency) == expected


def test_capture_can_come_after_another_ones(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    intent = pay(sdk, account)
    account.inject("capture_too_late")
    with pytest.raises(stripe.InvalidRequestError, match="already been captured"):
        sdk.v1.payment_intents.capture(intent.id)
    assert sdk.v1.payment_intents.retrieve(intent.id).amount_received == 12_500


def test_refund_can_be_pending_or_refused(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account)
    account.inject("refund_pending")
    refund = sdk.v1.refunds.create({"charge": charge.id, "amount": 500})
    assert refund.status == "pending"
    account.inject("refund_refused")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.refunds.create({"charge": charge.id, "amount": 500})
    assert refused.value.code == "charge_not_refundable"
    assert account.control("settle_refund", id=refund.id, outcome="succeeded")["status"] == "succeeded"


def test_concurrent_captures_take_the_money_once(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    intent = pay(sdk, account)
    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(sdk.v1.payment_intents.capture, intent.id, {}, {"idempotency_key": f"k{number}"})
    assert len(sdk.v1.balance_transactions.list().data) == 1


def test_fault_hits_one_account_and_is_used_up(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    another = account.stand_in.open_account()
    another.inject("server_error")
    assert sdk.v1.charges.list().data == []
    account.inject("server_error", on="*.create", count=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            sdk.v1.checkout.sessions.create(session_params())
    assert sdk.v1.checkout.sessions.create(session_params())
    account.inject("server_error")
    account.control("clear_faults")
    assert sdk.v1.charges.list().data == []


def test_unknown_fault_is_refused(account: StandInAccount) -> None:
    assert "earthquake" not in KINDS
    with pytest.raises(AssertionError, match="No such fault"):
        account.inject("earthquake")
