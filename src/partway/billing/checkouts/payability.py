"""The whitelist of what may be paid, checked for the page and again when money is taken (DESIGN R3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..errors import NotPayable
from ..models import Invoice, Payment, PaymentRequest, Quote

# How long a checkout lives at the gateway, and how long an expiring request waits for one already begun.
CHECKOUT_LIFETIME = timedelta(minutes=30)
EXPIRY_GRACE_PERIOD = timedelta(minutes=35)

# The reason of NotPayable, by the document's status.
_ENDED_QUOTE = {
    "draft": "not_payable",
    "sent": "not_accepted",
    "declined": "declined",
    "expired": "expired",
    "withdrawn": "withdrawn",
    "invoiced": "settled",
}
_ENDED_INVOICE = {"paid": "settled", "void": "void", "written_off": "not_payable", "draft": "not_payable"}


def check(
    document: Invoice | Quote, request: PaymentRequest | None, *, checkout_started_at: datetime
) -> None:
    """Returns if this may be paid; raises NotPayable with the reason that the customer's page shows.

    `document` and `request` must be fresh, and the document locked when money is about to be taken. Without a request
    it is Pay Now for the full amount due, or a quote's deposit.
    """
    if document.kind == "quote":
        _check_deposit(document)
        return
    if request is not None:
        _check_request(request, document, checkout_started_at)
    if document.status != "sent":
        raise NotPayable(_ENDED_INVOICE[document.status])
    if not document.organization.payments_enabled:
        raise NotPayable("payments_off")
    if document.amount_due_minor <= 0:
        raise NotPayable("settled")
    if request is not None and request.amount_requested_minor > document.amount_due_minor:
        raise NotPayable("changed")


def _check_deposit(quote: Quote) -> None:
    """A deposit is paid once, in full, after the quote was accepted and before an invoice is made from it (D1, D2)."""
    if quote.status != "accepted":
        raise NotPayable(_ENDED_QUOTE[quote.status])
    if not quote.organization.payments_enabled:
        raise NotPayable("payments_off")
    if quote.deposit_minor == 0 or quote.payments.deposits().exists():
        raise NotPayable("settled")


def _check_request(request: PaymentRequest, invoice: Invoice, checkout_started_at: datetime) -> None:
    if request.status != "open":
        # A request that ended with its invoice gives the invoice's reason, which is more helpful to its customer.
        # One that ended with a payment says settled only while nothing is due: a check may have bounced.
        reasons = {"invoice_voided": "void", "invoice_written_off": "not_payable"}
        if invoice.amount_due_minor == 0:
            reasons |= {"invoice_paid": "settled", "offline_payment": "settled"}
        raise NotPayable(reasons.get(request.cancel_reason, request.status))
    if request.has_expired(checkout_started_at):
        raise NotPayable("expired")


def check_capture(payment: Payment) -> None:
    """Returns if the money of this payment may be taken now; `payment.document` must be the locked row.

    Raises NotPayable.
    """
    document = payment.document
    # By the time at which the checkout began: a customer who started before expires_at may finish after it (R3).
    check(document, payment.payment_request, checkout_started_at=payment.created_at)
    # Less than is payable is taken as it was authorized, as after an edit up; more than that would overpay the
    # document.
    if payment.amount_minor > document.amount_payable.amount_minor:
        raise NotPayable("changed")


def document_for_update(payment: Payment) -> Invoice | Quote:
    """Returns the payment's invoice or quote, locked until the transaction ends; always locked before the payment."""
    if payment.invoice_id is not None:
        return Invoice.objects.locked(payment.invoice_id)
    return Quote.objects.locked(payment.quote_id or "")
