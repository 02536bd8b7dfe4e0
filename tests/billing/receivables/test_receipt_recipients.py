"""Tests of to whom a receipt goes: the customer, and those whom the money was asked of."""

from __future__ import annotations

import pytest

from partway.billing import outbox
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Mail, PaymentRequest
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import LinkRecipients, NewPaymentRequest
from partway.lib.clock import now
from partway.lib.money import Money
from tests.support import personas

BOOKS, CHIEF = "books@customer.example", "chief@customer.example"


@pytest.fixture
def request_to_books(invoice: Invoice, alice: Actor) -> PaymentRequest:
    """A request for $300.00 to the bookkeeper, with a copy to the chief and a hidden one."""
    wanted = NewPaymentRequest(Money(30_000, "USD"), to=(BOOKS,), cc=(CHIEF,), bcc=("bob@alder.example",))
    return payment_requests.create(invoice, new_request=wanted, by=alice, now=now())


def receipt() -> tuple[list[str], list[str], list[str]]:
    mail = Mail.objects.get(kind="receipt")
    return mail.to, mail.cc, mail.bcc


def test_receipt_of_request_goes_to_customer_and_whom_it_asked(
    invoice: Invoice, request_to_books: PaymentRequest
) -> None:
    personas.captured_payment(invoice, 30_000, request=request_to_books)
    assert receipt() == ([invoice.customer.email, BOOKS], [CHIEF], [])


def test_receipt_of_pay_now_goes_to_whom_the_canceled_request_asked(
    invoice: Invoice, request_to_books: PaymentRequest
) -> None:
    personas.captured_payment(invoice, 100_000)
    request_to_books.refresh_from_db()
    assert request_to_books.cancel_reason == "invoice_paid"
    assert receipt() == ([invoice.customer.email, BOOKS], [CHIEF], [])


@pytest.mark.parametrize("amount_minor", [10_000, 90_000])
def test_receipt_of_offline_payment_goes_to_whom_the_open_request_asked(
    invoice: Invoice, request_to_books: PaymentRequest, amount_minor: int
) -> None:
    personas.record_check(invoice, amount_minor, send_receipt=True)
    assert receipt() == ([invoice.customer.email, BOOKS], [CHIEF], [])


def test_receipt_goes_to_corrected_recipients_of_request(
    invoice: Invoice, request_to_books: PaymentRequest, alice: Actor
) -> None:
    corrected = LinkRecipients(("new@customer.example",))
    payment_requests.resend(request_to_books, recipients=corrected, by=alice, now=now())
    personas.record_check(invoice, 10_000, send_receipt=True)
    assert receipt() == ([invoice.customer.email, "new@customer.example"], [], [])


def test_request_that_a_member_withdrew_or_that_was_paid_asks_for_nothing_more(
    invoice: Invoice, request_to_books: PaymentRequest, alice: Actor
) -> None:
    customer = invoice.customer.email
    payment_requests.cancel(request_to_books, by=alice, now=now())
    assert outbox.receipt_recipients(invoice) == ([customer], [])
    wanted = NewPaymentRequest(Money(30_000, "USD"), to=(BOOKS,))
    paid = payment_requests.create(invoice, new_request=wanted, by=alice, now=now())
    assert outbox.receipt_recipients(invoice) == ([customer, BOOKS], [])
    personas.captured_payment(invoice, 30_000, request=paid)
    assert outbox.receipt_recipients(invoice) == ([customer], [])


def test_receipt_names_each_mailbox_once(invoice: Invoice, alice: Actor) -> None:
    personas.change_address(invoice.customer, "Dana@büro.example")
    wanted = NewPaymentRequest(
        Money(30_000, "USD"), to=("dana@xn--bro-hoa.example",), cc=("DANA@büro.example", CHIEF)
    )
    request = payment_requests.create(invoice, new_request=wanted, by=alice, now=now())
    assert outbox.receipt_recipients(invoice, request) == (["Dana@büro.example"], [CHIEF])


@pytest.mark.parametrize(
    ("status", "to"),
    [
        ("queued", ["new@customer.example", "dana.whitfield@customer.example"]),
        ("failed", ["new@customer.example"]),
    ],
)
def test_receipt_without_request_goes_to_whom_the_invoice_was_mailed(
    invoice: Invoice, status: str, to: list[str]
) -> None:
    Mail.objects.filter(kind="invoice_sent").update(status=status)
    personas.change_address(invoice.customer, "new@customer.example")
    personas.captured_payment(Invoice.objects.get(), 100_000)
    assert receipt() == (to, [], [])


@pytest.mark.parametrize("online", [True, False])
def test_receipt_of_deposit_goes_to_customer_and_whom_the_quote_was_mailed(
    dana: Customer, online: bool
) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.change_address(quote.customer, "new@customer.example")
    assert outbox.receipt_recipients(quote)[0] == ["new@customer.example", "dana.whitfield@customer.example"]
    if not online:
        personas.record_deposit_check(quote)
        assert receipt()[0] == ["new@customer.example", "dana.whitfield@customer.example"]
