"""Contract: `payouts_since` lists every payout that changed, with all that it is made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partway.gateways.protocol import (
    Checkout,
    OutcomeUnknown,
    Payout,
    PayoutItem,
    PayoutItemKind,
    PayoutStatus,
)
from partway.lib.money import Money
from tests.gateways.harnesses import GatewayHarness, wait_for_callback

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def paid(harness: GatewayHarness, amount: Money = Money(12_500, "USD")) -> Checkout:  # noqa: B008 - never changed
    checkout = harness.gateway.start(harness.checkout_request(amount=amount))
    harness.pay(checkout)
    harness.gateway.capture(checkout.ref, amount, f"capture-{checkout.ref}")
    return checkout


def listed(harness: GatewayHarness, since: datetime = LONG_AGO) -> list[Payout]:
    return list(harness.gateway.payouts_since(since))


def entries(payout: Payout) -> list[tuple[str, int, int, int]]:
    return [
        (item.kind, *(money.amount_minor for money in (item.amount, item.fee, item.net)))
        for item in payout.items
    ]


def test_payout_has_payments_and_refunds_with_their_fees(harness: GatewayHarness) -> None:
    checkout = paid(harness)
    refund = harness.gateway.refund(checkout.ref, Money(2_500, "USD"), "refund")
    [ref] = harness.pay_out()
    [payout] = listed(harness)
    assert (payout.ref, payout.status, payout.amount) == (ref, PayoutStatus.PENDING, Money(9_800, "USD"))
    assert entries(payout) == [("payment", 12_500, 200, 12_300), ("refund", -2_500, 0, -2_500)]
    # A gateway says the checkout of an item, or our id of its payment.
    assert {(item.checkout_ref, item.reference) for item in payout.items} in (
        {(checkout.ref, "")},
        {("", "pay_1")},
    )
    assert [item.source_ref for item in payout.items] == ["", refund.ref]


def test_each_currency_is_paid_out_by_itself_and_only_once(harness: GatewayHarness) -> None:
    for amount in (Money(12_500, "USD"), Money(12_500, "JPY"), Money(700, "USD")):
        paid(harness, amount)
    assert len(harness.pay_out()) == 2
    assert harness.pay_out() == []
    amounts = {payout.amount for payout in listed(harness)}
    assert amounts == {Money(12_300 + 665, "USD"), Money(12_300, "JPY")}


def test_balance_below_zero_waits_for_more(harness: GatewayHarness) -> None:
    harness.gateway.refund(paid(harness).ref, Money(12_500, "USD"), "refund")
    assert harness.pay_out() == []
    paid(harness)
    harness.pay_out()
    [payout] = listed(harness)
    assert payout.amount == Money(12_500 - 2 * 200, "USD")


def test_payout_that_fails_is_in_the_next_one(harness: GatewayHarness) -> None:
    paid(harness)
    [ref] = harness.pay_out()
    harness.settle_payout(ref, "paid")
    harness.settle_payout(ref, "failed")
    harness.pay_out()
    failed, again = listed(harness)
    assert (failed.status, again.status) == (PayoutStatus.FAILED, PayoutStatus.PENDING)
    assert entries(again) == [("other", 12_300, 0, 12_300)]


def test_payout_list_has_those_that_changed_since(harness: GatewayHarness) -> None:
    paid(harness)
    [ref] = harness.pay_out()
    between = harness.moment()
    assert listed(harness, between) == []
    harness.settle_payout(ref, "paid")
    [payout] = listed(harness, between)
    assert (payout.ref, payout.status) == (ref, PayoutStatus.PAID)
    assert payout.arrives_on - datetime.now(UTC).date() <= timedelta(days=1)


def test_payout_list_spans_several_pages(harness: GatewayHarness) -> None:
    made = []
    for _ in range(12):
        paid(harness)
        made += harness.pay_out()
    assert [payout.ref for payout in listed(harness)] == made


def test_payout_is_reported_by_a_callback_that_names_it(harness: GatewayHarness) -> None:
    paid(harness)
    [ref] = harness.pay_out()
    harness.settle_payout(ref, "paid")
    received = wait_for_callback(harness, "payout_paid")
    callback = harness.gateway.read_callback(received.body, received.headers)
    assert (callback.payout_ref, callback.checkout_ref) == (ref, "")


@pytest.mark.parametrize("kind", ["error_before", "garbage"])
def test_payout_list_without_readable_response_is_unknown(harness: GatewayHarness, kind: str) -> None:
    harness.inject_fault(kind, act="list_payouts")
    with pytest.raises(OutcomeUnknown):
        listed(harness)
    assert listed(harness) == []


def test_item_in_another_currency_than_its_payout_is_refused() -> None:
    euro, dollar = Money(1, "EUR"), Money(1, "USD")
    item = PayoutItem("be_1", PayoutItemKind.PAYMENT, dollar, euro, dollar)
    with pytest.raises(ValueError, match="another currency"):
        Payout("po_1", PayoutStatus.PAID, dollar, datetime.now(UTC).date(), (item,))
