"""Allocates captured money to invoices and deallocates it; the unallocated rest is credit (DESIGN M2, M3).

The payment and the invoice of an allocation both keep its sum, and conditional updates change both: even without a
lock an invoice cannot be overpaid, and no money can be allocated twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Sum

from partway.accounts.prepared import PreparedUpdate, insert
from partway.lib.money import Money

from ..models import Allocation, Dispute, Invoice, Payment, Refund

# A written-off invoice too, because its money may come after all.
ALLOCATABLE_STATUSES = ("sent", "written_off")


class AllocationError(RuntimeError):
    """A row changed while it was locked, or a sum was wrong: a programming error, never a user's."""


def allocatable(invoice: Invoice, money: Money) -> int:
    """Returns how much of this money the invoice can still take, in minor units."""
    if money.currency != invoice.currency or invoice.status not in ALLOCATABLE_STATUSES:
        return 0
    # Never more than is due: an invoice cannot be overpaid, and what does not fit is the customer's credit (M2).
    return max(0, min(money.amount_minor, invoice.amount_due_minor))


def allocate(
    payment: Payment,
    invoice: Invoice,
    amount_minor: int,
    *,
    cause: str,
    now: datetime,
    source: Refund | Dispute | None = None,
) -> None:
    """Allocates so much of a succeeded payment to the locked invoice; zero writes nothing. Raises AllocationError.

    source: the refund that failed, or the lost dispute that was won, for the causes `restored` and `reinstated`.
    """
    if amount_minor:
        # The payment first: its condition refuses money that is spent already before the invoice is touched.
        count(payment, allocated=amount_minor, keeps_frozen=cause == "credit")
        record_allocation(payment, invoice, amount_minor, cause=cause, now=now, source=source)


def record_allocation(
    payment: Payment,
    invoice: Invoice,
    amount_minor: int,
    *,
    cause: str,
    now: datetime,
    source: Refund | Dispute | None = None,
) -> None:
    """Allocates like `allocate`, for a payment whose `allocated_minor` the caller has written already."""
    if amount_minor:
        _count_on_invoice(invoice, amount_minor)
        _write(payment, invoice, amount_minor, cause, now, source)


def deallocate(
    payment: Payment,
    invoice: Invoice,
    amount_minor: int,
    *,
    cause: str,
    now: datetime,
    source: Refund | Dispute | None = None,
) -> None:
    """Takes so much of this payment off the locked invoice: it becomes credit, unless the payment is reversed.

    source: the refund or the lost dispute that takes it off, for the causes `refunded` and `disputed`.
    """
    if amount_minor:
        _count_on_invoice(invoice, -amount_minor)
        count(payment, allocated=-amount_minor)
        _write(payment, invoice, -amount_minor, cause, now, source)


def _paid_more(amount_minor: Any, pk: Any) -> tuple[QuerySet[Invoice], dict[str, Any]]:
    """Returns the invoice, where it is paid between nothing and its total after that, and the column to write."""
    paid = F("amount_paid_minor") + amount_minor
    within_total = {"then__gte": 0, "total_minor__gte": paid + F("adjusted_minor")}
    return Invoice.objects.filter(pk=pk).annotate(then=paid).filter(**within_total), {
        "amount_paid_minor": paid
    }


_count_paid = PreparedUpdate(_paid_more)


def _count_on_invoice(invoice: Invoice, amount_minor: int) -> None:
    if not _count_paid.run(amount_minor, invoice.pk):
        raise AllocationError(f"invoice {invoice.pk} cannot take {amount_minor}")
    # The row in memory follows, because the effects that come next read the amount due from it.
    invoice.amount_paid_minor += amount_minor


def count(
    payment: Payment,
    *,
    allocated: int = 0,
    refunded: int = 0,
    frozen: int = 0,
    lost: int = 0,
    keeps_frozen: bool = False,
) -> None:
    """Changes the sums of a succeeded payment by so many minor units, all in one conditional update.

    keeps_frozen: spends no unit that an open dispute freezes. Raises AllocationError when the payment has not enough.
    """
    changes = {
        "allocated_minor": allocated,
        "refunded_minor": refunded,
        "frozen_minor": frozen,
        "lost_minor": lost,
    }
    then = {name: F(name) + change for name, change in changes.items()}
    gone = then["refunded_minor"] + then["lost_minor"]
    rows = Payment.objects.succeeded().filter(pk=payment.pk)
    # Frozen units are allocated or not, so they are counted beside what is allocated, and not with it.
    rows = rows.filter(captured_minor__gte=gone + then["allocated_minor"])
    rows = rows.filter(captured_minor__gte=gone + then["frozen_minor"])
    if keeps_frozen:
        rows = rows.filter(captured_minor__gte=gone + then["allocated_minor"] + then["frozen_minor"])
    changes = {name: change for name, change in changes.items() if change}
    for name, change in changes.items():
        rows = rows.filter(**{f"{name}__gte": -change})
    if changes and not rows.update(**{name: then[name] for name in changes}):
        raise AllocationError(f"payment {payment.pk} cannot count {changes}")
    for name, change in changes.items():
        setattr(payment, name, getattr(payment, name) + change)


def _write(
    payment: Payment,
    invoice: Invoice,
    amount_minor: int,
    cause: str,
    now: datetime,
    source: Refund | Dispute | None,
) -> None:
    allocation = Allocation(
        refund=source if isinstance(source, Refund) else None,
        dispute=source if isinstance(source, Dispute) else None,
        organization_id=payment.organization_id,
        payment=payment,
        invoice=invoice,
        cause=cause,
        amount_minor=amount_minor,
        currency=invoice.currency,
        created_at=now,
    )
    insert(allocation)


def unallocated(payment: Payment) -> Money | None:
    """Returns the part of a succeeded payment that is here and on no invoice; else None.

    It is the customer's credit, or a deposit that waits for its invoice; an open dispute may freeze it.
    """
    if payment.captured is None or payment.status != "succeeded":
        return None
    return Money(payment.unallocated_minor, payment.captured.currency)


def payments_on_invoice(invoice: Invoice) -> list[tuple[Payment, int]]:
    """Returns the payments that are allocated to this invoice now, newest first, each with its minor units."""
    sums = Allocation.objects.filter(invoice=invoice).values_list("payment").annotate(sum=Sum("amount_minor"))
    allocated = {pk: amount for pk, amount in sums.order_by("payment") if amount}
    payments = Payment.objects.filter(pk__in=allocated).order_by("-settled_at", "-pk")
    return [(payment, allocated[payment.pk]) for payment in payments]


def amounts_by_invoice(payment: Payment) -> dict[str, int]:
    """Returns the ids of the invoices that this payment is allocated to now, each with its minor units."""
    sums = Allocation.objects.filter(payment=payment).values_list("invoice").annotate(sum=Sum("amount_minor"))
    return {pk: amount for pk, amount in sums.order_by("invoice") if amount}


def taken_off(source: Refund | Dispute) -> dict[str, int]:
    """Returns the ids of the invoices that a refund or a lost dispute is taken off now, each with its minor units.

    Of a dispute since it was lost the last time: a win in between has put back what fitted, and that is over.
    """
    rows = source.allocations.all()
    if isinstance(source, Dispute):
        rows = rows.filter(created_at__gte=source.closed_at)
    sums = rows.values_list("invoice").annotate(sum=Sum("amount_minor")).order_by("invoice")
    return {pk: -amount for pk, amount in sums if amount}


def allocated_amount(payment: Payment, invoice: Invoice) -> int:
    """Returns how much of this payment is allocated to this invoice, in minor units."""
    return amounts_by_invoice(payment).get(invoice.pk, 0)
