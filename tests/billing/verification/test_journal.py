"""Tests of the checks of the journal: unbalanced history, amounts that its end contradicts, closings without events."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import QuerySet

from partway.billing.documents import invoices, quotes
from partway.billing.events import Actor
from partway.billing.journal import closing
from partway.billing.models import Allocation, Closing, Customer, Event, Invoice, Payment, Refund
from partway.billing.receivables import credit
from partway.gateways.protocol import RefundStatus
from partway.lib.clock import now, today
from tests.billing.verification.corruption import (
    Case,
    Corruption,
    differences_of,
    is_detected,
    overwrite,
    reported_as,
)
from tests.support import personas


def change_event(events: QuerySet[Event], *path: str, value: object) -> Corruption:
    """Overwrites a part of the data of the first of these events."""

    def corruption() -> str:
        event = events.order_by("pk")[0]
        part = event.data
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = value
        event.save(update_fields=["data"])
        return event.pk

    return corruption


SENT = Event.objects.filter(type="invoice.sent")
EDITED = Event.objects.filter(type="invoice.edited", invoice__sent_at__isnull=False)
CLOSED = Event.objects.filter(type="organization.journal_closed")
STARTED = Event.objects.filter(type="refund.reported")
REFUNDED = Payment.objects.filter(refunds__mode="dashboard")
OF_DEPOSIT = Allocation.objects.filter(cause="deposit")
OF_DISPUTE = Event.objects.filter(type="dispute.lost")
DEPOSIT = Payment.objects.filter(quote__isnull=False)
RELEASED = Allocation.objects.filter(cause="released")
GIVEN_BACK = Refund.objects.filter(mode="offline", payment__quote__isnull=True)
PARTLY_PAID = Invoice.objects.filter(amount_paid_minor=10_000)

CORRUPTIONS: dict[str, Case] = {
    "earlier version that its total contradicts": (
        "M6",
        "is off by",
        reported_as(SENT, change_event(EDITED, "before", "discount_minor", value=1)),
    ),
    "earlier total that its lines contradict": (
        "M6",
        "is off by",
        change_event(SENT, "total_minor", value=99_999),
    ),
    "payment that exceeds its invoice for some days": (
        "M6",
        "the journal says that -5000 is due on",
        reported_as(Invoice, change_event(EDITED, "total_minor", value=5_000)),
    ),
    "invoice that is paid by more than was applied": (
        "M6",
        "10001 is on credit, the journal says 10000",
        overwrite(PARTLY_PAID, amount_paid_minor=10_001),
    ),
    "invoice that less is due on than was billed": (
        "M6",
        "79999 is on receivables, the journal says 80000",
        overwrite(PARTLY_PAID, amount_paid_minor=10_001),
    ),
    "invoice that was written off without an event": (
        "M6",
        "80000 is on write_offs, the journal says 0",
        overwrite(PARTLY_PAID, status="written_off"),
    ),
    "deposit that no invoice took": (
        "M6",
        "the journal says -30000 and 30000",
        reported_as(DEPOSIT, overwrite(OF_DEPOSIT, cause="credit")),
    ),
    "credit that was given back before it arose": (
        "M6",
        "the journal says that -10000 is on credit on",
        reported_as(
            Payment.objects.filter(refunds__in=GIVEN_BACK),
            overwrite(RELEASED, created_at=now() + timedelta(days=5)),
        ),
    ),
    "deposit that was taken, and given back, before it came": (
        "M6",
        "the journal says that -30000 is on deposits on",
        overwrite(
            DEPOSIT, created_at=now() + timedelta(days=5), paid_on=today(now(), "UTC") + timedelta(days=5)
        ),
    ),
    "dispute that its event says took less": (
        "M6",
        "0 is credit and 0 waits, the journal says 1 and 0",
        reported_as(
            Payment.objects.filter(disputes__isnull=False),
            change_event(OF_DISPUTE, "amount_minor", value=4_999),
        ),
    ),
    "pending refund that its events do not know": (
        "M6",
        "20000 is under way back, the journal says 0",
        reported_as(REFUNDED, change_event(STARTED, "refund", value="ref_x")),
    ),
    "refund under way that ended without an event": (
        "M6",
        "0 is under way back, the journal says 20000",
        reported_as(REFUNDED, overwrite(Refund.objects.pending(), status="succeeded")),
    ),
    "closing that no event says": (
        "M6",
        "which no event says",
        reported_as(Closing, change_event(CLOSED, "closing", value="cls_x")),
    ),
}


@pytest.fixture
def damaged(dana: Customer, alice: Actor) -> None:
    """An invoice that was edited, one that took a deposit, credit given back, a refund under way, and a closing."""
    invoice = personas.sent_invoice(dana)
    personas.edit_invoice(invoice, 90_000)
    personas.record_check(invoice, 10_000)
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    invoices.send(quotes.create_invoice(quote, by=alice, now=now()), by=alice, now=now())
    personas.give_back(deposit, 1)
    paid_online = personas.captured_payment(personas.sent_invoice(dana), 60_000)
    personas.refund_in_dashboard(paid_online, 20_000, status=RefundStatus.PENDING)
    overpaid = personas.sent_invoice(dana)
    check = personas.record_check(overpaid, 10_000)
    credit.deallocate(overpaid, check, by=alice, now=now())
    personas.give_back(check, 10_000)
    personas.dispute(personas.captured_payment(personas.sent_invoice(dana), 10_000), 5_000, "lost")
    yesterday = today(now(), dana.organization.time_zone) - timedelta(days=1)
    closing.close(dana.organization, through=yesterday, by=alice, now=now())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_verify_detects_corruption_of_journal(damaged: None, name: str) -> None:
    assert is_detected(CORRUPTIONS[name])


def test_verify_passes_over_credit_that_was_given_back_around_midnight(damaged: None) -> None:
    overwrite(RELEASED, created_at=now() + timedelta(hours=23))()
    assert not [message for _row, message in differences_of("M6") if "the journal says" in message]
