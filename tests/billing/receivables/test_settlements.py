"""Tests of settling the rest of an invoice without a payment, and of taking that back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from partway.billing.documents import invoices, quotes
from partway.billing.errors import Conflict, Invalid, InvoiceNotSent, PaymentInProgress, Stale
from partway.billing.events import Actor
from partway.billing.ledger import adjustments, allocations
from partway.billing.ledger.allocations import AllocationError
from partway.billing.models import Adjustment, Alert, Customer, Event, Invoice, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.receivables import credit, settlements, write_offs
from partway.billing.receivables.settlements import Settlement
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

FEE = Settlement("fee", "Their bank kept it.")
GOODWILL = Settlement("goodwill", is_large_confirmed=True)


def settle(invoice: Invoice, by: Actor, settlement: Settlement = FEE, **expected: Any) -> Adjustment:
    return settlements.settle(invoice, settlement=settlement, by=by, now=present(), **expected)


def take_back(adjustment: Adjustment, by: Actor) -> Money:
    return settlements.take_back(adjustment, by=by, now=present())


def figures(invoice: Invoice) -> tuple[str, int, int, int]:
    """The status, and what is paid, settled and due, in cents."""
    invoice.refresh_from_db()
    return invoice.status, invoice.amount_paid_minor, invoice.adjusted_minor, invoice.amount_due_minor


@pytest.fixture
def settled(invoice: Invoice, alice: Actor) -> Adjustment:
    """$992.00 of $1,000.00 came in; $8.00 is settled as a fee."""
    record(invoice, 99_200, alice)
    return settle(invoice, alice)


def test_settled_invoice_is_paid(invoice: Invoice, settled: Adjustment) -> None:
    assert figures(invoice) == ("paid", 99_200, 800, 0)
    assert (settled.amount, settled.reason, settled.note) == (Money(800, "USD"), "fee", "Their bank kept it.")
    assert invoice.payment_status == "paid"


def test_settle_writes_event(settled: Adjustment, alice: Actor) -> None:
    event = Event.objects.get(type="invoice.settled")
    assert (event.actor_id, event.data["amount_minor"], event.data["reason"]) == (alice.id, 800, "fee")


def test_settle_cancels_open_request_and_closes_checkout(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    record(invoice, 96_000, alice)
    request = personas.request_payment(invoice, 4_000)
    payment = gateway_driver.start(request)
    settle(invoice, alice)
    request.refresh_from_db()
    payment.refresh_from_db()
    assert (request.status, request.cancel_reason, payment.status) == (
        "canceled",
        "invoice_paid",
        "canceled",
    )


def test_settle_is_refused_while_payment_is_committed(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        settle(open_request.invoice, alice, GOODWILL)
    assert not Adjustment.objects.exists()
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())


@pytest.mark.parametrize(("rest", "is_large"), [(5_000, False), (5_001, True), (100_000, True)])
def test_rest_beyond_five_percent_must_be_confirmed(
    invoice: Invoice, alice: Actor, rest: int, is_large: bool
) -> None:
    if rest < 100_000:
        record(invoice, 100_000 - rest, alice)
    if is_large:
        with pytest.raises(Invalid) as refused:
            settle(invoice, alice)
        assert set(refused.value.fields) == {"is_large_confirmed"}
        assert figures(invoice)[2:] == (0, rest)
    settle(invoice, alice, GOODWILL)
    assert figures(invoice) == ("paid", 100_000 - rest, rest, 0)


@pytest.mark.parametrize(
    ("settlement", "field"),
    [
        (Settlement("whim"), "settle_reason"),
        (Settlement(""), "settle_reason"),
        (Settlement("fee", "x" * 301), "settle_note"),
    ],
)
def test_settle_refuses_wrong_field(
    invoice: Invoice, alice: Actor, settlement: Settlement, field: str
) -> None:
    record(invoice, 99_200, alice)
    with pytest.raises(Invalid) as refused:
        settle(invoice, alice, settlement)
    assert set(refused.value.fields) == {field}


def test_settle_with_other_amount_due_than_expected_is_stale(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 99_200, alice)
    with pytest.raises(Stale):
        settle(invoice, alice, expected_amount_due=Money(900, "USD"))


def test_same_form_settles_once(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 99_200, alice)
    form = Settlement("fee", idempotency_key="form-1")
    assert settle(invoice, alice, form) == settle(invoice, alice, form)
    assert figures(invoice) == ("paid", 99_200, 800, 0)


def test_same_form_with_other_reason_is_refused(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 99_200, alice)
    settle(invoice, alice, Settlement("fee", idempotency_key="form-1"))
    with pytest.raises(Conflict):
        settle(invoice, alice, Settlement("goodwill", idempotency_key="form-1"))


@pytest.mark.parametrize("status", ["draft", "paid", "void", "written_off"])
def test_settle_needs_a_sent_invoice(dana: Customer, alice: Actor, status: str) -> None:
    invoice = personas.draft_invoice(dana)
    if status != "draft":
        invoice = invoices.send(invoice, by=alice, now=present())
    if status == "paid":
        record(invoice, 100_000, alice)
    if status == "void":
        invoices.void(invoice, by=alice, now=present())
    if status == "written_off":
        write_offs.write_off(invoice, by=alice, now=present())
    with pytest.raises(InvoiceNotSent) as refused:
        settle(invoice, alice, GOODWILL)
    assert refused.value.reason == f"settle_{status}"


# Recorded with a payment, in one step


def test_recorded_payment_settles_the_rest(open_request: PaymentRequest, alice: Actor) -> None:
    record(open_request.invoice, 99_200, alice, settlement=FEE, idempotency_key="form-1")
    open_request.refresh_from_db()
    assert figures(open_request.invoice) == ("paid", 99_200, 800, 0)
    assert open_request.cancel_reason == "offline_payment"


def test_recorded_payment_with_settlement_is_recorded_once(invoice: Invoice, alice: Actor) -> None:
    for _ in range(2):
        record(invoice, 99_200, alice, settlement=FEE, idempotency_key="form-1")
    assert (Payment.objects.count(), Adjustment.objects.count()) == (1, 1)
    with pytest.raises(Conflict):
        record(invoice, 99_200, alice, idempotency_key="form-1")


def test_recorded_payment_asks_to_confirm_large_rest(invoice: Invoice, alice: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        record(invoice, 50_000, alice, settlement=FEE)
    assert set(refused.value.fields) == {"is_large_confirmed"}
    assert not Payment.objects.exists()


def test_recorded_payment_without_rest_settles_nothing(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 100_000, alice, settlement=FEE)
    assert figures(invoice) == ("paid", 100_000, 0, 0)


def test_recorded_payment_settles_rest_of_written_off_invoice(invoice: Invoice, alice: Actor) -> None:
    write_offs.write_off(invoice, by=alice, now=present())
    record(invoice, 99_200, alice, settlement=FEE)
    assert figures(invoice) == ("paid", 99_200, 800, 0)


# Taken back


def test_taken_back_rest_is_due_and_can_be_paid(invoice: Invoice, settled: Adjustment, alice: Actor) -> None:
    assert take_back(settled, alice) == Money(800, "USD")
    assert figures(invoice) == ("sent", 99_200, 0, 800)
    record(invoice, 800, alice)
    assert figures(invoice) == ("paid", 100_000, 0, 0)


def test_taken_back_twice_is_refused(settled: Adjustment, alice: Actor) -> None:
    take_back(settled, alice)
    with pytest.raises(Conflict) as refused:
        take_back(settled, alice)
    assert refused.value.reason == "nothing_adjusted"


def test_row_that_takes_back_cannot_be_taken_back(settled: Adjustment, alice: Actor) -> None:
    take_back(settled, alice)
    with pytest.raises(Conflict):
        take_back(Adjustment.objects.get(taken_from=settled), alice)


def test_taken_back_and_settled_again(invoice: Invoice, settled: Adjustment, alice: Actor) -> None:
    take_back(settled, alice)
    again = settle(invoice, alice, Settlement("rounding"))
    assert figures(invoice) == ("paid", 99_200, 800, 0)
    assert adjustments.standing(invoice) == [(again, Money(800, "USD"))]


def test_take_back_on_written_off_invoice_is_refused(
    invoice: Invoice, settled: Adjustment, alice: Actor
) -> None:
    personas.edit_invoice(invoice, 110_000)
    write_offs.write_off(invoice, by=alice, now=present())
    with pytest.raises(Conflict) as refused:
        take_back(settled, alice)
    assert refused.value.reason == "take_back_written_off"


def test_reversed_payment_takes_settlement_back(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 99_200, alice, settlement=FEE)
    personas.reverse_check(payment)
    assert figures(invoice) == ("sent", 0, 0, 100_000)


def test_reversed_payment_of_several_takes_settlement_back(
    invoice: Invoice, settled: Adjustment, alice: Actor
) -> None:
    take_back(settled, alice)
    check = record(invoice, 500, alice)
    settle(invoice, alice)
    personas.reverse_check(check)
    assert figures(invoice) == ("sent", 99_200, 0, 800)


def test_payment_moved_to_credit_keeps_settlement(
    invoice: Invoice, settled: Adjustment, alice: Actor
) -> None:
    credit.deallocate(invoice, invoice.payments.get(), by=alice, now=present())
    assert figures(invoice) == ("sent", 0, 800, 99_200)
    assert invoice.payment_status == "unpaid"


def test_void_takes_settlement_back(invoice: Invoice, settled: Adjustment, alice: Actor) -> None:
    credit.deallocate(invoice, invoice.payments.get(), by=alice, now=present())
    invoices.void(invoice, by=alice, now=present())
    assert figures(invoice)[:3] == ("void", 0, 0)
    assert Adjustment.objects.get(taken_from=settled).cause == "invoice_voided"


def test_void_of_settled_invoice_is_refused(invoice: Invoice, settled: Adjustment, alice: Actor) -> None:
    with pytest.raises(Conflict) as refused:
        invoices.void(invoice, by=alice, now=present())
    assert refused.value.reason == "void_paid"


def test_edit_up_of_settled_invoice_keeps_settlement(invoice: Invoice, settled: Adjustment) -> None:
    personas.edit_invoice(invoice, 110_000)
    assert figures(invoice) == ("sent", 99_200, 800, 10_000)


@pytest.mark.parametrize(
    ("total", "paid", "settled_minor", "credited"),
    [(99_500, 99_200, 300, 0), (99_200, 99_200, 0, 0), (99_000, 99_000, 0, 200)],
)
def test_edit_down_of_settled_invoice_takes_settlement_before_payments(
    invoice: Invoice,
    settled: Adjustment,
    dana: Customer,
    total: int,
    paid: int,
    settled_minor: int,
    credited: int,
) -> None:
    personas.edit_invoice(invoice, total)
    assert figures(invoice) == ("paid", paid, settled_minor, 0)
    assert [balance.amount_minor for balance in credit.balances(dana)] == ([credited] if credited else [])
    assert Event.objects.get(type="invoice.edited").data["credited_minor"] == credited


def test_edit_down_takes_latest_settlement_first(invoice: Invoice, settled: Adjustment, alice: Actor) -> None:
    personas.edit_invoice(invoice, 101_000)
    latest = settle(invoice, alice, Settlement("goodwill"))
    personas.edit_invoice(invoice, 99_700)
    assert adjustments.standing(invoice) == [(settled, Money(500, "USD"))]
    assert Adjustment.objects.filter(taken_from=latest).count() == 1


def test_late_online_payment_of_settled_invoice_is_credit(
    gateway_driver: GatewayDriver, invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    record(invoice, 96_000, alice)
    payment = gateway_driver.start(personas.request_payment(invoice, 4_000))
    gateway_driver.inject_fault("close_too_late")
    settle(invoice, alice)
    refresh_payment(payment, now=present())
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())
    assert figures(invoice) == ("paid", 96_000, 4_000, 0)
    assert credit.balances(dana) == [Money(4_000, "USD")]
    assert Alert.objects.filter(payment=payment, kind="unwanted_payment").count() == 1


def test_deposit_of_settled_invoice_stays(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    invoice = quotes.create_invoice(quote, by=alice, now=present())
    invoices.send(invoice, by=alice, now=present())
    record(invoice, 69_200, alice)
    settle(invoice, alice)
    assert figures(invoice) == ("paid", 99_200, 800, 0)


# The database's and the ledger's own guards


def test_payment_cannot_be_allocated_beyond_settled_rest(
    invoice: Invoice, settled: Adjustment, alice: Actor, dana: Customer
) -> None:
    other = record(personas.sent_invoice(dana, 50_000), 70_000, alice, keep_rest_as_credit=True)
    with pytest.raises(AllocationError), transaction.atomic():
        allocations.allocate(other, invoice, 1, cause="credit", now=present())


def test_more_than_is_due_cannot_be_settled(invoice: Invoice, alice: Actor) -> None:
    with pytest.raises(AllocationError), transaction.atomic():
        adjustments.settle(invoice, 100_001, reason="fee", note="", by=alice, now=present())
