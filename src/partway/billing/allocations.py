"""Puts captured money against invoices; what fits nowhere stays the customer's credit (DESIGN M2, M3)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Sum

from partway.lib.money import Money

from .models import Allocation, Invoice, Payment


def allocate(payment: Payment, invoice: Invoice, *, captured: Money, now: datetime) -> int:
    """Put as much of what was captured against the locked invoice as still fits; answers minor units put.

    The invoice's row is raised by a conditional update, so that even without the lock it could never be overpaid.
    """
    if captured.currency != invoice.currency or invoice.status != "sent":
        return 0
    amount_minor = min(captured.amount_minor, invoice.amount_due_minor)
    if amount_minor <= 0:
        return 0
    _raise_amount_paid(invoice, amount_minor)
    Allocation.objects.create(
        organization_id=payment.organization_id,
        payment=payment,
        invoice=invoice,
        amount_minor=amount_minor,
        currency=invoice.currency,
        created_at=now,
    )
    return amount_minor


def _raise_amount_paid(invoice: Invoice, amount_minor: int) -> None:
    fits = Invoice.objects.filter(pk=invoice.pk, total_minor__gte=F("amount_paid_minor") + amount_minor)
    if not fits.update(amount_paid_minor=F("amount_paid_minor") + amount_minor):
        raise RuntimeError(f"invoice {invoice.pk} changed while it was locked")
    invoice.amount_paid_minor += amount_minor


def free(payment: Payment) -> Money | None:
    """What of a succeeded payment stands on no invoice: the customer's credit, or a deposit waiting for its invoice."""
    if payment.captured is None:
        return None
    return Money(payment.captured.amount_minor - allocated_minor(payment), payment.captured.currency)


def allocated_minor(payment: Payment) -> int:
    """How much of this payment stands on invoices, in minor units."""
    return Allocation.objects.filter(payment=payment).aggregate(sum=Sum("amount_minor"))["sum"] or 0
