"""Tests of editing a sent invoice: what no longer fits ends, and the version before is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from partway.billing.documents import invoices
from partway.billing.documents.drafts import LineDraft
from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.errors import Conflict, Invalid, PaymentInProgress, Stale
from partway.billing.events import Actor
from partway.billing.models import Allocation, Customer, Event, Invoice, Mail, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.receivables import credit, write_offs
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def draft(invoice: Invoice, total_minor: int) -> InvoiceDraft:
    lines = (LineDraft("Oak staircase, changed", Decimal(1), total_minor, Decimal(0)),)
    return InvoiceDraft(
        customer=invoice.customer, currency=invoice.currency, due_on=invoice.due_on, lines=lines
    )


def edit(invoice: Invoice, total_minor: int, by: Actor) -> Invoice:
    version = Invoice.objects.get(pk=invoice.pk).version
    return invoices.edit(
        invoice, draft=draft(invoice, total_minor), expected_version=version, by=by, now=present()
    )


def test_edit_changes_amount_due(invoice: Invoice, alice: Actor) -> None:
    assert edit(invoice, 120_000, alice).amount_due_minor == 120_000


def test_edit_of_outdated_invoice_version_raises_stale(invoice: Invoice, alice: Actor) -> None:
    edit(invoice, 120_000, alice)
    with pytest.raises(Stale):
        invoices.edit(invoice, draft=draft(invoice, 90_000), expected_version=2, by=alice, now=present())


def test_edit_of_draft_sent_meanwhile_raises_stale(dana: Customer, alice: Actor) -> None:
    written = personas.draft_invoice(dana)
    invoices.send(written, by=alice, now=present())
    with pytest.raises(Stale):
        invoices.edit(written, draft=draft(written, 90_000), expected_version=1, by=alice, now=present())


def edit_seeing(invoice: Invoice, total_minor: int, paid_minor: int, by: Actor) -> Invoice:
    """Edits the invoice with the amount paid that an older page showed."""
    paid, version = Money(paid_minor, "USD"), Invoice.objects.get().version
    changed = draft(invoice, total_minor)
    return invoices.edit(
        invoice, draft=changed, expected_version=version, by=by, now=present(), expected_amount_paid=paid
    )


def test_edit_with_payment_meanwhile_is_not_stale(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    assert edit_seeing(invoice, 40_000, 0, alice).status == "paid"


def test_edit_that_would_turn_unseen_payment_into_credit_raises_stale(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    with pytest.raises(Stale) as refusal:
        edit_seeing(invoice, 39_999, 0, alice)
    assert refusal.value.reason == "payment_becomes_credit"
    assert refusal.value.params == {"paid": Money(40_000, "USD"), "credit": Money(1, "USD")}
    assert edit_seeing(invoice, 39_999, 40_000, alice).amount_paid_minor == 39_999


@pytest.mark.parametrize("field", ["customer", "currency", "lines"])
def test_edit_of_sent_invoice_cannot_change_customer_currency_or_clear_total(
    invoice: Invoice, alice: Actor, field: str
) -> None:
    changed = draft(invoice, 0 if field == "lines" else 90_000)
    if field == "customer":
        changed = replace(changed, customer=personas.customer(invoice.organization, "Eli Other"))
    if field == "currency":
        changed = replace(changed, currency="CAD")
    with pytest.raises(Invalid) as refusal:
        invoices.edit(invoice, draft=changed, expected_version=invoice.version, by=alice, now=present())
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize(("total", "status"), [(30_000, "open"), (29_999, "canceled")])
def test_edit_cancels_request_larger_than_amount_due(
    open_request: PaymentRequest, alice: Actor, total: int, status: str
) -> None:
    edit(open_request.invoice, total, alice)
    open_request.refresh_from_db()
    assert (open_request.status, open_request.cancel_reason) == (
        status,
        "invoice_changed" if status == "canceled" else "",
    )


def test_edit_that_cancels_request_mails_requester(open_request: PaymentRequest) -> None:
    edit(open_request.invoice, 10_000, Actor("member", "mem_bob", "Bob"))
    assert Mail.objects.get(kind="payment_request_ended").data == {"reason": "invoice_changed"}


@pytest.mark.parametrize("way", ["by request", "pay now"])
def test_edit_below_processing_payment_is_refused(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor, way: str
) -> None:
    payment = gateway_driver.start_and_pay(
        open_request if way == "by request" else open_request.invoice, "debit"
    )
    with pytest.raises(PaymentInProgress):
        edit(open_request.invoice, 29_999, alice)
    assert Invoice.objects.get().total_minor == 100_000
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())


def test_edit_closes_checkout_larger_than_amount_due(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    payment = gateway_driver.start(invoice)
    edit(invoice, 99_999, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)


def test_pay_now_authorized_before_an_edit_up_is_captured(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    invoice = open_request.invoice
    payment = gateway_driver.start(invoice)
    gateway_driver.pay(payment)
    edit(invoice, 120_000, alice)
    assert refresh_payment(payment, now=present()).status == "succeeded"
    open_request.refresh_from_db()
    assert Invoice.objects.get().amount_due_minor == 20_000
    assert (open_request.status, open_request.cancel_reason) == ("canceled", "invoice_changed")


def test_pay_now_after_edit_up_charges_new_amount_due(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    before = gateway_driver.start(invoice)
    after = gateway_driver.start(edit(invoice, 120_000, alice))
    before.refresh_from_db()
    assert (before.status, after.amount_minor) == ("canceled", 120_000)


def test_edit_down_to_amount_paid_marks_invoice_paid(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    assert edit(invoice, 40_000, alice).status == "paid"


def test_edit_below_amount_paid_leaves_credit(invoice: Invoice, dana: Customer, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    last = record(invoice, 30_000, alice)
    assert edit(invoice, 55_000, alice).status == "paid"
    assert credit.balances(dana) == [Money(15_000, "USD")]
    assert Allocation.objects.get(cause="edited").payment == last
    assert Event.objects.get(type="invoice.edited").data["credited_minor"] == 15_000


def test_edit_mails_customer_only_when_requested(invoice: Invoice, alice: Actor) -> None:
    edit(invoice, 90_000, alice)
    sent = Mail.objects.filter(kind="invoice_sent")
    assert sent.count() == 1
    version, changed = Invoice.objects.get().version, draft(invoice, 80_000)
    invoices.edit(
        invoice, draft=changed, expected_version=version, by=alice, now=present(), notify_customer=True
    )
    mail = sent.latest("created_at")
    assert mail.data == {"amount_due_minor": 80_000, "currency": "USD", "changed": True}
    assert mail.event.type == "invoice.edited"


def test_edit_up_of_paid_invoice_makes_amount_due_again(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 100_000, alice)
    edited = edit(invoice, 130_000, alice)
    assert (edited.status, edited.amount_due_minor, edited.paid_at) == ("sent", 30_000, None)


def test_edit_of_written_off_invoice_is_refused(invoice: Invoice, alice: Actor) -> None:
    write_offs.write_off(invoice, by=alice, now=present())
    with pytest.raises(Conflict):
        edit(invoice, 90_000, alice)
