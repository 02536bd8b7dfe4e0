"""Payments as the page of an invoice or a quote lists them: what stands where, and what can be done with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from partway.billing import links
from partway.billing.ledger import allocations
from partway.billing.models import Allocation, Invoice, Payment, Quote
from partway.lib.money import Money

from .context import MemberContext


@dataclass(frozen=True, slots=True)
class Row:
    """One payment. `here` is how much of it stands on this invoice, None where that is all of it, or no question."""

    payment: Payment
    receipt_url: str  # empty where nothing came in
    allocated_here: Money | None = None
    can_reverse: bool = False
    can_release: bool = False


def of_invoice(ctx: MemberContext, invoice: Invoice) -> list[Row]:
    """Its own payments, its quote's deposit, and those of other invoices whose credit was put on it, newest first."""
    put_here = Allocation.objects.filter(invoice=invoice).values("payment")
    own = Q(invoice=invoice) | Q(quote=invoice.quote_id, quote__isnull=False) | Q(pk__in=put_here)
    payments = Payment.objects.for_organization(ctx.organization).filter(own)
    payments = payments.select_related("gateway_account", "quote", "invoice").order_by("-created_at", "-id")
    standing = {payment.pk: amount for payment, amount in allocations.payments_on_invoice(invoice)}
    return [_row(ctx, payment, standing.get(payment.pk, 0), invoice) for payment in payments]


def of_quote(ctx: MemberContext, quote: Quote) -> list[Row]:
    """The deposit and the tries to pay it, newest first."""
    payments: Iterable[Payment] = quote.payments.select_related("gateway_account").order_by(
        "-created_at", "-id"
    )
    return [Row(payment, _receipt(payment), can_reverse=_is_reversible(ctx, payment)) for payment in payments]


def _row(ctx: MemberContext, payment: Payment, here_minor: int, invoice: Invoice) -> Row:
    allocated_here = Money(here_minor, invoice.currency)
    partly = (
        payment.status == "succeeded" and invoice.status != "draft" and allocated_here != payment.captured
    )
    return Row(
        payment,
        _receipt(payment),
        allocated_here=allocated_here if partly else None,
        can_reverse=_is_reversible(ctx, payment),
        can_release=ctx.is_owner and bool(allocated_here),
    )


def _receipt(payment: Payment) -> str:
    return links.receipt_url(payment) if payment.captured else ""


def _is_reversible(ctx: MemberContext, payment: Payment) -> bool:
    return ctx.is_owner and payment.is_offline and payment.status == "succeeded"
