"""Payments as the page of an invoice or a quote lists them: how much is allocated here, and which acts are offered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.ledger import allocations
from partway.billing.models import Allocation, Invoice, Payment, Quote
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
    can_refund: bool = False


def of_invoice(ctx: MemberContext, invoice: Invoice) -> list[PaymentRow]:
    """Its own payments, its quote's deposit, and payments of other invoices with credit applied here; latest first."""
    allocated = Allocation.objects.filter(invoice=invoice).values("payment")
    own = Q(invoice=invoice) | Q(quote=invoice.quote_id, quote__isnull=False) | Q(pk__in=allocated)
    payments = Payment.objects.for_organization(ctx.organization).filter(own)
    payments = payments.select_related("gateway_account", "quote", "invoice")
    minor = {payment.pk: amount for payment, amount in allocations.payments_on_invoice(invoice)}
    may_release = Permission.RELEASE_CREDIT in ctx.permissions
    rows = []
    for payment in _latest_first(ctx, payments):
        allocated_here = Money(minor.get(payment.pk, 0), invoice.currency)
        counts = payment.status == "succeeded" and invoice.status != "draft"
        rows.append(
            _row(
                ctx,
                payment,
                allocated_here=allocated_here if counts and allocated_here != payment.captured else None,
                can_release=may_release and bool(allocated_here),
            )
        )
    return rows


def of_quote(ctx: MemberContext, quote: Quote) -> list[PaymentRow]:
    """The deposit and the attempts to pay it, latest first."""
    payments = _latest_first(ctx, quote.payments.select_related("gateway_account"))
    return [_row(ctx, payment) for payment in payments]


def _latest_first(ctx: MemberContext, payments: Iterable[Payment]) -> list[Payment]:
    """Sorts by the day of the payment, which may be long before the day on which it was recorded."""
    zone = ctx.organization.time_zone
    return sorted(payments, key=lambda one: (one.day(zone), one.created_at, one.pk), reverse=True)


def _row(
    ctx: MemberContext, payment: Payment, *, allocated_here: Money | None = None, can_release: bool = False
) -> PaymentRow:
    may_reverse = Permission.REVERSE_PAYMENTS in ctx.permissions
    has_money = payment.status == "succeeded"
    is_refundable = has_money and payment.refunded_minor < (payment.captured_minor or 0)
    return PaymentRow(
        payment,
        receipt_url=links.receipt_url(payment) if payment.captured else "",
        allocated_here=allocated_here,
        can_reverse=may_reverse and payment.is_offline and has_money and not payment.refunded_minor,
        can_release=can_release,
        can_refund=is_refundable and Permission.REFUND_PAYMENTS in ctx.permissions,
    )
