"""Tests of the checks of money that was given back (M3, M6, M8)."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices
from partway.billing.events import Actor
from partway.billing.models import Alert, Allocation, Customer, Event, Invoice, Payment, Refund
from partway.billing.receivables import refunds
from partway.billing.receivables.refunds import OutsideRefund
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.clock import now
from partway.lib.money import Money
from tests.billing.receivables.test_offline_payments import record
from tests.billing.verification.corruption import (
    Case,
    delete_events,
    differences_of,
    duplicate,
    is_detected,
    overwrite,
    reported_as,
    without_constraint,
)
from tests.support import personas

WITHIN = "payment_allocated_within_captured"
SUCCEEDED = Refund.objects.filter(status="succeeded")
REVERSED = Refund.objects.filter(status="reversed")

CORRUPTIONS: dict[str, Case] = {
    "given back below refunds": (
        "M8",
        "given back 59999, refunds 60000",
        overwrite(Payment, refunded_minor=59_999),
    ),
    "given back of a refund that was reversed": (
        "M8",
        "given back 60000, refunds 61000",
        reported_as(Payment, overwrite(REVERSED, status="succeeded")),
    ),
    "negative refund": (
        "M8",
        "-1 USD of pay_",
        without_constraint(Refund, "refund_amount_positive", overwrite(SUCCEEDED, amount_minor=-1)),
    ),
    "another currency than the payment": ("M8", "60000 CAD of pay_", overwrite(SUCCEEDED, currency="CAD")),
    "given back beyond captured": (
        "M3",
        "captured 109999, allocated 50000, given back 60000",
        without_constraint(Payment, WITHIN, overwrite(Payment, captured_minor=109_999)),
    ),
    "given back without money": (
        "M3",
        "failed, but allocated 0, given back 60000",
        without_constraint(
            Payment,
            WITHIN,
            overwrite(
                Payment,
                status="failed",
                captured_minor=None,
                allocated_minor=0,
                issued_by=None,
                issued_to=None,
            ),
        ),
    ),
    "refund without an event": (
        "M6",
        "no event says so",
        reported_as(
            SUCCEEDED,
            delete_events(
                Event.objects.filter(type="refund.succeeded", data__amount_minor=60_000), "payment"
            ),
        ),
    ),
    "another amount than the event": ("M6", "1 of pay_", overwrite(SUCCEEDED, amount_minor=1)),
    "automatic, and not through the gateway": (
        "P3",
        "offline refund of 60000 is automatic",
        without_constraint(
            Refund, "refund_automatic_through_gateway", overwrite(SUCCEEDED, is_automatic=True)
        ),
    ),
    "recorded twice": ("M6", "no event says so", duplicate(SUCCEEDED)),
    "reversed without an event": (
        "M6",
        "reversed, its events lead to another status",
        overwrite(SUCCEEDED, status="reversed"),
    ),
    "succeeded though its event says reversed": (
        "M6",
        "succeeded, its events lead to another status",
        overwrite(REVERSED, status="succeeded"),
    ),
}


@pytest.fixture
def given_back(invoice: Invoice, alice: Actor) -> Payment:
    """$1,100.00 for an invoice of $1,000.00; $600.00 were given back, and $10.00 by mistake."""
    payment = record(invoice, 110_000, alice, keep_rest_as_credit=True)
    for amount_minor in (1_000, 60_000):
        refund = OutsideRefund(Money(amount_minor, "USD"), "Cash", payment.day("UTC"))
        [row] = refunds.record(invoice.customer, refund=refund, payment=payment, by=alice, now=now())
        if amount_minor == 1_000:
            refunds.reverse(row, reason="Typed twice.", by=alice, now=now())
    assert differences_of() == set()
    return payment


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_differences_of_refunds(given_back: Payment, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_refunded_allocation_without_event(given_back: Payment, invoice: Invoice) -> None:
    corruption = reported_as(
        invoice.allocations.filter(cause="refunded"),
        delete_events(Event.objects.filter(type="invoice.payment_refunded"), of="invoice"),
    )
    assert is_detected(("M6", "by refunded: no event says so", corruption))


@pytest.mark.parametrize("is_given_back", [True, False])
def test_verify_finds_deposit_whose_events_say_the_opposite(
    dana: Customer, alice: Actor, is_given_back: bool
) -> None:
    deposit = personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))
    if is_given_back:
        personas.give_back(deposit, 30_000)
    said = f"deposit given back is {not is_given_back}"
    assert is_detected(("M6", said, overwrite(Payment, deposit_given_back=not is_given_back)))


def test_verify_finds_customer_whose_refund_is_uncounted(given_back: Payment) -> None:
    Payment.objects.update(refunded_minor=0)
    assert any(
        "was given back" in message and row.startswith("cus_") for row, message in differences_of("M3")
    )


@pytest.fixture
def at_gateway(paid: Payment) -> Payment:
    """$300.00 online; $350.00 were sent back in the dashboard, $50.00 more than there was, and $10.00 failed."""
    personas.fail_refund(personas.refund_in_dashboard(paid, 1_000, ref="re_1"))
    personas.refund_in_dashboard(paid, 10_000, ref="re_2")
    personas.refund_in_dashboard(paid, 25_000, ref="re_3")
    assert differences_of() == set()
    return paid


LOST = Refund.objects.filter(lost_minor__gt=0)
FAILED = Refund.objects.filter(status="failed")

AT_GATEWAY: dict[str, Case] = {
    "failed though no event says so": (
        "M6",
        "failed, its events lead to another status: succeeded",
        overwrite(LOST, status="failed"),
    ),
    "pending though its event says failed": (
        "M6",
        "pending, its events lead to another status: failed",
        overwrite(FAILED, status="pending"),
    ),
    "lost more than its event says": (
        "M6",
        "5001 is lost, which no event says",
        overwrite(LOST, lost_minor=5_001),
    ),
    "lost without an alert": (
        "M5",
        "5000 of pay_",
        reported_as(LOST, lambda: Alert.objects.filter(kind="refunded_beyond_payment").delete()),
    ),
    "restored beyond what was taken": (
        "M5",
        "but 1 is on invoices",
        reported_as(
            FAILED,
            overwrite(Allocation.objects.filter(cause="restored"), amount_minor=1_001),
        ),
    ),
    "restored though the refund did not fail": (
        "M5",
        "1000 of pay_",
        reported_as(Allocation.objects.filter(cause="restored"), overwrite(FAILED, status="succeeded")),
    ),
    "restored without an event": (
        "M6",
        "by restored: no event says so",
        reported_as(
            Allocation.objects.filter(cause="restored"),
            delete_events(Event.objects.filter(type="invoice.payment_restored"), of="invoice"),
        ),
    ),
    "sent through the gateway without a call": (
        "P4",
        "succeeded, but no call sent it",
        overwrite(LOST, mode="gateway", lost_minor=0),
    ),
}


@pytest.mark.parametrize("what", AT_GATEWAY)
def test_verify_finds_differences_of_refunds_at_gateway(at_gateway: Payment, what: str) -> None:
    assert is_detected(AT_GATEWAY[what])


def test_verify_finds_automatic_refund_that_is_not_said_to_be_one(invoice: Invoice) -> None:
    payment = personas.pending_payment(invoice, 30_000)
    invoices.void(invoice, by=personas.owner_actor(invoice.organization), now=now())
    payment.refresh_from_db()
    captured = Money(30_000, "USD")
    personas.report_state(payment, CheckoutState(CheckoutStatus.CAPTURED, captured, None, "card", "", ""))
    assert is_detected(
        ("P3", "an event says that it is automatic, and it is not", overwrite(Refund, is_automatic=False))
    )
