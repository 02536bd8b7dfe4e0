"""Payments, refunds and disputes as calls return them."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from django.db.models import Prefetch
from pydantic import BaseModel

from partway.billing import models
from partway.billing.models.disputes import DisputeReason, DisputeStatus
from partway.billing.models.payments import PaymentQuerySet, PaymentStatus
from partway.billing.models.refunds import RefundMode, RefundReason, RefundStatus
from partway.lib.money import Money

from .access import Caller, get_own_or_404
from .objects import Expandable
from .schemas import MoneyAmount


class AllocatedPart(BaseModel):
    """The part of a payment that pays an invoice."""

    invoice: str
    amount: int


class Refund(BaseModel):
    """A part of a payment that was given back, in minor units of its currency.

    mode: by hand (offline), through the payment service, or begun in its dashboard. reduces_invoice: what it took off
    an invoice is settled there, instead of being due again. fee: the service's, null while it has not said it.
    """

    id: str
    payment: str
    status: RefundStatus
    mode: RefundMode
    amount: int
    currency: str
    reason: RefundReason | None
    method: str
    refunded_on: date
    reference: str
    note: str
    reduces_invoice: bool
    is_automatic: bool
    failure_code: str
    failure_message: str
    fee: MoneyAmount | None
    created_at: datetime


class Dispute(BaseModel):
    """A part of a payment that the customer's bank asks back, in minor units of its currency.

    evidence_due_at: until when evidence can be submitted at the payment service. fee: what that charges by now.
    """

    id: str
    payment: str
    status: DisputeStatus
    reason: DisputeReason
    amount: int
    currency: str
    evidence_due_at: datetime | None
    fee: MoneyAmount | None
    opened_at: datetime
    closed_at: datetime | None


class Payment(Expandable):
    """One attempt to collect, or money that a member received.

    amount: what was asked for, in minor units of `currency`. received: what came in, null until something did; the
    other amounts are parts of it, in its currency. amount_disputed: frozen by open disputes. amount_unallocated: on no
    invoice, which is the customer's credit, or a deposit that waits for its invoice. gateway: null for an offline one.
    """

    id: str
    status: PaymentStatus
    amount: int
    currency: str
    received: MoneyAmount | None
    amount_refunded: int
    amount_refundable: int
    amount_disputed: int
    amount_lost: int
    amount_unallocated: int
    fee: MoneyAmount | None
    allocations: list[AllocatedPart]
    refunds: list[Refund]
    disputes: list[Dispute]
    method: str
    gateway: str | None
    customer: str
    invoice: str | None
    quote: str | None
    payment_request: str | None
    paid_on: date
    reference: str
    note: str
    failure_code: str
    failure_message: str
    created_at: datetime
    settled_at: datetime | None


def payment_rows() -> PaymentQuerySet:
    """Returns payments with all that `shown_payment` reads."""
    rows = models.Payment.objects.select_related("organization", "invoice", "quote", "gateway_account")
    refunds = Prefetch("refunds", models.Refund.objects.order_by("created_at", "pk"))
    disputes = Prefetch("disputes", models.Dispute.objects.order_by("opened_at", "pk"))
    return rows.prefetch_related("allocations", refunds).prefetch_related(disputes)


def get_payment(caller: Caller, payment_id: str) -> models.Payment:
    """Returns this organization's payment, with its document and customer, or raises Http404."""
    rows = models.Payment.objects.select_related("organization", "invoice__customer", "quote__customer")
    return get_own_or_404(caller, rows, payment_id)


def fresh_payment(caller: Caller, payment_id: str) -> Payment:
    """Returns the payment as it is stored now, or raises Http404."""
    return shown_payment(caller, get_own_or_404(caller, payment_rows(), payment_id))


def shown_payment(caller: Caller, row: models.Payment) -> Payment:
    """Returns a payment of `payment_rows`."""
    allocated: Counter[str] = Counter()
    for part in row.allocations.all():
        allocated[part.invoice_id] += part.amount_minor
    return Payment(
        id=row.pk,
        status=PaymentStatus(row.status),
        amount=row.amount_minor,
        currency=row.currency,
        received=shown_money(row.captured),
        amount_refunded=row.refunded_minor,
        amount_refundable=row.refundable_minor if row.status == PaymentStatus.SUCCEEDED else 0,
        amount_disputed=row.frozen_minor,
        amount_lost=row.lost_minor,
        amount_unallocated=row.unallocated_minor if row.status == PaymentStatus.SUCCEEDED else 0,
        fee=shown_money(row.fee),
        allocations=[AllocatedPart(invoice=pk, amount=minor) for pk, minor in allocated.items() if minor],
        refunds=[shown_refund(refund) for refund in row.refunds.all()],
        disputes=[shown_dispute(dispute) for dispute in row.disputes.all()],
        method=row.method,
        gateway=row.gateway_account.gateway if row.gateway_account else None,
        customer=row.document.customer_id,
        invoice=row.invoice_id,
        quote=row.quote_id,
        payment_request=row.payment_request_id,
        paid_on=row.day(caller.organization.time_zone),
        reference=row.reference,
        note=row.note,
        failure_code=row.failure_code,
        failure_message=row.failure_message,
        created_at=row.created_at,
        settled_at=row.settled_at,
    )


def shown_refund(row: models.Refund) -> Refund:
    """Returns a refund as calls return it."""
    return Refund(
        id=row.pk,
        payment=row.payment_id,
        status=RefundStatus(row.status),
        mode=RefundMode(row.mode),
        amount=row.amount_minor,
        currency=row.currency,
        reason=RefundReason(row.reason) if row.reason else None,
        method=row.method,
        refunded_on=row.refunded_on,
        reference=row.reference,
        note=row.note,
        reduces_invoice=row.reduces_invoice,
        is_automatic=row.is_automatic,
        failure_code=row.failure_code,
        failure_message=row.failure_message,
        fee=shown_money(row.fee),
        created_at=row.created_at,
    )


def shown_dispute(row: models.Dispute) -> Dispute:
    """Returns a dispute as calls return it."""
    return Dispute(
        id=row.pk,
        payment=row.payment_id,
        status=DisputeStatus(row.status),
        reason=DisputeReason(row.reason),
        amount=row.amount_minor,
        currency=row.currency,
        evidence_due_at=row.evidence_due_at,
        fee=shown_money(row.fee),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def shown_money(money: Money | None) -> MoneyAmount | None:
    """Returns an amount beside its currency."""
    return None if money is None else MoneyAmount.of(money)
