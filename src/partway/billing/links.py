"""Links that let somebody in: made when a mail is sent or an answer given, read when they come (DESIGN R8)."""

from __future__ import annotations

from django.conf import settings

from partway.accounts.models import Invitation
from partway.lib.links import make_token, verify_token

from .models import Invoice, Payment, PaymentRequest, Quote


def request_url(request: PaymentRequest) -> str:
    """The link that pays this request."""
    return _url("p", request.pk)


def invoice_url(invoice: Invoice) -> str:
    """The link to the hosted invoice page."""
    return _url("i", invoice.pk)


def quote_url(quote: Quote) -> str:
    """The link to the hosted quote page."""
    return _url("q", quote.pk)


def payment_url(source: PaymentRequest | Invoice | Quote) -> str:
    """The link to whatever can be paid."""
    if isinstance(source, PaymentRequest):
        return request_url(source)
    return quote_url(source) if isinstance(source, Quote) else invoice_url(source)


def receipt_url(payment: Payment) -> str:
    """The page a customer returns to after paying, later the receipt."""
    return _url("r", payment.pk)


def invitation_url(invitation: Invitation) -> str:
    """The page on which the invited person joins."""
    return _url("join", invitation.pk)


def invitation_by_token(token: str) -> Invitation | None:
    """The invitation this token opens, with its organization, or None; it may be over."""
    rows = Invitation.objects.select_related("organization")
    return rows.filter(pk=_id(token, "ivt")).first()


def request_by_token(token: str) -> PaymentRequest | None:
    """The request this token opens, with its invoice, customer and organization, or None."""
    rows = PaymentRequest.objects.select_related("organization", "invoice__customer")
    request = rows.filter(pk=_id(token, "preq")).first()
    if request is not None:
        request.invoice.organization = request.organization  # the same row: not read a second time
    return request


def invoice_by_token(token: str) -> Invoice | None:
    """The invoice this token opens, with its customer and organization, or None; drafts have no page."""
    rows = Invoice.objects.select_related("organization", "customer").exclude(status="draft")
    return rows.filter(pk=_id(token, "inv")).first()


def quote_by_token(token: str) -> Quote | None:
    """The quote this token opens, with its customer and organization, or None; drafts have no page."""
    rows = Quote.objects.select_related("organization", "customer").exclude(status="draft")
    return rows.filter(pk=_id(token, "quo")).first()


def payment_by_token(token: str) -> Payment | None:
    """The payment this token shows, with all a receipt needs, or None."""
    rows = Payment.objects.select_related(
        "organization", "invoice__customer", "quote__customer", "payment_request", "gateway_account"
    )
    payment = rows.filter(pk=_id(token, "pay")).first()
    if payment is not None:
        payment.document.organization = payment.organization
    return payment


def _url(door: str, subject: str) -> str:
    return f"{settings.PARTWAY_URL}/{door}/{make_token(subject, settings.PARTWAY_SECRET_KEYS[0])}/"


def _id(token: str, prefix: str) -> str:
    # A wrong token asks the database too, so that time does not tell a wrong token from an unknown id.
    return verify_token(token, prefix, settings.PARTWAY_SECRET_KEYS) or "-"
