"""Takes money off a payment and its invoices for a refund or a lost dispute, and puts it back (DESIGN M2, M3).

The caller holds the locks of `offline_payments.lock_invoices` and has written the row of the refund or the dispute. An
act may put back and take off in turn, so the effects on an invoice follow once, at its end: `apply_effects`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from .. import alerts, events
from ..events import Actor
from ..ledger import adjustments, allocations
from ..models import Dispute, Invoice, Payment, Refund
from . import amount_due

# The ids of invoices of which the amount due changed, each with whether one that was written off before it was paid is
# written off again.
Changed = dict[str, bool]


def is_waiting_deposit(payment: Payment) -> bool:
    """Returns whether this is a deposit that waits for the invoice of its quote (DESIGN D2)."""
    return payment.is_deposit and Payment.objects.waiting_deposits().filter(pk=payment.pk).exists()


def parts(payment: Payment, amount_minor: int) -> list[tuple[str, int]]:
    """Returns from where so much of a payment is taken, in that order, each with its minor units.

    The unallocated part first, with an empty id, then the ids of invoices, the latest first.
    """
    taken = [("", min(amount_minor, payment.unallocated_minor))]
    missing = amount_minor - taken[0][1]
    allocated = allocations.amounts_by_invoice(payment) if missing > 0 else {}
    for pk in sorted(allocated, reverse=True):
        taken.append((pk, min(missing, allocated[pk])))
        missing -= taken[-1][1]
    return [(pk, minor) for pk, minor in taken if minor]


def take_off(
    payment: Payment,
    amount_minor: int,
    invoices: Mapping[str, Invoice],
    *,
    source: Refund | Dispute,
    by: Actor,
    now: datetime,
    voided: Invoice | None = None,
) -> Changed:
    """Counts so much of a payment as given back, or as lost, by the refund or the dispute that is its `source`.

    The unallocated part goes first, then the invoices, the latest first, where it is due again; a refund that reduces
    the invoice settles it there. voided: takes it off this invoice alone, which is about to be voided. Returns the
    invoices for `apply_effects`. Raises AllocationError when the payment has less.
    """
    is_refund = isinstance(source, Refund)
    cause, event_type = (
        ("refunded", "invoice.payment_refunded") if is_refund else ("disputed", "invoice.payment_lost")
    )
    changed: Changed = {}
    taken_off = [(voided.pk, amount_minor)] if voided else parts(payment, amount_minor)
    for pk, part in taken_off:
        if not pk:
            continue
        invoice = invoices[pk]
        allocations.deallocate(payment, invoice, part, cause=cause, source=source, now=now)
        taken = {"amount_minor": part, "currency": invoice.currency, "payment": payment.pk}
        events.record(event_type, invoice, by=by, now=now, data=taken)
        if isinstance(source, Refund) and source.reduces_invoice:
            note = source.note[:300]
            adjustments.settle(invoice, part, reason="goodwill", note=note, source=source, by=by, now=now)
        # Lost money went away by itself, as a check that bounces; a refund is an act by which the rest is asked anew.
        changed[pk] = not is_refund
    if is_refund:
        allocations.count(payment, refunded=amount_minor)
    else:
        allocations.count(payment, lost=amount_minor)
    return changed


def apply_effects(invoices: Mapping[str, Invoice], changed: Changed, *, by: Actor, now: datetime) -> None:
    """Applies what follows on each invoice from all that was put back on it and taken off it, once.

    Between the two it may look paid, or due, for a moment: no request is canceled because of that, and no state moves.
    """
    for pk, restores_write_off in sorted(changed.items()):
        amount_due.apply_effects(
            invoices[pk], reason="invoice_changed", by=by, now=now, restores_write_off=restores_write_off
        )


def end_deposit(payment: Payment) -> dict[str, bool]:
    """Ends a deposit of which money went back or was lost: a quote never has a part of its deposit (DESIGN D1).

    Returns what the event of that says besides: `ends_deposit`, where the payment was a deposit and is none any more.
    """
    if is_waiting_deposit(payment) or (payment.is_deposit and not payment.held_minor):
        payment.deposit_given_back = True
        payment.save(update_fields=["deposit_given_back"])
        return {"ends_deposit": True}
    return {}


def cover_losses(
    payment: Payment,
    invoices: Mapping[str, Invoice],
    *,
    except_for: Refund | Dispute,
    by: Actor,
    now: datetime,
) -> Changed:
    """Counts on a payment that has money again what others took beyond it, the oldest first: no loss any more (M5).

    It is taken from where the money is by now, so the caller has put back on invoices what belongs there: the one that
    is covered then knows what it took off them, for its loss to be settled there, and put back should it end well.
    except_for: the refund or the dispute that set the money free. Returns the invoices for `apply_effects`.
    """
    changed: Changed = {}
    if not payment.refundable_minor:
        return changed
    refunds = payment.refunds.counted().filter(lost_minor__gt=0)
    disputes = payment.disputes.counted().filter(lost_minor__gt=0)
    takers: list[Refund | Dispute] = [row for row in (*refunds, *disputes) if row != except_for]
    for taker in sorted(takers, key=lambda row: row.pk.partition("_")[2]):
        covered = min(payment.refundable_minor, taker.lost_minor)
        if not covered:
            break
        at = now
        if isinstance(taker, Dispute) and taker.closed_at is not None:
            at = max(now, taker.closed_at)  # what it takes since it was lost is found by that time
        taker.lost_minor -= covered
        taker.save(update_fields=["lost_minor"])
        data = {**taker.event_data, "amount_minor": covered, "lost_minor": taker.lost_minor}
        data["status"] = taker.status  # of an open dispute nothing is taken yet
        if isinstance(taker, Dispute) and taker.status == "open":
            allocations.count(payment, frozen=covered)
        else:
            # The first that takes off an invoice decides whether that is written off again.
            changed = take_off(payment, covered, invoices, source=taker, by=by, now=at) | changed
            data |= end_deposit(payment)
        noun = "refund" if isinstance(taker, Refund) else "dispute"
        events.record(f"{noun}.loss_covered", taker, by=by, now=at, data=data)
        _resolve_alert_of_loss(taker, at)
    return changed


def _resolve_alert_of_loss(taker: Refund | Dispute, now: datetime) -> None:
    """Resolves the alert that it took more than was left once nothing of that is a loss; of refunds it is about all."""
    kind, subject, is_loss = "disputed_beyond_payment", taker.pk, taker.lost_minor > 0
    if isinstance(taker, Refund):
        kind, subject = "refunded_beyond_payment", taker.payment_id
        is_loss = taker.payment.refunds.counted().filter(lost_minor__gt=0).exists()
    if not is_loss:
        alerts.auto_resolve(kind, subject=subject, auto_resolution="loss_covered", now=now)


def put_back(
    source: Refund | Dispute, freed: int, invoices: Mapping[str, Invoice], *, by: Actor, now: datetime
) -> Changed:
    """Puts `freed` minor units back on the invoices that a failed refund or a lost dispute had taken them off.

    As far as they fit there still (M2); what does not is credit. Returns the invoices for `apply_effects`.
    """
    payment = source.payment
    if isinstance(source, Refund):
        cause, adjustment_cause, event_type = "restored", "refund_failed", "invoice.payment_restored"
    else:
        cause, adjustment_cause, event_type = "reinstated", "dispute_won", "invoice.payment_reinstated"
    taken_off = allocations.taken_off(source)
    for pk, taken_minor in taken_off.items():
        invoice = invoices[pk]
        # The invoice was reduced because the money was gone. What of it is not would not fit beside the reduction, of
        # which no more stays than stays taken off.
        own = set(source.adjustments.filter(invoice=invoice, cause="settled").values_list("pk", flat=True))
        settled = [(row, left.amount_minor) for row, left in adjustments.standing(invoice) if row.pk in own]
        too_much = sum(minor for _row, minor in settled) - max(0, taken_minor - freed)
        for row, minor in settled:
            if (part := min(minor, too_much)) > 0:
                adjustments.take_back_row(row, invoice, part, cause=adjustment_cause, by=by, now=now)
                too_much -= part
        # What a customer or a bank is paying right now holds its place: it was accepted while this was due.
        committed = sum(each.amount_minor for each in invoice.payments.committed())
        fits = min(freed, taken_minor, invoice.amount_due_minor - committed)
        if fits > 0 and invoice.status != "void":
            freed -= fits
            allocations.allocate(payment, invoice, fits, cause=cause, source=source, now=now)
            data = {"amount_minor": fits, "currency": invoice.currency, "payment": payment.pk}
            events.record(event_type, invoice, by=by, now=now, data=data)
    return dict.fromkeys(taken_off, False)
