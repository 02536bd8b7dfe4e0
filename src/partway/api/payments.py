"""Payments: list and read, record and reverse offline ones, give money back, and send receipts again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Body, Query, Router
from pydantic import ConfigDict, Field, StrictBool

from partway.accounts.permissions import Permission
from partway.billing import models
from partway.billing.errors import Invalid, field_error
from partway.billing.models.payments import PaymentStatus
from partway.billing.models.refunds import RefundReason
from partway.billing.payments import refunds as gateway_refunds
from partway.billing.payments.refunds import NewRefund
from partway.billing.receivables import offline_payments, receipts, refunds
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.receivables.refunds import OutsideRefund
from partway.lib.money import Money

from . import lists
from .access import KeyRequest, call, get_customer, get_own_or_404
from .objects import expand, get_invoice
from .payment_objects import (
    Payment,
    Refund,
    fresh_payment,
    get_payment,
    payment_rows,
    shown_payment,
    shown_refund,
)
from .schemas import (
    EXPAND,
    Amount,
    DatedFilters,
    Day,
    Id,
    Input,
    Page,
    Parameters,
    SearchText,
    Time,
    shown_as,
)

router = Router(tags=["Payments"])


class PaymentList(Page[Payment]):
    """A page of payments, the newest first."""


class PaymentParts(Parameters):
    """The objects that a payment is returned with; its refunds and disputes are in it always."""

    expand: Annotated[
        list[Literal["customer", "invoice", "payment_request"]], Field(max_length=3, description=EXPAND)
    ] = []


class PaymentFilters(DatedFilters, PaymentParts):
    """Which payments to list; the bounds of ranges belong to them."""

    status: PaymentStatus | None = None
    method: Annotated[str, Field(max_length=60)] = ""
    customer: Id | None = None
    invoice: Id | None = None
    quote: Id | None = None
    payment_request: Id | None = None
    settled_from: Time | None = None
    settled_until: Time | None = None
    search: Annotated[
        SearchText, Field(description="Words of the reference, the note, the document or the customer.")
    ] = ""


class OfflinePaymentInput(Input):
    """Money that was received on an invoice.

    method: one of the payment modes of the organization's settings. keep_rest_as_credit: takes more than is due.
    paid_before_issue: it was paid on a day before the invoice was sent. send_receipt: mails the customer a receipt.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"amount": 50000, "method": "Check", "paid_on": "2026-11-27", "reference": "No. 118"},
            ]
        }
    )

    amount: Amount
    method: str
    paid_on: Day
    reference: str = ""
    note: str = ""
    send_receipt: StrictBool = False
    keep_rest_as_credit: StrictBool = False
    paid_before_issue: StrictBool = False


class Reversal(Input):
    """Why money that was recorded is not there after all, or is not gone."""

    model_config = shown_as(reason="The check bounced.")

    reason: str


class RefundInput(Input):
    """Money to give back of a payment, in minor units of the currency that was received.

    reason: why; it is needed for what is sent back through the payment service. method: with it, it records money that
    was given back by hand, as of an offline payment always; then refunded_on and reference too. reduce_invoice: what is
    taken off an invoice is settled there as goodwill, instead of being due again.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"amount": 15000, "reason": "complaint", "note": "Scratched banister."},
                {"amount": 15000, "method": "Cash", "refunded_on": "2026-11-27"},
            ]
        }
    )

    amount: Amount
    reason: RefundReason | None = None
    note: str = ""
    reduce_invoice: StrictBool = False
    method: str = ""
    refunded_on: Annotated[Day | None, Field(description="By default today.")] = None
    reference: str = ""


NOTHING = Input()


@call(router, "GET", "/payments", permission=Permission.VIEW_PAYMENTS, returns=PaymentList)
def index(request: KeyRequest, filters: Query[PaymentFilters]) -> PaymentList:
    """Lists payments, the newest first."""
    caller = request.caller
    columns: dict[str, Any] = {
        "status": filters.status,
        "method": filters.method or None,
        "settled_at__gte": filters.settled_from,
        "settled_at__lte": filters.settled_until,
    }
    if filters.invoice:
        columns["invoice"] = get_invoice(caller, filters.invoice)
    if filters.quote:
        columns["quote"] = get_own_or_404(caller, models.Quote.objects.all(), filters.quote)
    if filters.payment_request:
        asked = get_own_or_404(caller, models.PaymentRequest.objects.all(), filters.payment_request)
        columns["payment_request"] = asked
    rows = lists.selected(
        payment_rows(), "payment", filters, caller.organization, columns, search=filters.search
    )
    if filters.customer:
        rows = rows.of_customer(get_customer(caller, filters.customer))
    found = lists.page(PaymentList, rows, filters, lambda row: shown_payment(caller, row))
    expand(caller, found.data, filters.expand)
    return found


@call(
    router,
    "POST",
    "/invoices/{invoice_id}/payments",
    permission=Permission.RECORD_PAYMENTS,
    returns=Payment,
    status=201,
)
def record(request: KeyRequest, invoice_id: Id, body: OfflinePaymentInput) -> Payment:
    """Records money that was received on an invoice in cash, by check or by transfer.

    A payment request that asks for more than is due then is canceled.
    """
    caller = request.caller
    invoice = get_invoice(caller, invoice_id)
    typed = body.model_dump(exclude={"amount"})
    offline = OfflinePayment(
        amount=Money(body.amount, invoice.currency), idempotency_key=caller.one_time_key, **typed
    )
    made = offline_payments.record(invoice, offline=offline, by=caller.actor, now=caller.now)
    return fresh_payment(caller, made.pk)


@call(router, "GET", "/payments/{payment_id}", permission=Permission.VIEW_PAYMENTS, returns=Payment)
def show(request: KeyRequest, payment_id: Id, parts: Query[PaymentParts]) -> Payment:
    """Reads a payment, with what became of it."""
    found = fresh_payment(request.caller, payment_id)
    expand(request.caller, [found], parts.expand)
    return found


@call(
    router,
    "POST",
    "/payments/{payment_id}/reverse",
    permission=Permission.REVERSE_PAYMENTS,
    returns=Payment,
)
def reverse(request: KeyRequest, payment_id: Id, body: Reversal) -> Payment:
    """Takes back an offline payment, as a check that bounced: what it paid is due again."""
    caller = request.caller
    payment = get_payment(caller, payment_id)
    offline_payments.reverse(payment, reason=body.reason, by=caller.actor, now=caller.now)
    return fresh_payment(caller, payment_id)


@call(
    router,
    "POST",
    "/payments/{payment_id}/resend_receipt",
    permission=Permission.SEND_RECEIPTS,
    returns=Payment,
)
def resend_receipt(request: KeyRequest, payment_id: Id, body: Body[Input] = NOTHING) -> Payment:
    """Mails the customer the receipt again."""
    caller = request.caller
    payment = get_payment(caller, payment_id)
    receipts.resend(payment, by=caller.actor, now=caller.now, idempotency_key=caller.one_time_key)
    return fresh_payment(caller, payment_id)


@call(
    router,
    "POST",
    "/payments/{payment_id}/refunds",
    permission=Permission.REFUND_PAYMENTS,
    returns=Refund,
    status=201,
)
def refund(request: KeyRequest, payment_id: Id, body: RefundInput) -> Refund:
    """Gives back a part of a payment: through the payment service, or recorded as given back by hand.

    A refund through the service can be pending for days, and can fail after it succeeded. No payment request is revived
    by it.
    """
    caller = request.caller
    payment = get_payment(caller, payment_id)
    amount = Money(body.amount, payment.captured_currency or payment.currency)
    shared: dict[str, Any] = {
        "amount": amount,
        "note": body.note,
        "reduces_invoice": body.reduce_invoice,
        "idempotency_key": caller.one_time_key,
    }
    if body.method or payment.is_offline:
        given_back = OutsideRefund(
            reason=body.reason or "",
            method=body.method,
            refunded_on=body.refunded_on or caller.day_of_call,
            reference=body.reference,
            **shared,
        )
        customer = payment.document.customer
        [row] = refunds.record(customer, refund=given_back, payment=payment, by=caller.actor, now=caller.now)
    elif given := body.model_fields_set & {"refunded_on", "reference"}:
        raise Invalid({name: field_error("only_with", other="method") for name in given})
    else:
        new_refund = NewRefund(reason=body.reason or "", **shared)
        row = gateway_refunds.refund(payment, new_refund=new_refund, by=caller.actor, now=caller.now)
    return shown_refund(row)


@call(router, "GET", "/refunds/{refund_id}", permission=Permission.VIEW_PAYMENTS, returns=Refund)
def show_refund(request: KeyRequest, refund_id: Id) -> Refund:
    """Reads a refund."""
    return shown_refund(get_own_or_404(request.caller, models.Refund.objects.all(), refund_id))


@call(
    router,
    "POST",
    "/refunds/{refund_id}/reverse",
    permission=Permission.REFUND_PAYMENTS,
    returns=Refund,
)
def reverse_refund(request: KeyRequest, refund_id: Id, body: Reversal) -> Refund:
    """Takes back a refund that was recorded by mistake: the money is the customer's credit."""
    caller = request.caller
    row = get_own_or_404(caller, models.Refund.objects.all(), refund_id)
    return shown_refund(refunds.reverse(row, reason=body.reason, by=caller.actor, now=caller.now))
