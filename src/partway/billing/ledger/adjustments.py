"""Settles a rest of an invoice without a payment, and takes that back; the invoice keeps the sum (DESIGN M2)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Sum

from partway.lib.money import Money

from .. import events
from ..events import Actor
from ..models import Adjustment, Dispute, Invoice, Refund
from .allocations import AllocationError


def standing(invoice: Invoice) -> list[tuple[Adjustment, Money]]:
    """Returns the adjustments of which something is left, newest first, each with what is left of it."""
    if not invoice.adjusted_minor:
        return []
    rows = Adjustment.objects.filter(invoice=invoice, cause="settled")
    taken = rows.annotate(taken_minor=Sum("taken_back__amount_minor")).order_by("-created_at", "-pk")
    left = [(row, Money(row.amount_minor + (row.taken_minor or 0), row.currency)) for row in taken]
    return [(row, amount) for row, amount in left if amount]


def settle(
    invoice: Invoice,
    amount_minor: int,
    *,
    reason: str,
    note: str,
    by: Actor,
    now: datetime,
    idempotency_key: str | None = None,
    source: Refund | Dispute | None = None,
) -> Adjustment:
    """Settles so much of what is due on the locked invoice, with its event. Raises AllocationError for more.

    source: the refund that reduces the invoice by it, or the lost dispute whose money is taken as a loss.
    """
    _count_on_invoice(invoice, amount_minor)
    of = {
        "refund": source if isinstance(source, Refund) else None,
        "dispute": source if isinstance(source, Dispute) else None,
    }
    row = _write(invoice, amount_minor, cause="settled", reason=reason, note=note, by=by, now=now, **of)
    data = {
        "amount_minor": amount_minor,
        "currency": invoice.currency,
        "reason": reason,
        "note": note,
        "adjustment": row.pk,
    }
    events.record("invoice.settled", invoice, by=by, now=now, data=data, idempotency_key=idempotency_key)
    return row


def take_back(
    invoice: Invoice, *, cause: str, by: Actor, now: datetime, at_most_minor: int | None = None
) -> Money:
    """Makes due again what was settled on the locked invoice, the latest first; returns how much that was.

    at_most_minor: no more than that; None for all of it. Zero writes nothing.
    """
    left = invoice.adjusted_minor if at_most_minor is None else min(at_most_minor, invoice.adjusted_minor)
    taken = Money(left, invoice.currency)
    for row, standing_amount in standing(invoice) if left else ():
        part = min(left, standing_amount.amount_minor)
        if part:
            take_back_row(row, invoice, part, cause=cause, by=by, now=now)
            left -= part
    return taken


def take_back_row(
    row: Adjustment, invoice: Invoice, amount_minor: int, *, cause: str, by: Actor, now: datetime
) -> None:
    """Makes so much of one adjustment due again, with its event."""
    _count_on_invoice(invoice, -amount_minor)
    taken = _write(
        invoice, -amount_minor, cause=cause, reason=row.reason, note="", by=by, now=now, taken_from=row
    )
    data = {
        "amount_minor": amount_minor,
        "currency": invoice.currency,
        "reason": row.reason,
        "cause": cause,
        "adjustment": taken.pk,
    }
    events.record("invoice.adjustment_taken_back", invoice, by=by, now=now, data=data)


def _count_on_invoice(invoice: Invoice, amount_minor: int) -> None:
    adjusted = F("adjusted_minor") + amount_minor
    within_total = {"then__gte": 0, "total_minor__gte": adjusted + F("amount_paid_minor")}
    fits = Invoice.objects.filter(pk=invoice.pk).annotate(then=adjusted).filter(**within_total)
    if not fits.update(adjusted_minor=adjusted):
        raise AllocationError(f"invoice {invoice.pk} cannot be adjusted by {amount_minor}")
    invoice.adjusted_minor += amount_minor


def _write(
    invoice: Invoice,
    amount_minor: int,
    *,
    cause: str,
    reason: str,
    note: str,
    by: Actor,
    now: datetime,
    **references: Adjustment | Refund | Dispute | None,
) -> Adjustment:
    return Adjustment.objects.create(
        organization_id=invoice.organization_id,
        invoice=invoice,
        **references,
        cause=cause,
        reason=reason,
        amount_minor=amount_minor,
        currency=invoice.currency,
        note=note,
        actor_id=by.id,
        actor_label=by.label,
        created_at=now,
    )
