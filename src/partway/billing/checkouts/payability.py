"""The one whitelist of what may be paid, asked for the page and again when money is taken (DESIGN R3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..errors import NotPayable
from ..models import Invoice, Payment, PaymentRequest, Quote

# How long a checkout lives at the gateway, and how long an expiring request waits for one already begun.
CHECKOUT_LIFETIME = timedelta(minutes=30)
EXPIRY_GRACE_PERIOD = timedelta(minutes=35)

_DEAD_REQUEST = {"paid": "paid", "canceled": "canceled", "expired": "expired"}
_DEAD_QUOTE = {
    "draft": "not_payable",
    "sent": "not_accepted",
    "declined": "declined",
    "expired": "expired",
    "invoiced": "settled",
}
_DEAD_INVOICE = {"paid": "settled", "void": "void", "written_off": "not_payable", "draft": "not_payable"}


def check(
    document: Invoice | Quote, request: PaymentRequest | None, *, checkout_started_at: datetime
) -> None:
    """Return if this may be paid, else raise NotPayable with the reason for the page.

    `document` and `request` must be fresh (locked, when money is about to be taken); `begun_at` is when the checkout
    began. Without a request it is Pay Now for the full amount due, or a quote's deposit.
    """
    if isinstance(document, Quote):
        _check_deposit(document)
    else:
        _check_invoice(document, request, checkout_started_at)


def _check_deposit(quote: Quote) -> None:
    """A deposit is paid once, in full, when the quote was accepted and no invoice was made of it yet (D1, D2)."""
    if quote.status != "accepted":
        raise NotPayable(_DEAD_QUOTE[quote.status])
    if not quote.organization.payments_enabled:
        raise NotPayable("payments_off")
    if quote.deposit_minor == 0 or quote.payments.deposits().exists():
        raise NotPayable("settled")


def _check_invoice(invoice: Invoice, request: PaymentRequest | None, checkout_started_at: datetime) -> None:
    if request is not None:
        _check_request(request, invoice, checkout_started_at)
    if invoice.status != "sent":
        raise NotPayable(_DEAD_INVOICE[invoice.status])
    if not invoice.organization.payments_enabled:
        raise NotPayable("payments_off")
    if invoice.amount_due_minor <= 0:
        raise NotPayable("settled")
    if request is not None and request.amount_requested_minor > invoice.amount_due_minor:
        raise NotPayable("changed")


def _check_request(request: PaymentRequest, invoice: Invoice, checkout_started_at: datetime) -> None:
    if request.status != "open":
        # A request that ended because the invoice did says so, which helps whoever holds the link more.
        # One that ended with a payment says so only as long as nothing is due: a check may have bounced.
        by_end_of_invoice = {"invoice_voided": "void", "invoice_written_off": "not_payable"}
        if invoice.amount_due_minor == 0:
            by_end_of_invoice |= {"invoice_paid": "settled", "offline_payment": "settled"}
        raise NotPayable(by_end_of_invoice.get(request.cancel_reason, _DEAD_REQUEST[request.status]))
    if request.has_expired(checkout_started_at):
        raise NotPayable("expired")


def check_capture(payment: Payment, document: Invoice | Quote, request: PaymentRequest | None) -> None:
    """The same question under the document's lock, for a payment whose money could be taken now."""
    check(document, request, checkout_started_at=payment.created_at)
    if payment.amount_minor > max_payable_minor(document):
        raise NotPayable("changed")


def max_payable_minor(document: Invoice | Quote) -> int:
    """What a payment of this document may take at most, in minor units."""
    return document.deposit_minor if isinstance(document, Quote) else document.amount_due_minor


def document_for_update(payment: Payment) -> Invoice | Quote:
    """The invoice or quote of this payment, held until the transaction ends; always locked before the payment."""
    if payment.invoice_id is not None:
        return Invoice.objects.locked(payment.invoice_id)
    return Quote.objects.locked(payment.quote_id or "")
