"""Tests of recording money that was given back outside, and of taking that back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from partway.billing.documents import deposits, invoices, quote_decisions, quotes
from partway.billing.errors import Conflict, Invalid
from partway.billing.events import Actor
from partway.billing.ledger import allocations
from partway.billing.ledger.allocations import AllocationError
from partway.billing.models import (
    Adjustment,
    Customer,
    Event,
    Invoice,
    Payment,
    PaymentRequest,
    Quote,
    Refund,
)
from partway.billing.receivables import credit, offline_payments, refunds
from partway.billing.receivables.refunds import OutsideRefund
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.billing.receivables.test_offline_payments import record
from tests.billing.receivables.test_settlements import figures
from tests.support import personas


def outside(amount_minor: int, currency: str = "USD", **changes: Any) -> OutsideRefund:
    """A refund in cash of today."""
    typed = {"method": "Cash", "refunded_on": today(present(), "America/New_York")}
    return OutsideRefund(Money(amount_minor, currency), **{**typed, **changes})


def give_back(
    customer: Customer, amount_minor: int, by: Actor, payment: Payment | None = None, **changes: Any
) -> list[Refund]:
    refund = outside(amount_minor, **changes)
    return refunds.record(customer, refund=refund, payment=payment, by=by, now=present())


def reverse(refund: Refund, by: Actor) -> Refund:
    return refunds.reverse(refund, reason="Typed on the wrong customer.", by=by, now=present())


def credit_of(customer: Customer) -> list[Money]:
    return credit.balances(customer)


@pytest.fixture
def overpaid(dana: Customer, alice: Actor) -> Payment:
    """Dana paid $700.00 for an invoice of $500.00."""
    return record(personas.sent_invoice(dana, 50_000), 70_000, alice, keep_rest_as_credit=True)


# Of credit


def test_refund_of_credit_leaves_it(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    [row] = give_back(dana, 15_000, alice, reference="No. 7")
    assert (row.payment, row.status, row.method, row.reference) == (overpaid, "succeeded", "Cash", "No. 7")
    assert credit_of(dana) == [Money(5_000, "USD")]
    assert figures(overpaid.invoice) == ("paid", 50_000, 0, 0)


def test_refund_of_credit_takes_oldest_first(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    younger = record(personas.sent_invoice(dana, 10_000), 40_000, alice, keep_rest_as_credit=True)
    rows = give_back(dana, 30_000, alice)
    assert [(row.payment, row.amount_minor) for row in rows] == [(overpaid, 20_000), (younger, 10_000)]
    assert credit_of(dana) == [Money(20_000, "USD")]


def test_refund_beyond_credit_is_refused(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        give_back(dana, 20_001, alice)
    assert refused.value.fields["amount"].params == {"credit": Money(20_000, "USD")}


def test_refunded_credit_cannot_be_applied(
    overpaid: Payment, dana: Customer, invoice: Invoice, alice: Actor
) -> None:
    give_back(dana, 20_000, alice)
    with pytest.raises(Invalid):
        credit.apply(invoice, amount=Money(1, "USD"), by=alice, now=present())
    with pytest.raises(AllocationError), transaction.atomic():
        allocations.allocate(overpaid, invoice, 1, cause="credit", now=present())


def test_refund_of_credit_in_another_currency_is_refused(
    overpaid: Payment, dana: Customer, alice: Actor
) -> None:
    with pytest.raises(Invalid):
        give_back(dana, 100, alice, currency="JPY")


def test_refund_of_credit_of_another_customer_is_refused(overpaid: Payment, alice: Actor) -> None:
    erin = personas.customer(overpaid.organization, "Erin Vale")
    with pytest.raises(Invalid):
        give_back(erin, 100, alice)


# Of a payment


def test_refund_of_payment_takes_its_credit_first(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    give_back(dana, 20_000, alice, overpaid)
    assert figures(overpaid.invoice) == ("paid", 50_000, 0, 0)


def test_refund_of_allocated_payment_is_due_again(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    give_back(dana, 30_000, alice, overpaid)
    assert figures(overpaid.invoice) == ("sent", 40_000, 0, 10_000)
    assert credit_of(dana) == []
    event = Event.objects.get(type="invoice.payment_refunded")
    assert (event.invoice, event.data["amount_minor"]) == (overpaid.invoice, 10_000)


def test_refund_that_reduces_invoice_is_settled_there(
    overpaid: Payment, dana: Customer, alice: Actor
) -> None:
    give_back(dana, 30_000, alice, overpaid, reduces_invoice=True)
    assert figures(overpaid.invoice) == ("paid", 40_000, 10_000, 0)
    assert Adjustment.objects.get().reason == "goodwill"


def test_refund_is_taken_off_latest_invoice_first(
    overpaid: Payment, dana: Customer, invoice: Invoice, alice: Actor
) -> None:
    credit.apply(invoice, amount=Money(20_000, "USD"), by=alice, now=present())
    give_back(dana, 30_000, alice, overpaid)
    assert (figures(invoice)[1], figures(overpaid.invoice)[1]) == (0, 40_000)


def test_refund_of_paid_request_revives_nothing(
    open_request: PaymentRequest, dana: Customer, alice: Actor
) -> None:
    payment = personas.captured_payment(open_request.invoice, 30_000, request=open_request)
    give_back(dana, 30_000, alice, payment)
    open_request.refresh_from_db()
    assert open_request.status == "paid"
    assert figures(open_request.invoice) == ("sent", 0, 0, 100_000)


def test_refunds_never_exceed_payment(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    give_back(dana, 60_000, alice, overpaid)
    with pytest.raises(Invalid) as refused:
        give_back(dana, 10_001, alice, overpaid)
    assert refused.value.fields["amount"].params == {"credit": Money(10_000, "USD")}
    give_back(dana, 10_000, alice, overpaid)
    with pytest.raises(Conflict) as all_of_it:
        give_back(dana, 1, alice, overpaid)
    assert all_of_it.value.reason == "refunded_already"


def test_refund_of_void_invoice_payment_is_of_its_credit(
    invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    payment = record(invoice, 40_000, alice)
    credit.deallocate(invoice, payment, by=alice, now=present())
    invoices.void(invoice, by=alice, now=present())
    give_back(dana, 40_000, alice, payment)
    assert credit_of(dana) == []


@pytest.fixture
def deposit(dana: Customer) -> Payment:
    """A deposit of $300.00 that waits for the invoice of its quote."""
    return personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))


def the_quote(payment: Payment) -> Quote:
    return Quote.objects.get(pk=payment.quote_id)


def test_deposit_that_was_given_back_is_due_again(deposit: Payment, dana: Customer, alice: Actor) -> None:
    give_back(dana, 30_000, alice, deposit)
    assert (deposits.deposit_status(the_quote(deposit)), credit_of(dana)) == ("due", [])
    again = personas.record_deposit_check(the_quote(deposit))
    assert deposits.deposit_payment(the_quote(deposit)) == again


def test_rest_of_deposit_that_was_given_back_is_credit(
    deposit: Payment, dana: Customer, alice: Actor
) -> None:
    give_back(dana, 25_000, alice, deposit)
    assert credit_of(dana) == [Money(5_000, "USD")]
    assert deposits.deposit_status(the_quote(deposit)) == "due"


def test_quote_whose_deposit_was_given_back_can_be_withdrawn(
    deposit: Payment, dana: Customer, alice: Actor
) -> None:
    give_back(dana, 30_000, alice, deposit)
    quote_decisions.withdraw(the_quote(deposit), by=alice, now=present())
    assert the_quote(deposit).status == "withdrawn"


def test_invoice_takes_no_deposit_that_was_given_back(deposit: Payment, dana: Customer, alice: Actor) -> None:
    draft = quotes.create_invoice(the_quote(deposit), by=alice, now=present())
    give_back(dana, 20_000, alice, deposit)
    invoices.send(draft, by=alice, now=present())
    assert figures(draft) == ("sent", 0, 0, 100_000)
    assert credit_of(dana) == [Money(10_000, "USD")]


def test_reversed_refund_of_deposit_is_credit_beside_the_next_deposit(
    deposit: Payment, dana: Customer, alice: Actor
) -> None:
    [row] = give_back(dana, 30_000, alice, deposit)
    personas.record_deposit_check(the_quote(deposit))
    reverse(row, alice)
    assert credit_of(dana) == [Money(30_000, "USD")]


def test_deposit_given_back_after_its_invoice_was_voided_is_due_again(
    deposit: Payment, dana: Customer, alice: Actor
) -> None:
    draft = quotes.create_invoice(the_quote(deposit), by=alice, now=present())
    invoice = invoices.send(draft, by=alice, now=present())
    credit.deallocate(invoice, deposit, by=alice, now=present())
    invoices.void(invoice, by=alice, now=present())
    give_back(dana, 10_000, alice)
    assert deposits.is_credit(the_quote(deposit))
    give_back(dana, 20_000, alice)
    assert deposits.deposit_status(the_quote(deposit)) == "due"


def test_refund_of_allocated_deposit_is_due_on_its_invoice(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    payment = personas.record_deposit_check(quote)
    invoice = quotes.create_invoice(quote, by=alice, now=present())
    invoices.send(invoice, by=alice, now=present())
    give_back(dana, 30_000, alice, payment)
    assert figures(invoice) == ("sent", 0, 0, 100_000)


def test_refund_of_deposit_whose_sent_invoice_was_voided_is_of_credit(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    payment = personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    credit.deallocate(invoice, payment, by=alice, now=present())
    invoices.void(invoice, by=alice, now=present())
    give_back(dana, 30_000, alice, payment)
    assert credit_of(dana) == []


def test_refund_of_payment_without_money_is_refused(invoice: Invoice, dana: Customer, alice: Actor) -> None:
    payment = personas.reverse_check(record(invoice, 40_000, alice))
    with pytest.raises(Conflict) as refused:
        give_back(dana, 100, alice, payment)
    assert refused.value.reason == "refund_without_money"


def test_payment_that_was_given_back_cannot_be_reversed(
    overpaid: Payment, dana: Customer, alice: Actor
) -> None:
    [row] = give_back(dana, 100, alice, overpaid)
    with pytest.raises(Conflict) as refused:
        offline_payments.reverse(overpaid, reason="It bounced.", by=alice, now=present())
    assert refused.value.reason == "reverse_refunded"
    reverse(row, alice)
    offline_payments.reverse(overpaid, reason="It bounced.", by=alice, now=present())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "Barter"}, "method"),
        ({"refunded_on": today(present(), "UTC") + timedelta(days=2)}, "refunded_on"),
        ({"reference": "x" * 121}, "reference"),
        ({"note": "x" * 401}, "note"),
    ],
)
def test_refund_refuses_wrong_field(
    overpaid: Payment, dana: Customer, alice: Actor, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        give_back(dana, 100, alice, overpaid, **changes)
    assert set(refused.value.fields) == {field}


def test_refund_of_credit_before_a_payment_it_takes_of_is_refused(
    overpaid: Payment, dana: Customer, alice: Actor
) -> None:
    later = today(present(), "America/New_York")
    earlier = later - timedelta(days=9)
    Payment.objects.update(paid_on=earlier)
    record(personas.sent_invoice(dana, 50_000), 60_000, alice, keep_rest_as_credit=True)
    with pytest.raises(Invalid) as refused:
        give_back(dana, 20_001, alice, refunded_on=earlier)
    assert refused.value.fields["refunded_on"].params == {"paid_on": later}
    give_back(dana, 20_000, alice, refunded_on=earlier)


@pytest.mark.parametrize("of_credit", [True, False])
def test_refund_before_its_payment_is_refused(
    overpaid: Payment, dana: Customer, alice: Actor, of_credit: bool
) -> None:
    day_before = overpaid.day("America/New_York") - timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        give_back(dana, 100, alice, None if of_credit else overpaid, refunded_on=day_before)
    assert refused.value.fields["refunded_on"].code == "refund_before_payment"
    assert give_back(dana, 100, alice, refunded_on=overpaid.day("America/New_York"))


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_refund_of_nothing_is_refused(
    overpaid: Payment, dana: Customer, alice: Actor, amount_minor: int
) -> None:
    with pytest.raises(Invalid) as refused:
        give_back(dana, amount_minor, alice, overpaid)
    assert refused.value.code == "amount_too_small"


# Once


@pytest.mark.parametrize("of_payment", [True, False])
def test_same_form_records_refund_once(
    overpaid: Payment, dana: Customer, alice: Actor, of_payment: bool
) -> None:
    of = overpaid if of_payment else None
    first = give_back(dana, 15_000, alice, of, idempotency_key="form-1")
    assert give_back(dana, 15_000, alice, of, idempotency_key="form-1") == first
    assert credit_of(dana) == [Money(5_000, "USD")]
    with pytest.raises(Conflict):
        give_back(dana, 5_000, alice, of, idempotency_key="form-1")


def test_form_of_reversed_refund_is_used(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    [row] = give_back(dana, 100, alice, idempotency_key="form-1")
    reverse(row, alice)
    with pytest.raises(Conflict):
        give_back(dana, 100, alice, idempotency_key="form-1")


# Reversed


def test_reversed_refund_is_credit_again(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    [row] = give_back(dana, 30_000, alice, overpaid)
    assert reverse(row, alice).status == "reversed"
    assert credit_of(dana) == [Money(30_000, "USD")]
    assert figures(overpaid.invoice) == ("sent", 40_000, 0, 10_000)


def test_refund_is_reversed_once(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    [row] = give_back(dana, 100, alice)
    reverse(row, alice)
    reverse(row, alice)
    assert credit_of(dana) == [Money(20_000, "USD")]
    assert Event.objects.filter(type="refund.reversed").count() == 1


def test_reversal_of_refund_needs_a_reason(overpaid: Payment, dana: Customer, alice: Actor) -> None:
    [row] = give_back(dana, 100, alice)
    with pytest.raises(Invalid):
        refunds.reverse(row, reason=" ", by=alice, now=present())


def test_count_of_refund_is_within_captured(overpaid: Payment) -> None:
    for amount_minor in (20_001, -1):
        with pytest.raises(AllocationError), transaction.atomic():
            allocations.count(overpaid, refunded=amount_minor)
