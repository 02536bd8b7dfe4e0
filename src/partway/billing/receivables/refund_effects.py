"""Takes the money of a refund off its payment and invoices, and puts it back where the refund fails (DESIGN M2).

The caller holds the locks of `offline_payments.lock_invoices` and has written the refund's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Sum

from partway.lib.money import Money

from .. import events
from ..events import Actor
from ..ledger import adjustments, allocations
from ..models import Invoice, Payment, Refund
from . import amount_due


def refundable(payment: Payment) -> Money:
    """Returns how much of a succeeded payment was not given back yet, wherever it is."""
    return Money((payment.captured_minor or 0) - payment.refunded_minor, payment.captured_currency)


def is_waiting_deposit(payment: Payment) -> bool:
    """Returns whether this is a deposit that waits for the invoice of its quote (DESIGN D2)."""
    return payment.is_deposit and Payment.objects.waiting_deposits().filter(pk=payment.pk).exists()


def deduct(
    refund: Refund, invoices: Mapping[str, Invoice], *, by: Actor, now: datetime
) -> dict[str, str | int]:
    """Counts a new refund on its payment: of its unallocated part first, then of its invoices, the latest first.

    On an invoice it is due again, or settled as goodwill. Returns what the event of the refund says of it, with
    `ends_deposit` where the payment was a deposit and is none any more: a quote never has a part of its deposit (D1).
    Raises AllocationError when the payment has less.
    """
    payment = refund.payment
    missing = refund.counted_minor - payment.unallocated_minor
    allocated = allocations.amounts_by_invoice(payment) if missing > 0 else {}
    for pk in sorted(allocated, reverse=True):
        part = min(missing, allocated[pk])
        if not part:
            break
        invoice = invoices[pk]
        allocations.deallocate(payment, invoice, part, cause="refunded", refund=refund, now=now)
        taken = {"amount_minor": part, "currency": invoice.currency, "payment": payment.pk}
        events.record("invoice.payment_refunded", invoice, by=by, now=now, data=taken)
        if refund.reduces_invoice:
            note = refund.note[:300]
            adjustments.settle(invoice, part, reason="goodwill", note=note, refund=refund, by=by, now=now)
        amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now)
        missing -= part
    if refund.counted_minor:
        allocations.count_refund(payment, refund.counted_minor)
    data = {**refund.event_data, "mode": refund.mode}
    if is_waiting_deposit(payment) or (payment.is_deposit and not refundable(payment)):
        data["ends_deposit"] = True
        payment.deposit_given_back = True
        payment.save(update_fields=["deposit_given_back"])
    return data


def uncount(refund: Refund, *, by: Actor, now: datetime) -> int:
    """Counts a refund no more that failed or was a mistake; returns the minor units that its payment has again.

    What another refund sent back beyond the payment comes off them first: it is no loss any more (M3, M5).
    """
    freed = refund.counted_minor
    if freed:
        allocations.count_refund(refund.payment, -freed)
    for other in refund.payment.refunds.counted().filter(lost_minor__gt=0).exclude(pk=refund.pk):
        if covered := min(freed, other.lost_minor):
            other.lost_minor -= covered
            other.save(update_fields=["lost_minor"])
            allocations.count_refund(refund.payment, covered)
            data = {**other.event_data, "amount_minor": covered, "lost_minor": other.lost_minor}
            events.record("refund.loss_covered", other, by=by, now=now, data=data)
            freed -= covered
    return freed


def restore(refund: Refund, invoices: Mapping[str, Invoice], *, by: Actor, now: datetime) -> None:
    """Puts the money of a failed refund back on the invoices that it was taken off; what no longer fits is credit."""
    payment = refund.payment
    freed = uncount(refund, by=by, now=now)
    taken = refund.payment.allocations.filter(refund=refund).values_list("invoice")
    for pk, sum_minor in taken.annotate(sum=Sum("amount_minor")).order_by("invoice"):
        invoice = invoices[pk]
        # The invoice was reduced because the money went back. It did not, and would not fit beside the reduction.
        for row, left in adjustments.standing(invoice):
            if row.refund_id == refund.pk:
                adjustments.take_back_row(
                    row, invoice, left.amount_minor, cause="refund_failed", by=by, now=now
                )
        # What a customer or a bank is paying right now holds its place: it was accepted while this was due.
        committed = sum(each.amount_minor for each in invoice.payments.committed())
        fits = min(freed, -sum_minor, invoice.amount_due_minor - committed)
        if fits > 0 and invoice.status != "void":
            freed -= fits
            allocations.allocate(payment, invoice, fits, cause="restored", refund=refund, now=now)
            data = {"amount_minor": fits, "currency": invoice.currency, "payment": payment.pk}
            events.record("invoice.payment_restored", invoice, by=by, now=now, data=data)
        amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now)
