"""A payment that came by cash or check is recorded once, and taken back when the check bounces."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from partway.billing.documents import invoices
from partway.billing.errors import Conflict, Invalid, InvoiceNotSent, PaymentInProgress, TooLate
from partway.billing.events import Actor
from partway.billing.models import Allocation, Customer, Event, Invoice, Mail, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import payment_modes
from partway.billing.receivables import credit, offline_payments
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def record(invoice: Invoice, amount_minor: int, by: Actor, **changes: Any) -> Payment:
    day = today(present(), invoice.organization.time_zone)
    offline = OfflinePayment(Money(amount_minor, invoice.currency), "Check", day, "No. 118")
    return offline_payments.record(invoice, offline=replace(offline, **changes), by=by, now=present())


def reverse(payment: Payment, by: Actor, reason: str = "The check bounced.") -> Payment:
    return offline_payments.reverse(payment, reason=reason, by=by, now=present())


def test_it_lowers_what_is_due(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 40_000, alice)
    invoice.refresh_from_db()
    assert (payment.status, payment.method, payment.reference) == ("succeeded", "Check", "No. 118")
    assert (invoice.status, invoice.amount_due_minor) == ("sent", 60_000)


def test_paying_all_of_it_ends_the_invoice(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 100_000, alice)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_at is not None) == ("paid", True)
    with pytest.raises(TooLate):
        record(invoice, 1, alice)


@pytest.mark.parametrize(("amount", "code"), [(0, "amount_too_small"), (100_001, "amount_exceeds_due")])
def test_an_amount_that_cannot_be_is_refused(invoice: Invoice, alice: Actor, amount: int, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        record(invoice, amount, alice)
    assert (refusal.value.code, list(refusal.value.fields)) == (code, ["amount"])
    assert not Payment.objects.exists()


def test_the_rest_is_credit_only_when_that_was_said(invoice: Invoice, alice: Actor) -> None:
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
def test_what_is_wrong_is_said(invoice: Invoice, alice: Actor, changes: Any, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        record(invoice, 40_000, alice, **changes)
    assert list(refusal.value.fields) == [field]


def test_a_draft_takes_no_payment(dana: Customer, alice: Actor) -> None:
    with pytest.raises(InvoiceNotSent):
        record(personas.draft_invoice(dana), 100, alice)


def test_the_receipt_is_mailed_only_when_asked_for(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 10_000, alice)
    assert not Mail.objects.filter(kind="receipt").exists()
    record(invoice, 10_000, alice, send_receipt=True)
    assert Mail.objects.get(kind="receipt").to == [invoice.customer.email]


def test_the_same_form_records_once(invoice: Invoice, alice: Actor) -> None:
    first = record(invoice, 10_000, alice, idempotency_key="form-1")
    assert record(invoice, 10_000, alice, idempotency_key="form-1") == first
    with pytest.raises(Conflict):
        record(invoice, 20_000, alice, idempotency_key="form-1")
    assert Payment.objects.count() == 1


def test_a_form_of_another_invoice_is_refused(invoice: Invoice, dana: Customer, alice: Actor) -> None:
    record(invoice, 10_000, alice, idempotency_key="form-1")
    with pytest.raises(Conflict):
        record(personas.sent_invoice(dana), 10_000, alice, idempotency_key="form-1")


# The open request (R7)


def test_a_request_that_still_fits_stays_open(asked: PaymentRequest, alice: Actor) -> None:
    record(asked.invoice, 70_000, alice)
    asked.refresh_from_db()
    assert asked.status == "open"


def test_a_request_that_no_longer_fits_is_canceled(asked: PaymentRequest, alice: Actor) -> None:
    record(asked.invoice, 70_001, alice)
    asked.refresh_from_db()
    assert (asked.status, asked.cancel_reason) == ("canceled", "offline_payment")


def test_who_asked_is_told(asked: PaymentRequest, dana: Customer) -> None:
    bob = Actor("member", "mem_bob", "Bob")
    record(asked.invoice, 100_000, bob)
    mail = Mail.objects.get(kind="payment_request_ended")
    assert (mail.to, mail.data) == ([dana.organization.email], {"reason": "offline_payment"})


def test_who_did_it_needs_no_mail(asked: PaymentRequest, alice: Actor) -> None:
    record(asked.invoice, 100_000, alice)
    assert not Mail.objects.filter(kind="payment_request_ended").exists()


def test_its_checkout_is_closed(gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor) -> None:
    payment = gateway_driver.start(asked)
    record(asked.invoice, 100_000, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)


def test_so_is_a_checkout_of_pay_now(gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor) -> None:
    payment = gateway_driver.start(invoice)
    record(invoice, 10_000, alice)
    payment.refresh_from_db()
    assert payment.status == "canceled"
    assert gateway_driver.start(Invoice.objects.get()).amount_minor == 90_000


def test_a_card_authorized_before_is_released(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(asked)
    gateway_driver.pay(payment)
    record(asked.invoice, 100_000, alice)
    assert (refresh_payment(payment, now=present()).status, gateway_driver.captures_of(payment)) == (
        "canceled",
        [],
    )


def test_what_a_bank_is_moving_holds_its_place(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(asked, "debit")
    with pytest.raises(PaymentInProgress):
        record(asked.invoice, 70_001, alice)
    record(asked.invoice, 70_000, alice)
    gateway_driver.settle_bank_debit(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"
    assert Invoice.objects.get().status == "paid"


# A written-off invoice


def test_money_for_a_written_off_invoice_is_taken_all_the_same(invoice: Invoice, alice: Actor) -> None:
    invoices.write_off(invoice, by=alice, now=present())
    record(invoice, 40_000, alice)
    assert Invoice.objects.get().status == "written_off"
    record(invoice, 60_000, alice)
    assert Invoice.objects.get().status == "paid"


# Reversing


def test_a_bounced_check_is_due_again(invoice: Invoice, alice: Actor) -> None:
    payment = reverse(record(invoice, 100_000, alice), alice)
    invoice.refresh_from_db()
    assert (payment.status, payment.failure_message) == ("reversed", "The check bounced.")
    assert (invoice.status, invoice.amount_due_minor, invoice.paid_at) == ("sent", 100_000, None)


def test_reversing_twice_is_reversing_once(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 40_000, alice)
    reverse(payment, alice)
    assert reverse(payment, alice).status == "reversed"
    assert Event.objects.filter(type="payment.reversed").count() == 1


def test_no_request_revives(asked: PaymentRequest, alice: Actor) -> None:
    reverse(record(asked.invoice, 100_000, alice), alice)
    asked.refresh_from_db()
    assert asked.status == "canceled"


def test_its_credit_goes_with_it_wherever_it_stands(invoice: Invoice, dana: Customer, alice: Actor) -> None:
    payment = record(invoice, 150_000, alice, keep_rest_as_credit=True)
    other = personas.sent_invoice(dana, 50_000)
    credit.apply(other, amount=Money(50_000, "USD"), by=alice, now=present())
    reverse(payment, alice)
    assert [one.amount_due_minor for one in Invoice.objects.order_by("number")] == [100_000, 50_000]
    assert set(Invoice.objects.values_list("status", flat=True)) == {"sent"}
    assert credit.balances(dana) == []


def test_a_reason_is_needed(invoice: Invoice, alice: Actor) -> None:
    payment = record(invoice, 40_000, alice)
    with pytest.raises(Invalid):
        reverse(payment, alice, reason="  ")
    payment.refresh_from_db()
    assert payment.status == "succeeded"


def test_an_online_payment_is_not_reversed(
    gateway_driver: GatewayDriver, asked: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(asked)
    with pytest.raises(Conflict):
        reverse(payment, alice)


def test_a_bounced_deposit_is_due_again(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    reverse(personas.record_deposit_check(quote), alice)
    assert personas.record_deposit_check(quote).status == "succeeded"


def test_nothing_of_it_is_left_in_the_books(invoice: Invoice, alice: Actor) -> None:
    reverse(record(invoice, 40_000, alice), alice)
    parts = Allocation.objects.order_by("created_at", "id").values_list("cause", "amount_minor")
    assert list(parts) == [("payment", 40_000), ("reversed", -40_000)]


# The modes


def test_an_owner_edits_the_modes(invoice: Invoice, alice: Actor) -> None:
    payment_modes.change(invoice.organization, modes=["PayPal  me ", "", "Cash"], by=alice, now=present())
    assert record(invoice, 100, alice, method="PayPal me").method == "PayPal me"
    with pytest.raises(Invalid):
        record(invoice, 100, alice, method="Check")


@pytest.mark.parametrize("wrong", [[], ["Cash", "cash"], ["x" * 41], [str(number) for number in range(21)]])
def test_a_list_that_makes_no_sense_is_refused(invoice: Invoice, alice: Actor, wrong: list[str]) -> None:
    with pytest.raises(Invalid), transaction.atomic():
        payment_modes.change(invoice.organization, modes=wrong, by=alice, now=present())


def test_a_form_sent_again_after_its_payment_was_reversed_records_nothing(
    invoice: Invoice, alice: Actor
) -> None:
    reverse(record(invoice, 10_000, alice, idempotency_key="form-1"), alice)
    with pytest.raises(Conflict):
        record(invoice, 10_000, alice, idempotency_key="form-1")


def test_a_form_sent_again_with_another_mode_is_refused(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 10_000, alice, idempotency_key="form-1")
    with pytest.raises(Conflict):
        record(invoice, 10_000, alice, idempotency_key="form-1", method="Cash")


def test_whoever_left_the_organization_is_told_nothing(invoice: Invoice, dana: Customer) -> None:
    asked = personas.request_payment(invoice)
    PaymentRequest.objects.update(reply_to="gone@alder.example", requested_by="mem_gone")
    record(asked.invoice, 100_000, Actor("member", "mem_bob", "Bob"))
    assert Mail.objects.get(kind="payment_request_ended").to == [dana.organization.email]
