"""Makes the signed links of customers and invited people, and finds the row that a link opens (DESIGN R8)."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db.models import Model

from partway.accounts.models import Invitation
from partway.accounts.prepared import Prepared
from partway.lib.links import make_token, verify_token

from .models import Event, Invoice, Payment, PaymentRequest, Quote
from .models.parties import ISSUED

Linked = PaymentRequest | Invoice | Quote | Payment | Invitation | Event

# The first part of the path, by the row that the link opens.
_PATHS: dict[type[Model], str] = {
    PaymentRequest: "p",
    Invoice: "i",
    Quote: "q",
    Payment: "r",
    Event: "s",
    Invitation: "join",
}


def link_path(row: Linked) -> str:
    """Returns the path of the row's link, for forms and scripts of our own pages, whatever host they were opened on."""
    return f"/{_PATHS[type(row)]}/{make_token(row.pk, settings.PARTWAY_SECRET_KEYS[0])}/"


def _url(row: Linked) -> str:
    return f"{settings.PARTWAY_URL}{link_path(row)}"


# By noun, so that a call says which page it links to, and gives it a row of that page.
payment_url: Callable[[PaymentRequest | Invoice | Quote], str] = _url  # where it can be paid
request_url: Callable[[PaymentRequest], str] = _url
invoice_url: Callable[[Invoice], str] = _url
quote_url: Callable[[Quote], str] = _url
receipt_url: Callable[[Payment], str] = _url  # the page after paying, which becomes the receipt
statement_url: Callable[[Event], str] = _url  # of the event that it was sent by
invitation_url: Callable[[Invitation], str] = _url


_request_by_id = Prepared(
    lambda pk: PaymentRequest.objects.select_related("organization", "invoice__customer").filter(pk=pk)
)
_invoice_by_id = Prepared(
    lambda pk: (
        Invoice.objects.select_related("organization", "customer", *ISSUED)
        .exclude(status="draft")
        .filter(pk=pk)
    )
)
_payment_by_id = Prepared(
    lambda pk: Payment.objects.select_related(
        *("organization", *ISSUED, "invoice__customer", "quote__customer", "payment_request"),
        "gateway_account",
    ).filter(pk=pk)
)


def invitation_by_token(token: str) -> Invitation | None:
    """Returns the invitation that this token opens, with its organization, or None; it may have ended."""
    rows = Invitation.objects.select_related("organization")
    return rows.filter(pk=_id(token, "ivt")).first()


def request_by_token(token: str) -> PaymentRequest | None:
    """Returns the request that this token opens, with its invoice, customer and organization, or None."""
    request = _request_by_id.first(_id(token, "preq"))
    if request is not None:
        request.invoice.organization = request.organization  # the same row: not read a second time
    return request


def invoice_by_token(token: str) -> Invoice | None:
    """Returns the invoice that this token opens, with its customer and organization, or None; a draft has no page."""
    return _invoice_by_id.first(_id(token, "inv"))


def quote_by_token(token: str) -> Quote | None:
    """Returns the quote that this token opens, with its customer and organization, or None; a draft has no page."""
    rows = Quote.objects.select_related("organization", "customer", *ISSUED).exclude(status="draft")
    return rows.filter(pk=_id(token, "quo")).first()


def payment_by_token(token: str) -> Payment | None:
    """Returns the payment that this token opens, with the rows that its receipt needs, or None."""
    payment = _payment_by_id.first(_id(token, "pay"))
    if payment is not None:
        payment.document.organization = payment.organization
    return payment


def statement_by_token(token: str) -> Event | None:
    """Returns the event of the statement of account that this token opens, with its customer, or None."""
    rows = Event.objects.select_related("organization", "customer__organization")
    return rows.filter(pk=_id(token, "evt"), type="customer.statement_sent").first()


def _id(token: str, prefix: str) -> str:
    # A wrong token queries the database too, so that timing does not distinguish it from an unknown id.
    return verify_token(token, prefix, settings.PARTWAY_SECRET_KEYS) or "-"
