"""Makes the signed links of customers and invited people, and finds the row that a link opens (DESIGN R8)."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from partway.accounts.models import Invitation
from partway.lib.links import make_token, verify_token

from .models import Invoice, Payment, PaymentRequest, Quote

_PATHS = {"payment_request": "p", "invoice": "i", "quote": "q"}


def payment_url(source: PaymentRequest | Invoice | Quote) -> str:
    """Returns the link to the page on which a request, invoice or quote can be paid."""
    return _url(_PATHS[source.kind], source.pk)


# The same by noun, so that a call says which page it links to.
request_url: Callable[[PaymentRequest], str] = payment_url
invoice_url: Callable[[Invoice], str] = payment_url
quote_url: Callable[[Quote], str] = payment_url


def receipt_url(payment: Payment) -> str:
    """Returns the link to the page a customer returns to after paying, which becomes the receipt."""
    return _url("r", payment.pk)


def invitation_url(invitation: Invitation) -> str:
    """Returns the link to the page on which the invited person joins."""
    return _url("join", invitation.pk)


def invitation_by_token(token: str) -> Invitation | None:
    """Returns the invitation that this token opens, with its organization, or None; it may have ended."""
    rows = Invitation.objects.select_related("organization")
    return rows.filter(pk=_id(token, "ivt")).first()


def request_by_token(token: str) -> PaymentRequest | None:
    """Returns the request that this token opens, with its invoice, customer and organization, or None."""
    rows = PaymentRequest.objects.select_related("organization", "invoice__customer")
    request = rows.filter(pk=_id(token, "preq")).first()
    if request is not None:
        request.invoice.organization = request.organization  # the same row: not read a second time
    return request


def invoice_by_token(token: str) -> Invoice | None:
    """Returns the invoice that this token opens, with its customer and organization, or None; a draft has no page."""
    rows = Invoice.objects.select_related("organization", "customer").exclude(status="draft")
    return rows.filter(pk=_id(token, "inv")).first()


def quote_by_token(token: str) -> Quote | None:
    """Returns the quote that this token opens, with its customer and organization, or None; a draft has no page."""
    rows = Quote.objects.select_related("organization", "customer").exclude(status="draft")
    return rows.filter(pk=_id(token, "quo")).first()


def payment_by_token(token: str) -> Payment | None:
    """Returns the payment that this token opens, with the rows that its receipt needs, or None."""
    rows = Payment.objects.select_related(
        "organization", "invoice__customer", "quote__customer", "payment_request", "gateway_account"
    )
    payment = rows.filter(pk=_id(token, "pay")).first()
    if payment is not None:
        payment.document.organization = payment.organization
    return payment


def _url(path: str, subject: str) -> str:
    return f"{settings.PARTWAY_URL}/{path}/{make_token(subject, settings.PARTWAY_SECRET_KEYS[0])}/"


def _id(token: str, prefix: str) -> str:
    # A wrong token queries the database too, so that timing does not distinguish it from an unknown id.
    return verify_token(token, prefix, settings.PARTWAY_SECRET_KEYS) or "-"
