"""Payment requests: ask for a part of an invoice, list, read, resend and cancel."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Body, Query, Router
from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema

from partway.accounts.permissions import Permission
from partway.billing.errors import Invalid, field_error
from partway.billing.models.payment_requests import PaymentRequestStatus
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import LinkRecipients, NewPaymentRequest
from partway.lib.money import Money
from partway.lib.return_urls import MAX_LENGTH

from . import lists
from .access import Caller, KeyRequest, call, get_customer, get_own_or_404
from .objects import PaymentRequest, expand, get_invoice, request_rows, shown_request
from .schemas import (
    EXPAND,
    Amount,
    DatedFilters,
    ExternalInput,
    Id,
    Input,
    Page,
    Parameters,
    ReferenceFilter,
    Time,
    shown_as,
)

router = Router(tags=["Payment requests"])

_MOST = payment_requests.MAX_ADDRESSES + 1
Addresses = Annotated[list[str], Field(max_length=_MOST)]
# One text is a list of one; said by hand, since an error of a union is named by its kinds and not by its field.
OneOrMore = Annotated[
    Addresses | None,
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "maxItems": _MOST},
                {"type": "null"},
            ]
        }
    ),
    Field(description="One mail address, or several."),
]


class PaymentRequestList(Page[PaymentRequest]):
    """A page of payment requests, the newest first."""


class PaymentRequestParts(Parameters):
    """The objects that a payment request is returned with."""

    expand: Annotated[list[Literal["invoice"]], Field(max_length=1, description=EXPAND)] = []


class PaymentRequestFilters(DatedFilters, PaymentRequestParts):
    """Which payment requests to list; the bounds of ranges belong to them."""

    status: PaymentRequestStatus | None = None
    invoice: Id | None = None
    customer: Id | None = None
    external_reference: ReferenceFilter | None = None


class PaymentRequestInput(ExternalInput):
    """A request for a part of the amount due.

    to: who gets the link, and the receipt; by default the customer. send: false for a program that shows the link
    itself. return_url: where a button leads the customer who has paid, or whose link has ended; they can read it.
    expires_at: until when it can be paid; left out as the organization's settings say, null without an end.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"amount_requested": 30000, "to": "dana@example.com", "note": "The stairs are in."},
            ]
        }
    )

    amount_requested: Amount
    to: OneOrMore = None
    cc: Addresses = []
    bcc: Addresses = []
    note: str = ""
    send: StrictBool = True
    return_url: Annotated[
        str, Field(max_length=MAX_LENGTH, description="A page of a site that the organization allows.")
    ] = ""
    expires_at: Time | None = None


class Recipients(Input):
    """To whom the link is mailed from now on; without a body, to the same as before."""

    model_config = shown_as(to="office@example.com", cc=["dana@example.com"])

    to: OneOrMore = None
    cc: Addresses = []
    bcc: Addresses = []


class PaymentRequestChanges(ExternalInput):
    """The reference and the metadata of a payment request; nothing else of it changes."""

    model_config = shown_as(external_reference="job-4711-stage-2")


NOTHING, SAME_RECIPIENTS = Input(), Recipients()


def _fresh(caller: Caller, request_id: str) -> PaymentRequest:
    return shown_request(caller, get_own_or_404(caller, request_rows(), request_id))


@call(
    router,
    "POST",
    "/invoices/{invoice_id}/payment_requests",
    permission=Permission.REQUEST_PAYMENTS,
    returns=PaymentRequest,
    status=201,
)
def create(request: KeyRequest, invoice_id: Id, body: PaymentRequestInput) -> PaymentRequest:
    """Asks for a part of what is due on a sent invoice; the customer gets a mail with the payment link.

    With `send` false they get none, and the program shows them the link: it needs a key that may use links.
    """
    caller = request.caller
    invoice = get_invoice(caller, invoice_id)
    expires_at = body.expires_at
    if "expires_at" not in body.model_fields_set:
        expires_at = payment_requests.default_expiry(caller.organization, now=caller.now)
    new_request = NewPaymentRequest(
        amount=Money(body.amount_requested, invoice.currency),
        to=(invoice.customer.email,) if body.to is None else tuple(body.to),
        cc=tuple(body.cc),
        bcc=tuple(body.bcc),
        note=body.note,
        expires_at=expires_at,
        idempotency_key=caller.one_time_key,
        sends_mail=body.send,
        return_url=body.return_url,
        external=body.external,
    )
    made = payment_requests.create(invoice, new_request=new_request, by=caller.actor, now=caller.now)
    return _fresh(caller, made.pk)


@call(
    router,
    "GET",
    "/payment_requests",
    permission=Permission.VIEW_INVOICES,
    returns=PaymentRequestList,
)
def index(request: KeyRequest, filters: Query[PaymentRequestFilters]) -> PaymentRequestList:
    """Lists payment requests, the newest first."""
    caller = request.caller
    columns = {
        "status": filters.status,
        "external_reference": filters.external_reference,
        "invoice": get_invoice(caller, filters.invoice) if filters.invoice else None,
        "invoice__customer": get_customer(caller, filters.customer) if filters.customer else None,
    }
    rows = lists.selected(request_rows(), "payment_request", filters, caller.organization, columns)
    found = lists.page(PaymentRequestList, rows, filters, lambda row: shown_request(caller, row))
    expand(caller, found.data, filters.expand)
    return found


@call(
    router,
    "GET",
    "/payment_requests/{request_id}",
    permission=Permission.VIEW_INVOICES,
    returns=PaymentRequest,
)
def show(request: KeyRequest, request_id: Id, parts: Query[PaymentRequestParts]) -> PaymentRequest:
    """Reads a payment request."""
    found = _fresh(request.caller, request_id)
    expand(request.caller, [found], parts.expand)
    return found


@call(
    router,
    "PATCH",
    "/payment_requests/{request_id}",
    permission=Permission.REQUEST_PAYMENTS,
    returns=PaymentRequest,
)
def change(request: KeyRequest, request_id: Id, body: PaymentRequestChanges) -> PaymentRequest:
    """Changes the reference and the metadata, in every state."""
    caller = request.caller
    found = get_own_or_404(caller, request_rows(), request_id)
    payment_requests.change_external_fields(found, external=body.external, by=caller.actor, now=caller.now)
    return _fresh(caller, request_id)


@call(
    router,
    "POST",
    "/payment_requests/{request_id}/resend",
    permission=Permission.REQUEST_PAYMENTS,
    returns=PaymentRequest,
)
def resend(request: KeyRequest, request_id: Id, body: Body[Recipients] = SAME_RECIPIENTS) -> PaymentRequest:
    """Mails the same link again."""
    caller = request.caller
    recipients = None
    if body.to is not None:
        recipients = LinkRecipients(tuple(body.to), tuple(body.cc), tuple(body.bcc))
    elif given := body.model_fields_set & {"cc", "bcc"}:
        raise Invalid({name: field_error("only_with", other="to") for name in given})
    payment_requests.resend(
        get_own_or_404(caller, request_rows(), request_id),
        recipients=recipients,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return _fresh(caller, request_id)


@call(
    router,
    "POST",
    "/payment_requests/{request_id}/cancel",
    permission=Permission.REQUEST_PAYMENTS,
    returns=PaymentRequest,
)
def cancel(request: KeyRequest, request_id: Id, body: Body[Input] = NOTHING) -> PaymentRequest:
    """Cancels an open payment request: its link cannot be paid any more once this returns."""
    caller = request.caller
    payment_requests.cancel(
        get_own_or_404(caller, request_rows(), request_id), by=caller.actor, now=caller.now
    )
    return _fresh(caller, request_id)
