"""Tests of the checks of payouts (M4, M6)."""

from __future__ import annotations

from typing import Any

import pytest

from partway.billing.models import Alert, Callback, Event, Payment, Payout, PayoutItem, Refund
from partway.lib.clock import now
from tests.billing.verification.corruption import (
    Case,
    delete_events,
    differences_of,
    is_detected,
    overwrite,
    reported_as,
)
from tests.support import personas
from tests.support.personas import payout_item

FIRST = PayoutItem.objects.filter(position=0)
REFUNDED = PayoutItem.objects.filter(kind="refund")
REPORTED = Event.objects.filter(type="payout.reported")

CORRUPTIONS: dict[str, Case] = {
    "another amount": ("M4", "its items come to 19555", overwrite(Payout, amount_minor=1)),
    "another amount of an item": ("M4", "1 less 445 is not 29555", overwrite(FIRST, amount_minor=1)),
    "another currency of an item": ("M4", "EUR in a payout", overwrite(FIRST, currency="EUR")),
    "another amount than the event": (
        "M6",
        "1 USD on",
        overwrite(Payout, amount_minor=1),
    ),
    "another day than the event": ("M6", "on 2020-01-01", overwrite(Payout, arrives_on="2020-01-01")),
    "paid without an event": ("M6", "failed, its events lead to paid", overwrite(Payout, status="failed")),
    "pending although it was paid": (
        "M6",
        "pending, its events lead to paid",
        overwrite(Payout, status="pending"),
    ),
    "payout without an event": (
        "M6",
        "no event begins it",
        reported_as(Payout, delete_events(REPORTED, of="payout")),
    ),
    "item of another checkout": ("M6", "of co_2, but linked to pay_", overwrite(FIRST, checkout_ref="co_2")),
    "item of another refund": ("M6", "of re_2, but linked to ref_", overwrite(REFUNDED, source_ref="re_2")),
}


@pytest.fixture
def paid_out(paid: Payment) -> Payout:
    """$300.00 less $100.00 that were sent back, and $4.45 of fees."""
    Payment.objects.filter(pk=paid.pk).update(checkout_ref="co_1")
    personas.refund_in_dashboard(paid, 10_000)
    payout = personas.pay_out(
        paid.organization,
        payout_item(checkout_ref="co_1"),
        payout_item("refund", -10_000, 0, checkout_ref="co_1", source_ref="re_1"),
    )
    assert differences_of("M4") == differences_of("M6") == set()
    assert REFUNDED.get().refund == Refund.objects.get()
    return payout


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_differences_of_payouts(paid_out: Payout, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_sum_without_alert(paid_out: Payout) -> None:
    wrong = payout_item()
    payout = personas.pay_out(paid_out.organization, wrong, ref="po_2")
    Payout.objects.filter(pk=payout.pk).update(amount_minor=1)
    Alert.objects.create(
        organization=payout.organization,
        kind="payout_does_not_add_up",
        subject=payout.pk,
        created_at=now(),
    )
    assert differences_of("M4") == set()
    Alert.objects.all().delete()
    assert [row for row, _ in differences_of("M4")] == [payout.pk]


@pytest.mark.parametrize("known", [True, False])
def test_verify_finds_processed_callback_without_payout(paid_out: Payout, known: bool) -> None:
    columns: dict[str, Any] = {"received_at": now(), "next_attempt_at": now(), "processed_at": now()}
    ref = paid_out.gateway_ref if known else "po_gone"
    callback = Callback.objects.create(
        gateway_account=paid_out.gateway_account, payout_ref=ref, status="processed", **columns
    )
    found = {(row, message) for row, message in differences_of("P7") if row == callback.pk}
    assert bool(found) != known
