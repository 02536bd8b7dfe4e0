"""The balance and its payouts: every movement is a transaction, and a payout lists all that it is made of."""

from __future__ import annotations

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import pay, pay_and_capture


def of_payout(sdk: stripe.StripeClient, payout: str) -> list[tuple[str, int, int]]:
    rows = sdk.v1.balance_transactions.list({"payout": payout, "limit": 100}).data
    return [(row.type, row.amount, row.net) for row in rows][::-1]


def test_payout_lists_its_transactions_and_its_own(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account)
    sdk.v1.refunds.create({"charge": charge.id, "amount": 2_500})
    account.control("pay_out")
    [payout] = sdk.v1.payouts.list().data
    assert (payout.amount, payout.status, payout.automatic) == (9_800, "in_transit", True)
    assert of_payout(sdk, payout.id) == [
        ("charge", 12_500, 12_300),
        ("refund", -2_500, -2_500),
        ("payout", -9_800, -9_800),
    ]


def test_source_of_a_transaction_can_be_expanded(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    charge = pay_and_capture(sdk, account)
    [row] = sdk.v1.balance_transactions.list({"expand": ["data.source"]}).data
    assert isinstance(row.source, stripe.Charge)
    assert row.source.id == charge.id


def test_failed_payout_returns_its_money_to_the_next_one(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    pay_and_capture(sdk, account)
    [first] = account.control("pay_out")
    assert account.control("pay_out") == []
    for outcome in ("paid", "failed"):
        account.control("settle_payout", id=first["id"], outcome=outcome)
    failed = sdk.v1.payouts.retrieve(first["id"])
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    [second] = account.control("pay_out")
    assert of_payout(sdk, second["id"]) == [
        ("payout_failure", 12_300, 12_300),
        ("payout", -12_300, -12_300),
    ]
    kinds = [event.type for event in sdk.v1.events.list({"types": ["payout.*"]}).data]
    assert kinds == ["payout.created", "payout.failed", "payout.paid", "payout.created"]


def test_each_currency_is_paid_out_by_itself(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    for currency in ("usd", "eur"):
        pay_and_capture(sdk, account, currency=currency)
    assert {payout["currency"] for payout in account.control("pay_out")} == {"usd", "eur"}


def test_amount_is_converted_where_the_account_settles_in_another_currency(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    account.control("change_settings", converts={"eur": ["usd", 1.1]})
    pay_and_capture(sdk, account, currency="eur")
    [row] = sdk.v1.balance_transactions.list().data
    assert (row.currency, row.amount, row.fee, row.exchange_rate) == ("usd", 13_750, 220, 1.1)


def test_charge_of_a_debit_is_a_payment(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    intent = pay(sdk, account, method="us_bank_account", account="000123456789")
    account.control("settle", id=intent.id, outcome="succeeded")
    [row] = sdk.v1.balance_transactions.list({"expand": ["data.source"]}).data
    assert (row.type, row.reporting_category, row.source.id[:3]) == ("payment", "charge", "py_")  # type: ignore[union-attr]


def test_balance_below_zero_is_not_paid_out(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    sdk.v1.refunds.create({"charge": pay_and_capture(sdk, account).id})
    assert account.control("pay_out") == []
    pay_and_capture(sdk, account)
    assert [payout["amount"] for payout in account.control("pay_out")] == [12_500 - 2 * 200]


def test_payout_made_by_hand_lists_nothing(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    pay_and_capture(sdk, account)
    payout = account.control("pay_out_by_hand", amount=5_000)
    assert (payout["automatic"], payout["reconciliation_status"]) == (False, "not_applicable")
    with pytest.raises(stripe.InvalidRequestError, match="automatic transfers, not manual"):
        sdk.v1.balance_transactions.list({"payout": payout["id"]})
    assert [row["amount"] for row in account.control("pay_out")] == [12_300 - 5_000]


def test_payout_is_listed_once_it_is_reconciled(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    account.control("change_settings", reconciles_at_once=False)
    pay_and_capture(sdk, account)
    [payout] = account.control("pay_out")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.balance_transactions.list({"payout": payout["id"]})
    assert refused.value.code == "payout_reconciliation_not_ready"
    account.control("reconcile", id=payout["id"])
    assert len(of_payout(sdk, payout["id"])) == 2
    assert sdk.v1.events.list().data[0].type == "payout.reconciliation_completed"
