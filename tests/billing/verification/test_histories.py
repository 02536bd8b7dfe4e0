"""`verify` finds states, amounts and times that no event tells (M6)."""

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
from tests import personas
from tests.billing.test_changing_invoices import edit
from tests.billing.test_offline_payments import record
from tests.billing.verification.damage import Case, Damage, found, gone, names, naming, over

LONG_AGO = now() - timedelta(days=400)
ASKED = PaymentRequest.objects.filter(status="open")
DONE = PaymentRequest.objects.filter(status="paid")
CANCELED = PaymentRequest.objects.filter(status="canceled")
CAME_IN = Payment.objects.filter(status="succeeded", gateway_account__isnull=False)
SENT = Invoice.objects.filter(status="sent")
PAID = Invoice.objects.filter(status="paid")


def events(event_type: str) -> QuerySet[Event]:
    return Event.objects.filter(type=event_type)


def put(cause: str) -> QuerySet[Allocation]:
    return Allocation.objects.filter(cause=cause)


def untold(event_type: str, rows: QuerySet[Any], **data: Any) -> Damage:
    """The event tells another story than it did; named is the first of these rows."""
    return naming(rows, over(events(event_type), data=data))


DAMAGE: dict[str, Case] = {
    "a state of an invoice": (
        "M6",
        "stored void, its events lead to sent",
        over(SENT, status="void", version=2),
    ),
    "a state of a quote": ("M6", "stored declined, its events lead to sent", over(Quote, status="declined")),
    "a state of a request": (
        "M6",
        "stored expired, its events lead to open",
        over(ASKED, status="expired", ended_at=now()),
    ),
    "a state of a payment": (
        "M6",
        "stored failed, its events lead to succeeded",
        over(CAME_IN, status="failed", captured_minor=None, allocated_minor=0),
    ),
    "a move that is none": (
        "M6",
        "“payment.capturing pending capturing” is no move",
        untold("payment.capturing", CAME_IN, **{"from": "pending", "to": "capturing"}),
    ),
    "an event that tells of no states": (
        "M6",
        "“payment.capturing  ” is no move",
        untold("payment.capturing", CAME_IN),
    ),
    "a missing step": ("M6", "lead to no single state", gone(events("payment.authorized"), of="payment")),
    "a customer from nowhere": ("M6", "no event begins it", gone(events("customer.created"), of="customer")),
    "an invoice from nowhere": ("M6", "no event begins it", gone(events("invoice.created"), of="invoice")),
    "a quote from nowhere": ("M6", "no event begins it", gone(events("quote.created"), of="quote")),
    "a request of another amount": (
        "M6",
        "no event begins it amount_requested_minor 1,",
        over(ASKED, amount_requested_minor=1),
    ),
    "a payment of another amount": (
        "M6",
        "no event begins it amount_minor 1,",
        over(CAME_IN, amount_minor=1),
    ),
    "a total that no event tells": (
        "M6",
        "no event tells a total of 99999 USD",
        over(SENT, total_minor=99_999, subtotal_minor=99_999),
    ),
    "a due date that no event tells": ("M6", "due on 2099-01-01", over(SENT, due_on="2099-01-01")),
    "a card that counts as a check": (
        "M6",
        "no event begins it amount_minor",
        over(CAME_IN, gateway_account=None),
    ),
    "a deposit that no event tells": ("M6", "with a deposit of 1", over(Quote, deposit_minor=1)),
    "sent at another time": (
        "M6",
        f"sent_at {LONG_AGO} is the time of no event",
        over(SENT, sent_at=LONG_AGO),
    ),
    "paid at another time": (
        "M6",
        f"paid_at {LONG_AGO} is the time of no event",
        over(PAID, paid_at=LONG_AGO),
    ),
    "a quote sent at another time": (
        "M6",
        f"sent_at {LONG_AGO} is the time of no event",
        over(Quote, sent_at=LONG_AGO),
    ),
    "a request that ended at another time": (
        "M6",
        f"ended_at {LONG_AGO} is the time of no event",
        over(DONE, ended_at=LONG_AGO),
    ),
    "a payment settled at another time": (
        "M6",
        f"settled_at {LONG_AGO} is the time of no event",
        over(CAME_IN, settled_at=LONG_AGO),
    ),
    "paid at no time": ("M6", "paid, paid at None", over(PAID, paid_at=None)),
    "not paid, at some time": ("M6", "sent, paid at 20", over(SENT, paid_at=now())),
    "canceled for another reason": (
        "M6",
        "canceled as “replaced”, which no event tells",
        over(CANCELED, cancel_reason="replaced"),
    ),
    "an allocation without its payment's event": (
        "M6",
        "by payment: no event tells so",
        untold("payment.succeeded", put("payment")),
    ),
    "an invoice sent before it was written": ("M6", "is before created_at", over(SENT, sent_at=LONG_AGO)),
    "an invoice paid before it was sent": ("M6", "is before sent_at", over(PAID, paid_at=LONG_AGO)),
    "a quote sent before it was written": ("M6", "is before created_at", over(Quote, sent_at=LONG_AGO)),
    "a request that ended before it was made": ("M6", "is before created_at", over(DONE, ended_at=LONG_AGO)),
    "a payment settled before it began": ("M6", "is before created_at", over(CAME_IN, settled_at=LONG_AGO)),
    "a mail sent before it was written": ("M6", "is before created_at", over(Mail, sent_at=LONG_AGO)),
    "a call answered before it was made": (
        "M6",
        "is before started_at",
        over(GatewayCall, answered_at=LONG_AGO),
    ),
    "a callback done before it came": ("M6", "is before received_at", over(Callback, done_at=LONG_AGO)),
}


@pytest.fixture
def history(second: PaymentRequest, paid: Payment, dana: Customer) -> None:
    """Something of everything that ends or waits."""
    personas.quote(dana)
    whole = personas.sent(dana, 50_000)
    personas.ask(whole, 20_000)
    personas.paid_part(whole, 50_000)
    GatewayCall.objects.create(payment=paid, act="start", attempt=1, started_at=now())
    account, at = dana.organization.gateway_accounts.get(), now()
    Callback.objects.create(gateway_account=account, event_id="evt_1", received_at=at, try_at=at)


@pytest.mark.parametrize("what", DAMAGE)
def test_it_finds(history: None, what: str) -> None:
    assert names(DAMAGE[what])


def test_it_finds_a_deposit_that_was_taken_over_silently(dana: Customer) -> None:
    by, quote = personas.actor_of(dana.organization), personas.accept(personas.quote(dana))
    personas.pay_deposit(quote)
    invoices.send(quotes.make_invoice(quote, by=by, now=now()), by=by, now=now())
    assert names(("M6", "by deposit: no event", untold("invoice.deposit_allocated", put("deposit"))))


def test_it_finds_a_quote_accepted_at_another_time(dana: Customer) -> None:
    personas.accept(personas.quote(dana))
    assert names(("M6", f"accepted_at {LONG_AGO} is the time", over(Quote, accepted_at=LONG_AGO)))
    assert any("is before sent_at" in words for _, words in found("M6"))


@pytest.fixture
def moved(invoice: Invoice) -> Payment:
    """A check of $1,100.00: $100.00 of it went to another invoice, and all of it was released or taken off again."""
    by = personas.actor_of(invoice.organization)
    check = record(invoice, 110_000, by, keep_rest_as_credit=True)
    other = personas.sent(invoice.customer)
    credit.apply(other, amount=Money(10_000, "USD"), by=by, now=now())
    credit.release(other, check, by=by, now=now())
    return offline_payments.reverse(check, reason="It bounced.", by=by, now=now())


@pytest.mark.parametrize(
    ("cause", "event_type"),
    [("credit", "credit.applied"), ("released", "credit.released")],
)
def test_it_finds_credit_that_no_event_tells(moved: Payment, cause: str, event_type: str) -> None:
    assert names(("M6", f"by {cause}: no event tells so", untold(event_type, put(cause), amount_minor=1)))


def test_it_finds_a_payment_reversed_silently(moved: Payment) -> None:
    damage = naming(put("reversed"), gone(events("payment.reversed"), of="payment"))
    assert names(("M6", "by reversed: no event tells so", damage))


def test_it_finds_an_invoice_lowered_silently(paid: Payment, invoice: Invoice) -> None:
    edit(invoice, 20_000, personas.actor_of(invoice.organization))
    damage = naming(put("edited"), over(events("invoice.edited"), created_at=LONG_AGO))
    assert names(("M6", "by edited: no event tells so", damage))
