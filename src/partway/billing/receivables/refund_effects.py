"""Takes the money of a refund off its payment and invoices, and puts it back where the refund fails (DESIGN M2).

The caller holds the locks of `offline_payments.lock_invoices` and has written the refund's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from partway.lib.money import Money

from ..errors import Conflict
from ..events import Actor
from ..ledger import allocations
from ..models import Invoice, Payment, Refund
from . import deductions


def refundable(payment: Payment) -> Money:
    """Returns how much of a succeeded payment can be given back, wherever it is; no unit that is in a dispute."""
    return Money(payment.refundable_minor, payment.captured_currency)


def not_refundable(payment: Payment) -> Conflict | None:
    """Returns the error that any refund of a succeeded payment raises now, or None."""
    if refundable(payment):
        return None
    return Conflict(reason="refund_disputed" if payment.held_minor else "refunded_already")


def standing(payment: Payment) -> str:
    """Returns where the money of a payment is, as a text that is another once any of it has moved."""
    on_invoices = allocations.amounts_by_invoice(payment)
    return " ".join(
        f"{pk}:{minor}" for pk, minor in (("credit", payment.unallocated_minor), *on_invoices.items())
    )


def deduct(
    refund: Refund,
    invoices: Mapping[str, Invoice],
    *,
    by: Actor,
    now: datetime,
    voided: Invoice | None = None,
) -> dict[str, str | int]:
    """Counts a new refund on its payment: of its unallocated part first, then of its invoices, the latest first.

    On an invoice it is due again, or settled as goodwill. Returns what the event of the refund says of it.
    voided: takes it off this invoice alone, which is about to be voided, and leaves the payment's credit where it is.
    Raises AllocationError when the payment has less.
    """
    payment = refund.payment
    deductions.take_off(payment, refund.counted_minor, invoices, source=refund, by=by, now=now, voided=voided)
    return {**refund.event_data, "mode": refund.mode, **deductions.end_deposit(payment)}


def uncount(refund: Refund, *, by: Actor, now: datetime) -> int:
    """Counts a refund no more that failed or was a mistake; returns the minor units that its payment has again.

    What another refund or a dispute took beyond the payment comes off them first: it is no loss any more (M3, M5).
    """
    # Another refund that failed in the same report may have covered a loss of this one since its row was read.
    refund.refresh_from_db(fields=["lost_minor"])
    payment, before = refund.payment, refund.payment.unallocated_minor
    allocations.count(payment, refunded=-refund.counted_minor)
    # These units are on no invoice, so none is needed to cover a loss with them.
    deductions.cover_losses(payment, {}, except_for=refund, by=by, now=now)
    return payment.unallocated_minor - before


def restore(refund: Refund, invoices: Mapping[str, Invoice], *, by: Actor, now: datetime) -> None:
    """Puts the money of a failed refund back on the invoices that it was taken off; what no longer fits is credit."""
    freed = uncount(refund, by=by, now=now)
    deductions.put_back(refund, freed, invoices, by=by, now=now)
