"""Tests of writing off an invoice and of reopening it."""

from __future__ import annotations

import pytest

from partway.billing.errors import Conflict, InvoiceNotSent, NotPayable, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.receivables import write_offs
from partway.lib.clock import now as present
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def write_off(invoice: Invoice, by: Actor) -> Invoice:
    return write_offs.write_off(invoice, by=by, now=present())


def test_write_off_cancels_request_and_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    assert write_off(open_request.invoice, alice).status == "written_off"
    open_request.refresh_from_db()
    payment.refresh_from_db()
    assert (open_request.cancel_reason, payment.status) == ("invoice_written_off", "canceled")
    with pytest.raises(NotPayable):
        gateway_driver.start(open_request.invoice)


def test_write_off_keeps_amount_paid(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    assert write_off(invoice, alice).amount_due_minor == 60_000


def test_write_off_is_refused_while_payment_is_processing(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(open_request, "debit")
    with pytest.raises(PaymentInProgress):
        write_off(open_request.invoice, alice)
    gateway_driver.settle_bank_debit(payment)
    refresh_payment(payment, now=present())


def test_write_off_of_draft_invoice_is_refused(dana: Customer, alice: Actor) -> None:
    with pytest.raises(InvoiceNotSent):
        write_off(personas.draft_invoice(dana), alice)


def test_reopened_invoice_can_be_requested_again(open_request: PaymentRequest, alice: Actor) -> None:
    write_off(open_request.invoice, alice)
    reopened = write_offs.reopen(open_request.invoice, by=alice, now=present())
    open_request.refresh_from_db()
    assert (reopened.status, open_request.status) == ("sent", "canceled")
    assert personas.request_payment(reopened).status == "open"


def test_reopen_of_sent_invoice_is_refused(invoice: Invoice, alice: Actor) -> None:
    with pytest.raises(Conflict):
        write_offs.reopen(invoice, by=alice, now=present())
