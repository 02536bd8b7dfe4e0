"""Tests of recording offline payments once, and of reversing one that bounced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from partway.billing.errors import Conflict, Invalid, InvoiceNotSent, PaymentInProgress, TooLate
from partway.billing.events import Actor
from partway.billing.models import Allocation, Customer, Event, Invoice, Mail, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import payment_modes
from partway.billing.receivables import credit, offline_payments, write_offs
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def record(invoice: Invoice, amount_minor: int, by: Actor, **changes: Any) -> Payment:
    day = today(present(), invoice.organization.time_zone)
    offline = OfflinePayment("Check", day, "No. 118", amount=Money(amount_minor, invoice.currency))
    return offline_payments.record(invoice, offline=replace(offline, **changes), by=by, now=present())


def reverse(payment: Payment, by: Actor, reason: str = "The check bounced.") -> Payment:
    return offline_payments.reverse(payment, reason=reason, by=by, now=present())


def test_offline_payment_lowers_amount_due(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 40_000, alice)
    invoice.refresh_from_db()
    assert (payment.status, payment.method, payment.reference) == ("succeeded", "Check", "No. 118")
    assert (invoice.status, invoice.amount_due_minor) == ("sent", 60_000)


def test_offline_payment_in_full_marks_invoice_paid(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 100_000, alice)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_at is not None) == ("paid", True)
    with pytest.raises(TooLate):
        record(invoice, 1, alice)


@pytest.mark.parametrize(("amount", "code"), [(0, "amount_too_small"), (100_001, "amount_exceeds_due")])
def test_offline_payment_amount_out_of_range_is_refused(
    invoice: Invoice, alice: Actor, amount: int, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        record(invoice, amount, alice)
    assert (refusal.value.code, list(refusal.value.fields)) == (code, ["amount"])
    assert not Payment.objects.exists()


def test_offline_overpayment_becomes_credit_when_requested(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 120_000, alice, keep_rest_as_credit=True)
    assert payment.allocated_minor == 100_000
    assert credit.balances(invoice.customer) == [Money(20_000, "USD")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "Barter"}, "method"),
        ({"paid_on": today(present(), "UTC") + timedelta(days=2)}, "paid_on"),
        ({"reference": "x" * 121}, "reference"),
        ({"note": "x" * 401}, "note"),
        ({"amount": Money(100, "CAD")}, "amount"),
    ],
)
def test_offline_payment_with_invalid_field_is_refused_by_field(
    invoice: Invoice, alice: Actor, changes: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        record(invoice, 40_000, alice, **changes)
    assert list(refusal.value.fields) == [field]


def test_offline_payment_of_draft_invoice_is_refused(dana: Customer, alice: Actor) -> None:
    with pytest.raises(InvoiceNotSent):
        record(personas.draft_invoice(dana), 100, alice)


def test_offline_payment_mails_receipt_only_when_requested(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 10_000, alice)
    assert not Mail.objects.filter(kind="receipt").exists()
    record(invoice, 10_000, alice, send_receipt=True)
    assert Mail.objects.get(kind="receipt").to == [invoice.customer.email]


def test_offline_payment_is_recorded_once_per_idempotency_key(invoice: Invoice, alice: Actor) -> None:
    first = record(invoice, 10_000, alice, idempotency_key="form-1")
    assert record(invoice, 10_000, alice, idempotency_key="form-1") == first
    with pytest.raises(Conflict):
        record(invoice, 20_000, alice, idempotency_key="form-1")
    assert Payment.objects.count() == 1


def test_offline_payment_idempotency_key_of_another_invoice_conflicts(
    invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    record(invoice, 10_000, alice, idempotency_key="form-1")
    with pytest.raises(Conflict):
        record(personas.sent_invoice(dana), 10_000, alice, idempotency_key="form-1")


# The open request (R7)


def test_offline_payment_leaves_request_within_amount_due_open(
    open_request: PaymentRequest, alice: Actor
) -> None:
    record(open_request.invoice, 70_000, alice)
    open_request.refresh_from_db()
    assert open_request.status == "open"


def test_offline_payment_cancels_request_larger_than_amount_due(
    open_request: PaymentRequest, alice: Actor
) -> None:
    record(open_request.invoice, 70_001, alice)
    open_request.refresh_from_db()
    assert (open_request.status, open_request.cancel_reason) == ("canceled", "offline_payment")


def test_offline_payment_that_cancels_request_mails_requester(
    open_request: PaymentRequest, dana: Customer
) -> None:
    bob = Actor("member", "mem_bob", "Bob")
    record(open_request.invoice, 100_000, bob)
    mail = Mail.objects.get(kind="payment_request_ended")
    assert (mail.to, mail.data) == ([dana.organization.email], {"reason": "offline_payment"})


def test_offline_payment_by_requester_mails_no_request_ended(
    open_request: PaymentRequest, alice: Actor
) -> None:
    record(open_request.invoice, 100_000, alice)
    assert not Mail.objects.filter(kind="payment_request_ended").exists()


def test_offline_payment_closes_checkout_of_canceled_request(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    record(open_request.invoice, 100_000, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)


def test_offline_payment_closes_pay_now_checkout(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    payment = gateway_driver.start(invoice)
    record(invoice, 10_000, alice)
    payment.refresh_from_db()
    assert payment.status == "canceled"
    assert gateway_driver.start(Invoice.objects.get()).amount_minor == 90_000


def test_offline_payment_releases_authorized_card(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    record(open_request.invoice, 100_000, alice)
    assert (refresh_payment(payment, now=present()).status, gateway_driver.captures_of(payment)) == (
        "canceled",
        [],
    )


def test_offline_payment_is_refused_when_processing_bank_debit_needs_amount_due(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        record(open_request.invoice, 70_001, alice)
    record(open_request.invoice, 70_000, alice)
    gateway_driver.settle_bank_debit(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"
    assert Invoice.objects.get().status == "paid"


# A written-off invoice


def test_offline_payment_of_written_off_invoice_is_recorded(invoice: Invoice, alice: Actor) -> None:
    write_offs.write_off(invoice, by=alice, now=present())
    record(invoice, 40_000, alice)
    assert Invoice.objects.get().status == "written_off"
    record(invoice, 60_000, alice)
    assert Invoice.objects.get().status == "paid"


# Reversing


def test_reversed_offline_payment_makes_amount_due_again(invoice: Invoice, alice: Actor) -> None:
    payment = reverse(record(invoice, 100_000, alice), alice)
    invoice.refresh_from_db()
    assert (payment.status, payment.failure_message) == ("reversed", "The check bounced.")
    assert (invoice.status, invoice.amount_due_minor, invoice.paid_at) == ("sent", 100_000, None)


def test_reversing_offline_payment_twice_is_idempotent(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 40_000, alice)
    reverse(payment, alice)
    assert reverse(payment, alice).status == "reversed"
    assert Event.objects.filter(type="payment.reversed").count() == 1


def test_reversing_offline_payment_does_not_reopen_canceled_request(
    open_request: PaymentRequest, alice: Actor
) -> None:
    reverse(record(open_request.invoice, 100_000, alice), alice)
    open_request.refresh_from_db()
    assert open_request.status == "canceled"


def test_reversing_offline_payment_removes_credit_applied_elsewhere(
    invoice: Invoice, dana: Customer, alice: Actor
) -> None:
    payment = record(invoice, 150_000, alice, keep_rest_as_credit=True)
    other = personas.sent_invoice(dana, 50_000)
    credit.apply(other, amount=Money(50_000, "USD"), by=alice, now=present())
    reverse(payment, alice)
    assert [one.amount_due_minor for one in Invoice.objects.order_by("number")] == [100_000, 50_000]
    assert set(Invoice.objects.values_list("status", flat=True)) == {"sent"}
    assert credit.balances(dana) == []


def test_reversing_offline_payment_requires_reason(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 40_000, alice)
    with pytest.raises(Invalid):
        reverse(payment, alice, reason="  ")
    payment.refresh_from_db()
    assert payment.status == "succeeded"


def test_online_payment_cannot_be_reversed(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    with pytest.raises(Conflict):
        reverse(payment, alice)


def test_reversed_deposit_is_due_again(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    reverse(personas.record_deposit_check(quote), alice)
    assert personas.record_deposit_check(quote).status == "succeeded"


def test_reversing_offline_payment_writes_negative_allocation(invoice: Invoice, alice: Actor) -> None:
    reverse(record(invoice, 40_000, alice), alice)
    parts = Allocation.objects.order_by("created_at", "id").values_list("cause", "amount_minor")
    assert list(parts) == [("payment", 40_000), ("reversed", -40_000)]


@pytest.mark.parametrize("undo", ["reverse", "move to credit"])
def test_invoice_paid_after_write_off_is_written_off_again(invoice: Invoice, alice: Actor, undo: str) -> None:
    write_offs.write_off(invoice, by=alice, now=present())
    payment = record(invoice, 100_000, alice)
    if undo == "reverse":
        reverse(payment, alice)
    else:
        credit.deallocate(invoice, payment, by=alice, now=present())
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due_minor, invoice.paid_at) == ("written_off", 100_000, None)
    assert invoice.events.filter(type="invoice.written_off").last().data["amount_minor"] == 100_000


def test_invoice_reopened_before_it_was_paid_is_due_again_when_payment_is_reversed(
    invoice: Invoice, alice: Actor
) -> None:
    write_offs.write_off(invoice, by=alice, now=present())
    write_offs.reopen(invoice, by=alice, now=present())
    reverse(record(invoice, 100_000, alice), alice)
    invoice.refresh_from_db()
    assert invoice.status == "sent"


# The modes


def test_payment_modes_can_be_changed_and_limit_offline_payments(invoice: Invoice, alice: Actor) -> None:
    payment_modes.change(invoice.organization, modes=["PayPal  me ", "", "Cash"], by=alice, now=present())
    assert record(invoice, 100, alice, method="PayPal me").method == "PayPal me"
    with pytest.raises(Invalid):
        record(invoice, 100, alice, method="Check")


@pytest.mark.parametrize("wrong", [[], ["Cash", "cash"], ["x" * 41], [str(number) for number in range(21)]])
def test_invalid_payment_modes_are_refused(invoice: Invoice, alice: Actor, wrong: list[str]) -> None:
    with pytest.raises(Invalid), transaction.atomic():
        payment_modes.change(invoice.organization, modes=wrong, by=alice, now=present())


def test_idempotency_key_of_reversed_offline_payment_conflicts(invoice: Invoice, alice: Actor) -> None:
    reverse(record(invoice, 10_000, alice, idempotency_key="form-1"), alice)
    with pytest.raises(Conflict):
        record(invoice, 10_000, alice, idempotency_key="form-1")


def test_offline_payment_idempotency_key_with_other_mode_conflicts(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 10_000, alice, idempotency_key="form-1")
    with pytest.raises(Conflict):
        record(invoice, 10_000, alice, idempotency_key="form-1", method="Cash")


def test_request_ended_mail_goes_to_organization_after_requester_left(
    invoice: Invoice, dana: Customer
) -> None:
    open_request = personas.request_payment(invoice)
    PaymentRequest.objects.update(reply_to="gone@alder.example", requested_by="mem_gone")
    record(open_request.invoice, 100_000, Actor("member", "mem_bob", "Bob"))
    assert Mail.objects.get(kind="payment_request_ended").to == [dana.organization.email]
