"""Tests of the checks of disputed money (M3, M5, M6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from partway.billing.events import Actor
from partway.billing.models import Adjustment, Alert, Allocation, Dispute, Event, Mail, Payment
from partway.billing.receivables import dispute_losses
from partway.lib.clock import now
from partway.lib.money import Money
from tests.billing.verification.corruption import (
    Case,
    delete_events,
    differences_of,
    is_detected,
    overwrite,
    reported_as,
    without_constraint,
)
from tests.support import personas

OPEN = Dispute.objects.filter(status="open")
LOST = Dispute.objects.filter(status="lost", lost_minor=0)
BEYOND = Dispute.objects.filter(lost_minor__gt=0)


def delete_opened() -> None:
    """Deletes the events that opened the disputes, with their mails."""
    Mail.objects.filter(kind="dispute_opened").delete()
    delete_events(Event.objects.filter(type="dispute.opened"), "payment")()


CORRUPTIONS: dict[str, Case] = {
    "frozen below open disputes": (
        "M3",
        "frozen 4999, disputes 5000",
        overwrite(Payment, frozen_minor=F("frozen_minor") - 1),
    ),
    "lost below lost disputes": (
        "M3",
        "lost 24999, disputes 25000",
        overwrite(Payment, lost_minor=F("lost_minor") - 1),
    ),
    "frozen beyond captured": (
        "M3",
        "captured 30000, frozen 5001",
        without_constraint(Payment, "payment_frozen_within_captured", overwrite(Payment, frozen_minor=5_001)),
    ),
    "another currency than the payment": ("M3", "15000 CAD of pay_", overwrite(LOST, currency="CAD")),
    "lost beyond the payment though it has money": (
        "M5",
        "is lost, which has money for it",
        reported_as(BEYOND, overwrite(Payment, frozen_minor=0)),
    ),
    "beyond the payment without an alert": (
        "M5",
        "5000 of pay_",
        reported_as(BEYOND, lambda: Alert.objects.filter(kind="disputed_beyond_payment").delete()),
    ),
    "taken off invoices beyond itself": (
        "M5",
        "14999, of which 0 is beyond its payment, but -15000 is on invoices",
        overwrite(LOST, amount_minor=14_999),
    ),
    "settled beyond what it took": (
        "M5",
        "is settled for dis_",
        overwrite(Adjustment, amount_minor=15_001),
    ),
    "opened without an event": (
        "M6",
        "no event says so",
        reported_as(OPEN, delete_opened),
    ),
    "another amount than its event": (
        "M6",
        "14999 USD of pay_",
        overwrite(LOST, amount_minor=14_999),
    ),
    "lost though no event says so": (
        "M6",
        "stored lost, its events lead to open",
        without_constraint(
            Dispute, "dispute_closed_when_decided", overwrite(OPEN, status="lost", closed_at=now())
        ),
    ),
    "beyond the payment by more than its event says": (
        "M6",
        "4999 is beyond its payment, which no event says",
        overwrite(BEYOND, lost_minor=4_999),
    ),
    "another fee than its event": (
        "M6",
        "a fee of 1501 USD, which no event says",
        overwrite(Dispute.objects.filter(fee_minor__gt=0), fee_minor=1_501),
    ),
    "closed at another time than its event": (
        "M6",
        "which no event says",
        overwrite(LOST, closed_at=now() + timedelta(days=9)),
    ),
    "taken off without an event": (
        "M6",
        "by disputed: no event says so",
        reported_as(
            Allocation.objects.filter(cause="disputed"),
            delete_events(Event.objects.filter(type="invoice.payment_lost"), of="invoice"),
        ),
    ),
    "decided without a mail": (
        "D6",
        "dispute.lost without its mail",
        reported_as(
            Event.objects.filter(type="dispute.lost"),
            lambda: Mail.objects.filter(kind="dispute_closed").delete(),
        ),
    ),
}


@pytest.fixture
def disputed(paid: Payment, alice: Actor) -> Payment:
    """$300.00 online: $150.00 and $100.00 are lost, $100.00 more are open, of which $50.00 are beyond the payment."""
    lost = personas.dispute(paid, 15_000, "lost", fee=Money(1_500, "USD"))
    dispute_losses.settle(lost, expected=Money(15_000, "USD"), by=alice, now=now())
    personas.dispute(paid, 10_000, "lost", ref="dp_2")
    personas.dispute(paid, 10_000, ref="dp_3")
    assert differences_of() == set()
    return paid


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_differences_of_disputes(disputed: Payment, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_alert_about_dispute_of_another_payment(disputed: Payment) -> None:
    Alert.objects.filter(kind="dispute_opened").update(subject="dis_0")
    assert any("is about dis_0, which is not its own" in message for _, message in differences_of("P7"))
