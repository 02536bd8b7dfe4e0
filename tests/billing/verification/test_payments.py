"""Tests of the checks of payments, gateway calls and callbacks (P1 to P7)."""

from __future__ import annotations

import pytest

from partway.accounts.models import Organization
from partway.billing.models import Alert, Callback, Customer, GatewayCall, Payment
from partway.lib.clock import now
from tests.billing.verification.corruption import Case, duplicate, is_detected, overwrite, without_constraint
from tests.support import personas

WAITING = Payment.objects.filter(status="pending")
CAME_IN = Payment.objects.filter(status="succeeded")
UNWANTED = CAME_IN.filter(accepted=False)

CORRUPTIONS: dict[str, Case] = {
    "two payments that are under way": (
        "P1",
        "pending beside an earlier one of inv_",
        without_constraint(Payment, "one_unsettled_payment_per_invoice", duplicate(WAITING)),
    ),
    "processing payment without accepted": (
        "P3",
        "processing, but accepted is not set",
        without_constraint(Payment, "payment_processing_is_decided", overwrite(WAITING, status="processing")),
    ),
    "succeeded payment without accepted": (
        "P3",
        "succeeded, but accepted is not set",
        overwrite(CAME_IN, accepted=None),
    ),
    "unwanted debit without alert": (
        "P3",
        "is being processed unwanted, and no alert was raised",
        overwrite(WAITING, status="processing", accepted=False),
    ),
    "unaccepted payment without alert": ("P3", "no alert was raised", overwrite(CAME_IN, accepted=False)),
    "accepted differs from event": (
        "P3",
        "accepted is True, which no event says",
        overwrite(UNWANTED, accepted=True),
    ),
    "wanted money that counts as unwanted": (
        "P3",
        "accepted is False, which no event says",
        overwrite(CAME_IN, accepted=False),
    ),
    "resolved alert without event": (
        "P3",
        "by “”, which no event says",
        overwrite(Alert, resolved_at=now()),
    ),
    "checkout without start call": ("P4", "no call started", overwrite(CAME_IN, checkout_ref="co_1")),
    "call without previous attempt": ("P4", "start 2 of pay_", overwrite(GatewayCall, attempt=2)),
    "a call answered with nothing": (
        "P4",
        "outcome “in_progress”",
        overwrite(GatewayCall, answered_at=now()),
    ),
    "an answer at no time": (
        "P4",
        "outcome “succeeded”, answered at None",
        overwrite(GatewayCall, outcome="succeeded"),
    ),
    "an unsettled payment that is settled": (
        "P5",
        "pending, settled at 20",
        overwrite(WAITING, settled_at=now()),
    ),
    "a settled payment that is not": (
        "P5",
        "canceled, settled at None",
        overwrite(WAITING, status="canceled"),
    ),
    "a failure without a reason": (
        "P5",
        "failed without a failure code",
        overwrite(WAITING, status="failed", settled_at=now()),
    ),
    "a callback that is done at no time": (
        "P7",
        "processed, processed at None",
        overwrite(Callback, status="processed"),
    ),
    "a callback that waits, and is done": (
        "P7",
        "pending, processed at 20",
        overwrite(Callback, processed_at=now()),
    ),
    "processed callback without payment": (
        "P7",
        "no payment has co_unknown",
        overwrite(Callback, status="processed", processed_at=now()),
    ),
    "a callback that no human sees": (
        "P7",
        "there is no alert about gwa_",
        overwrite(Callback, status="unmatched", processed_at=now()),
    ),
    "alert about another payment": (
        "P7",
        "unwanted_payment is about pay_7, which is not its own",
        overwrite(Alert, subject="pay_7"),
    ),
    "alert about checkout of another organization": (
        "P7",
        "unmatched_callback is about gwa_7:co_7, which is not its own",
        overwrite(Alert, kind="unmatched_callback", payment=None, subject="gwa_7:co_7"),
    ),
}


@pytest.fixture
def callback(organization: Organization) -> Callback:
    """A callback about a checkout that is not ours, and that is not processed yet."""
    account, at = organization.gateway_accounts.get(), now()
    return Callback.objects.create(
        gateway_account=account,
        event_id="evt_1",
        checkout_ref="co_unknown",
        received_at=at,
        next_attempt_at=at,
    )


@pytest.fixture
def call(waiting: Payment) -> GatewayCall:
    """The start call of the pending payment, without an outcome."""
    return GatewayCall.objects.create(payment=waiting, operation="start", attempt=1, started_at=now())


@pytest.fixture
def alerted(paid: Payment, call: GatewayCall, callback: Callback) -> None:
    """A succeeded payment, a pending one, and an unaccepted one with an alert."""
    Organization.objects.update(payments_enabled=False)
    personas.captured_payment(personas.sent_invoice(paid.invoice.customer), 10_000)


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_payment_differences(alerted: None, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_two_unsettled_payments_of_one_deposit(waiting: Payment, dana: Customer) -> None:
    Payment.objects.filter(pk=waiting.pk).update(
        invoice=None, payment_request=None, quote=personas.accept_quote(personas.sent_quote(dana))
    )
    corruption = without_constraint(Payment, "one_unsettled_payment_per_quote", duplicate(WAITING))
    assert is_detected(("P1", "pending beside an earlier one of quo_", corruption))
