"""Tests of the checks that compare statuses, amounts and times with events (M6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from partway.billing.documents import invoices, quotes
from partway.billing.models import (
    Allocation,
    Callback,
    Customer,
    Event,
    GatewayCall,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
    Quote,
)
from partway.billing.receivables import credit, offline_payments
from partway.lib.clock import now
from partway.lib.money import Money
from tests.billing.documents.test_change_sent_invoice import edit
from tests.billing.receivables.test_offline_payments import record
from tests.billing.verification.corruption import (
    Case,
    Corruption,
    delete_events,
    differences_of,
    is_detected,
    overwrite,
    reported_as,
)
from tests.support import personas

LONG_AGO = now() - timedelta(days=400)
ASKED = PaymentRequest.objects.filter(status="open")
DONE = PaymentRequest.objects.filter(status="paid")
CANCELED = PaymentRequest.objects.filter(status="canceled")
CAME_IN = Payment.objects.filter(status="succeeded", gateway_account__isnull=False)
SENT = Invoice.objects.filter(status="sent")
PAID = Invoice.objects.filter(status="paid")


def events(event_type: str) -> QuerySet[Event]:
    return Event.objects.filter(type=event_type)


def allocate(cause: str) -> QuerySet[Allocation]:
    return Allocation.objects.filter(cause=cause)


def without_event(event_type: str, rows: QuerySet[Any], **data: Any) -> Corruption:
    """Overwrites the data of an event; the check must report the first of these rows."""
    return reported_as(rows, overwrite(events(event_type), data=data))


CORRUPTIONS: dict[str, Case] = {
    "a state of an invoice": (
        "M6",
        "stored void, its events lead to sent",
        overwrite(SENT, status="void", version=2),
    ),
    "a state of a quote": (
        "M6",
        "stored declined, its events lead to sent",
        overwrite(Quote, status="declined"),
    ),
    "a state of a request": (
        "M6",
        "stored expired, its events lead to open",
        overwrite(ASKED, status="expired", ended_at=now()),
    ),
    "a state of a payment": (
        "M6",
        "stored failed, its events lead to succeeded",
        overwrite(
            CAME_IN, status="failed", captured_minor=None, allocated_minor=0, issued_by=None, issued_to=None
        ),
    ),
    "a move that is none": (
        "M6",
        "“payment.capturing pending capturing” is not a transition",
        without_event("payment.capturing", CAME_IN, **{"from": "pending", "to": "capturing"}),
    ),
    "an event that tells of no states": (
        "M6",
        "“payment.capturing  ” is not a transition",
        without_event("payment.capturing", CAME_IN),
    ),
    "a missing step": (
        "M6",
        "lead to no single state",
        delete_events(events("payment.authorized"), of="payment"),
    ),
    "a customer from nowhere": (
        "M6",
        "no event begins it",
        delete_events(events("customer.created"), of="customer"),
    ),
    "an invoice from nowhere": (
        "M6",
        "no event begins it",
        delete_events(events("invoice.created"), of="invoice"),
    ),
    "a quote from nowhere": ("M6", "no event begins it", delete_events(events("quote.created"), of="quote")),
    "a request of another amount": (
        "M6",
        "no event begins it amount_requested_minor 1,",
        overwrite(ASKED, amount_requested_minor=1),
    ),
    "a request that goes to another address": (
        "M6",
        "which no event says",
        overwrite(ASKED, to=["thief@evil.example"]),
    ),
    "a request with another hidden copy": (
        "M6",
        "which no event says",
        overwrite(ASKED, bcc=["thief@evil.example"]),
    ),
    "a payment of another amount": (
        "M6",
        "no event begins it amount_minor 1,",
        overwrite(CAME_IN, amount_minor=1),
    ),
    "a total that no event tells": (
        "M6",
        "no event says a total of 99999 USD",
        overwrite(SENT, total_minor=99_999, subtotal_minor=99_999),
    ),
    "a due date that no event tells": ("M6", "due on 2099-01-01", overwrite(SENT, due_on="2099-01-01")),
    "a card that counts as a check": (
        "M6",
        "no event begins it amount_minor",
        overwrite(CAME_IN, gateway_account=None),
    ),
    "a deposit that no event tells": ("M6", "with a deposit of 1", overwrite(Quote, deposit_minor=1)),
    "sent at another time": (
        "M6",
        f"sent_at {LONG_AGO} is the time of no event",
        overwrite(SENT, sent_at=LONG_AGO),
    ),
    "paid at another time": (
        "M6",
        f"paid_at {LONG_AGO} is the time of no event",
        overwrite(PAID, paid_at=LONG_AGO),
    ),
    "a quote sent at another time": (
        "M6",
        f"sent_at {LONG_AGO} is the time of no event",
        overwrite(Quote, sent_at=LONG_AGO),
    ),
    "a request that ended at another time": (
        "M6",
        f"ended_at {LONG_AGO} is the time of no event",
        overwrite(DONE, ended_at=LONG_AGO),
    ),
    "a payment settled at another time": (
        "M6",
        f"settled_at {LONG_AGO} is the time of no event",
        overwrite(CAME_IN, settled_at=LONG_AGO),
    ),
    "paid at no time": ("M6", "paid, paid at None", overwrite(PAID, paid_at=None)),
    "not paid, at some time": ("M6", "sent, paid at 20", overwrite(SENT, paid_at=now())),
    "canceled for another reason": (
        "M6",
        "canceled as “replaced”, which no event says",
        overwrite(CANCELED, cancel_reason="replaced"),
    ),
    "an allocation without its payment's event": (
        "M6",
        "by payment: no event says so",
        without_event("payment.succeeded", allocate("payment")),
    ),
    "an invoice sent before it was written": (
        "M6",
        "is before created_at",
        overwrite(SENT, sent_at=LONG_AGO),
    ),
    "an invoice paid before it was sent": ("M6", "is before sent_at", overwrite(PAID, paid_at=LONG_AGO)),
    "a quote sent before it was written": ("M6", "is before created_at", overwrite(Quote, sent_at=LONG_AGO)),
    "a request that ended before it was made": (
        "M6",
        "is before created_at",
        overwrite(DONE, ended_at=LONG_AGO),
    ),
    "a payment settled before it began": (
        "M6",
        "is before created_at",
        overwrite(CAME_IN, settled_at=LONG_AGO),
    ),
    "a mail sent before it was written": ("M6", "is before created_at", overwrite(Mail, sent_at=LONG_AGO)),
    "a call answered before it was made": (
        "M6",
        "is before started_at",
        overwrite(GatewayCall, answered_at=LONG_AGO),
    ),
    "a callback done before it came": (
        "M6",
        "is before received_at",
        overwrite(Callback, processed_at=LONG_AGO),
    ),
}


@pytest.fixture
def history(second: PaymentRequest, paid: Payment, dana: Customer) -> None:
    """Rows of each kind that has a final or a waiting state."""
    personas.sent_quote(dana)
    whole = personas.sent_invoice(dana, 50_000)
    personas.request_payment(whole, 20_000)
    personas.captured_payment(whole, 50_000)
    GatewayCall.objects.create(payment=paid, operation="start", attempt=1, started_at=now())
    account, at = dana.organization.gateway_accounts.get(), now()
    Callback.objects.create(gateway_account=account, event_id="evt_1", received_at=at, next_attempt_at=at)


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_state_without_event(history: None, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_deposit_allocation_without_event(dana: Customer) -> None:
    by, quote = personas.owner_actor(dana.organization), personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())
    assert is_detected(
        ("M6", "by deposit: no event", without_event("invoice.deposit_allocated", allocate("deposit")))
    )


def test_verify_finds_quote_accepted_at_differing_from_event(dana: Customer) -> None:
    personas.accept_quote(personas.sent_quote(dana))
    assert is_detected(("M6", f"accepted_at {LONG_AGO} is the time", overwrite(Quote, accepted_at=LONG_AGO)))
    assert any("is before sent_at" in message for _, message in differences_of("M6"))


@pytest.fixture
def reallocated_check(invoice: Invoice) -> Payment:
    """A check of $1,100.00, allocated to two invoices, taken off one of them, and reversed."""
    by = personas.owner_actor(invoice.organization)
    check = record(invoice, 110_000, by, keep_rest_as_credit=True)
    other = personas.sent_invoice(invoice.customer)
    credit.apply(other, amount=Money(10_000, "USD"), by=by, now=now())
    credit.deallocate(other, check, by=by, now=now())
    return offline_payments.reverse(check, reason="It bounced.", by=by, now=now())


@pytest.mark.parametrize(
    ("cause", "event_type"),
    [("credit", "credit.applied"), ("released", "credit.released")],
)
def test_verify_finds_credit_allocation_without_event(
    reallocated_check: Payment, cause: str, event_type: str
) -> None:
    assert is_detected(
        ("M6", f"by {cause}: no event says so", without_event(event_type, allocate(cause), amount_minor=1))
    )


def test_verify_finds_payment_reversal_without_event(reallocated_check: Payment) -> None:
    corruption = reported_as(allocate("reversed"), delete_events(events("payment.reversed"), of="payment"))
    assert is_detected(("M6", "by reversed: no event says so", corruption))


def test_verify_finds_edit_allocation_without_event(paid: Payment, invoice: Invoice) -> None:
    edit(invoice, 20_000, personas.owner_actor(invoice.organization))
    corruption = reported_as(allocate("edited"), overwrite(events("invoice.edited"), created_at=LONG_AGO))
    assert is_detected(("M6", "by edited: no event says so", corruption))
