"""Payments as the page of an invoice or a quote lists them: what stands where, and what can be done with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from partway.billing import links
from partway.billing.ledger import allocations
from partway.billing.models import Allocation, Invoice, Payment, Quote
from partway.lib.money import Money

from .context import Visit


@dataclass(frozen=True, slots=True)
class Row:
    """One payment. `here` is how much of it stands on this invoice, None where that is all of it, or no question."""

    payment: Payment
    receipt_url: str  # empty where nothing came in
    here: Money | None = None
    reversible: bool = False
    movable: bool = False


def of_invoice(visit: Visit, invoice: Invoice) -> list[Row]:
    """Its own payments, its quote's deposit, and those of other invoices whose credit was put on it, newest first."""
    put_here = Allocation.objects.filter(invoice=invoice).values("payment")
    own = Q(invoice=invoice) | Q(quote=invoice.quote_id, quote__isnull=False) | Q(pk__in=put_here)
    payments = Payment.objects.of(visit.organization).filter(own)
    payments = payments.select_related("gateway_account", "quote", "invoice").order_by("-created_at", "-id")
    standing = {payment.pk: amount for payment, amount in allocations.on_invoice(invoice)}
    return [_row(visit, payment, standing.get(payment.pk, 0), invoice) for payment in payments]


def of_quote(visit: Visit, quote: Quote) -> list[Row]:
    """The deposit and the tries to pay it, newest first."""
    payments: Iterable[Payment] = quote.payments.select_related("gateway_account").order_by(
        "-created_at", "-id"
    )
    return [
        Row(payment, _receipt(payment), reversible=_is_reversible(visit, payment)) for payment in payments
    ]


def _row(visit: Visit, payment: Payment, here_minor: int, invoice: Invoice) -> Row:
    here = Money(here_minor, invoice.currency)
    partly = payment.status == "succeeded" and invoice.status != "draft" and here != payment.captured
    return Row(
        payment,
        _receipt(payment),
        here=here if partly else None,
        reversible=_is_reversible(visit, payment),
        movable=visit.may_own and bool(here),
    )


def _receipt(payment: Payment) -> str:
    return links.receipt_url(payment) if payment.captured else ""


def _is_reversible(visit: Visit, payment: Payment) -> bool:
    return visit.may_own and payment.is_offline and payment.status == "succeeded"
