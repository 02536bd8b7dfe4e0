"""Payments as the page of an invoice or a quote lists them: how much is allocated here, and which acts are offered.

Among them are the rests that were settled without a payment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, Sum

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.ledger import adjustments
from partway.billing.models import Adjustment, Allocation, Invoice, Payment, Quote
from partway.billing.models.disputes import DisputeReason
from partway.lib import clock
from partway.lib.money import Money

from .context import MemberContext


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment. `allocated_here` is its part on this invoice; None where that is all of it or means nothing."""

    payment: Payment
    receipt_url: str  # empty where nothing was captured
    allocated_here: Money | None = None
    can_reverse: bool = False
    can_release: bool = False
    can_refund: bool = False  # by hand; of an online payment through its gateway too
    on_its_way: Money | None = None  # the part of what was given back that the gateway has not confirmed

    @property
    def status(self) -> str:
        """Its status as each page names it."""
        return payment_status(self.payment)


@dataclass(frozen=True, slots=True)
class SettledRow:
    """A rest that was settled, and how much of that stands."""

    adjustment: Adjustment
    left: Money


def payment_status(payment: Payment) -> str:
    """Returns the stored status, or what is derived: unwanted, disputed, lost, returned, … (DESIGN section 4)."""
    if payment.is_unwanted:
        return "unwanted"
    if payment.frozen_minor:
        return "disputed"
    if payment.lost_minor:  # which is rare, so that this may ask once for each
        in_disputes = payment.disputes.lost().exclude(reason=DisputeReason.DEBIT_RETURNED)
        return "lost" if in_disputes.exists() else "returned"
    if not payment.refunded_minor:
        return payment.status
    return "refunded" if payment.refunded_minor == payment.captured_minor else "partly_refunded"


def of_invoice(ctx: MemberContext, invoice: Invoice) -> list[PaymentRow | SettledRow]:
    """Its own payments, its quote's deposit, credit of other invoices that was applied, settled rests; latest first."""
    sums = Allocation.objects.filter(invoice=invoice).values_list("payment").annotate(Sum("amount_minor"))
    minor = dict(sums.order_by())
    own = Q(invoice=invoice) | Q(pk__in=list(minor))
    if invoice.quote_id:
        own |= Q(quote=invoice.quote_id)
    payments = Payment.objects.filter(own).select_related("gateway_account", "quote", "invoice")
    may_release = Permission.RELEASE_CREDIT in ctx.permissions
    zone = ctx.organization.time_zone
    rows: list[tuple[tuple[date, datetime, str], PaymentRow | SettledRow]] = [
        ((clock.today(row.created_at, zone), row.created_at, row.pk), SettledRow(row, left))
        for row, left in adjustments.standing(invoice)
    ]
    for payment in payments:
        allocated_here = Money(minor.get(payment.pk, 0), invoice.currency)
        counts = payment.status == "succeeded" and invoice.status != "draft"
        row = payment_row(
            ctx,
            payment,
            allocated_here=allocated_here if counts and allocated_here != payment.captured else None,
            can_release=may_release and bool(allocated_here),
        )
        rows.append((_moment(payment, zone), row))
    return [row for _, row in sorted(rows, key=lambda keyed: keyed[0], reverse=True)]


def of_quote(ctx: MemberContext, quote: Quote) -> list[PaymentRow]:
    """The deposit and the attempts to pay it, latest first."""
    zone = ctx.organization.time_zone
    payments = quote.payments.select_related("gateway_account")
    latest_first = sorted(payments, key=lambda payment: _moment(payment, zone), reverse=True)
    return [payment_row(ctx, payment) for payment in latest_first]


def _moment(payment: Payment, zone: str) -> tuple[date, datetime, str]:
    """The day of the payment first, which may be long before the day on which it was recorded."""
    return payment.day(zone), payment.created_at, payment.pk


def payment_row(
    ctx: MemberContext, payment: Payment, *, allocated_here: Money | None = None, can_release: bool = False
) -> PaymentRow:
    """Returns the row of one payment."""
    may_reverse = Permission.REVERSE_PAYMENTS in ctx.permissions
    has_money = payment.status == "succeeded"
    pending = None
    if payment.refunded_minor:  # few payments have refunds
        pending = payment.refunds.pending().aggregate(sum=Sum("amount_minor"))["sum"]
    is_refundable = has_money and payment.refundable_minor > 0
    return PaymentRow(
        payment,
        receipt_url=links.receipt_url(payment) if payment.captured else "",
        allocated_here=allocated_here,
        can_reverse=may_reverse and payment.is_offline and has_money and not payment.refunded_minor,
        can_release=can_release,
        can_refund=is_refundable and Permission.REFUND_PAYMENTS in ctx.permissions,
        on_its_way=Money(pending, payment.captured_currency) if pending else None,
    )
