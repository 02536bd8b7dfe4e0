"""Refunds: in parts and never more than was captured; pending, failed, and refused while a dispute is open."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import pay, pay_and_capture

DAY = 86_400


def balance(sdk: stripe.StripeClient) -> int:
    return sum(row.net for row in sdk.v1.balance_transactions.list({"limit": 100}).data)


def test_refund_takes_from_the_balance_and_keeps_the_fee(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    charge = pay_and_capture(sdk, account)
    refund = sdk.v1.refunds.create({"charge": charge.id, "amount": 2_500, "expand": ["balance_transaction"]})
    transaction = refund.balance_transaction
    assert isinstance(transaction, stripe.BalanceTransaction)
    assert (refund.status, transaction.type, transaction.amount, transaction.fee) == (
        *("succeeded", "refund", -2_500, 0),
    )
    assert balance(sdk) == 12_500 - 200 - 2_500


def test_refunds_never_exceed_what_was_captured(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account)
    sdk.v1.refunds.create({"charge": charge.id, "amount": 12_000})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount") as refused:
        sdk.v1.refunds.create({"charge": charge.id, "amount": 501})
    assert (refused.value.code, refused.value.param) == (None, "amount")
    sdk.v1.refunds.create({"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.refunds.create({"charge": charge.id, "amount": 1})
    assert refused.value.code == "charge_already_refunded"
    assert sdk.v1.charges.retrieve(charge.id).refunded


def test_authorization_is_canceled_and_not_refunded(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    intent = pay(sdk, account)
    with pytest.raises(stripe.InvalidRequestError, match="You must cancel the PaymentIntent"):
        sdk.v1.refunds.create({"payment_intent": intent.id})


def test_declined_payment_has_nothing_to_refund(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    intent = pay(sdk, account, "4000000000000002")
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        sdk.v1.refunds.create({"payment_intent": intent.id})


def test_refund_that_fails_later_returns_its_money(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account, "4000000000005126")
    refund = sdk.v1.refunds.create({"charge": charge.id, "amount": 2_500})
    assert refund.status == "succeeded"
    account.control("shift_clock", seconds=DAY)
    failed = sdk.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    returned = failed.failure_balance_transaction
    assert isinstance(returned, stripe.BalanceTransaction)
    assert (failed.status, failed.failure_reason, returned.amount) == (
        *("failed", "expired_or_canceled_card", 2_500),
    )
    assert balance(sdk) == 12_300
    assert sdk.v1.charges.retrieve(charge.id).amount_refunded == 0
    kinds = [event.type for event in sdk.v1.events.list({"limit": 3}).data]
    assert kinds == ["refund.failed", "charge.refund.updated", "refund.updated"]


def test_refund_can_be_pending_at_first(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account, "4000000000007726")
    refund = sdk.v1.refunds.create({"charge": charge.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    account.control("shift_clock", seconds=DAY)
    assert sdk.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_disputed_charge_cannot_be_refunded(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account, "4000000000000259")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_disputed"


def test_refunded_charge_can_be_disputed(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account)
    sdk.v1.refunds.create({"charge": charge.id})
    account.control("dispute", id=charge.id)
    assert balance(sdk) == -200 - 12_500 - 1_500


@pytest.mark.parametrize(("params", "param"), [({"amount": 0}, "amount"), ({"currency": "eur"}, "currency")])
def test_refund_of_nothing_or_in_another_currency_is_refused(
    sdk: stripe.StripeClient, account: StandInAccount, params: Any, param: str
) -> None:
    charge = pay_and_capture(sdk, account)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.refunds.create({"charge": charge.id, **params})
    assert refused.value.param == param
