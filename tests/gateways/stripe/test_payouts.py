"""Payouts of Stripe: entries that are known later or never, whole units of some currencies, and one that is broken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.gateways.protocol import OutcomeUnknown, Payout, PayoutItemKind, PayoutStatus
from partway.gateways.stripe.amounts import payout_step
from partway.lib.money import Money
from tests.gateways.harnesses import StripeHarness
from tests.gateways.stripe.acts import LONG_AGO, paid


def assert_adds_up(payout: Payout) -> None:
    assert payout.amount.amount_minor == sum(item.net.amount_minor for item in payout.items)
    assert all(item.amount - item.fee == item.net for item in payout.items)


def test_payout_is_listed_when_stripe_knows_its_entries(stripe_harness: StripeHarness) -> None:
    account, gateway = stripe_harness.account, stripe_harness.gateway
    paid(stripe_harness)
    account.control("change_settings", reconciles_at_once=False)
    [ref] = stripe_harness.pay_out()
    assert list(gateway.payouts_since(LONG_AGO)) == []
    since = stripe_harness.moment()
    account.control("reconcile", id=ref)
    [payout] = gateway.payouts_since(since)
    assert payout.ref == ref
    assert_adds_up(payout)


def test_payout_that_stripe_never_reconciles_is_listed_without_its_entries(
    stripe_harness: StripeHarness,
) -> None:
    account = stripe_harness.account
    account.control("change_settings", reconciles_at_once=False)
    paid(stripe_harness)
    account.control("shift_clock", seconds=-15 * 86_400)
    [ref] = stripe_harness.pay_out()
    account.control("shift_clock", seconds=15 * 86_400)
    # As read each hour, with its overlap: older than the list goes back, and no event speaks of it.
    since = stripe_harness.moment() - timedelta(days=7)
    [payout] = stripe_harness.gateway.payouts_since(since)
    assert (payout.ref, [item.kind for item in payout.items]) == (ref, [PayoutItemKind.OTHER])
    assert_adds_up(payout)
    account.control("reconcile", id=ref)
    [payout] = stripe_harness.gateway.payouts_since(since)
    assert [item.kind for item in payout.items] == [PayoutItemKind.PAYMENT]


def test_payout_that_was_asked_for_by_hand_has_one_entry(stripe_harness: StripeHarness) -> None:
    paid(stripe_harness)
    ref = stripe_harness.account.control("pay_out_by_hand", amount=5_000)["id"]
    since = stripe_harness.moment()
    stripe_harness.settle_payout(ref, "canceled")
    [payout] = stripe_harness.gateway.payouts_since(since)
    assert (payout.status, payout.amount) == (PayoutStatus.FAILED, Money(5_000, "USD"))
    assert [(item.kind, item.net) for item in payout.items] == [(PayoutItemKind.OTHER, payout.amount)]


def test_payout_that_cannot_be_read_does_not_hide_the_others(stripe_harness: StripeHarness) -> None:
    for _ in range(2):
        paid(stripe_harness)
        good = stripe_harness.pay_out()
    stripe_harness.account.inject("without", on="balance_transactions.list", fields=["net"])
    payouts = stripe_harness.gateway.payouts_since(LONG_AGO)
    assert [next(payouts).ref] == good
    with pytest.raises(OutcomeUnknown):
        next(payouts)


@pytest.mark.parametrize("currency", ["HUF", "TWD"])
def test_part_of_a_unit_that_is_not_paid_out_waits_in_the_balance(
    stripe_harness: StripeHarness, currency: str
) -> None:
    assert (payout_step(currency), payout_step("USD")) == (100, 1)
    rests = []
    for _ in range(2):
        paid(stripe_harness, amount=Money(1_234_511, currency))
        stripe_harness.pay_out()
        *_, payout = stripe_harness.gateway.payouts_since(LONG_AGO)
        assert payout.amount.amount_minor % 100 == 0
        assert_adds_up(payout)
        rests.append(payout.items[-1].net.amount_minor)
    # 12,169.77 after the fee each: 0.77 is kept, and then less of it.
    assert rests[0] < 0 < rests[0] + 100
    assert [item.kind for item in payout.items] == [PayoutItemKind.PAYMENT, PayoutItemKind.OTHER]
