"""Takes the money of a refund off its payment and invoices, and puts it back where the refund fails (DESIGN M2).

The caller holds the locks of `offline_payments.lock_invoices` and has written the refund's row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from partway.lib import clock
from partway.lib.money import Money

from ..errors import Conflict
from ..events import Actor
from ..ledger import allocations
from ..models import Invoice, Payment, Refund
from . import deductions


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the money of a refund that failed is by now; the rest of it covers what others took beyond the payment."""

    on_invoice: Money
    credit: Money


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


def moves_by_day(payment: Payment) -> dict[str, Counter[date]]:
    """Returns by how many minor units of a payment each place changed on which day.

    A place is the id of an invoice, or empty for what is on none. Of what was away by a refund that failed, or a lost
    dispute that was won since, only the day counts on which it came back.
    """
    zone = payment.organization.time_zone
    came_on = payment.day(zone)
    moved: dict[str, Counter[date]] = defaultdict(Counter)
    moved[""][came_on] += payment.captured_minor or 0
    for row in payment.allocations.select_related("refund"):
        day = came_on if row.cause == "payment" else clock.today(row.created_at, zone)
        if row.refund is not None and (row.cause, row.refund.mode) == ("refunded", "offline"):
            day = row.refund.refunded_on
        moved[row.invoice_id][day] += row.amount_minor
        moved[""][day] -= row.amount_minor
    for refund in payment.refunds.counted():
        moved[""][refund.day(zone)] -= refund.counted_minor
    for dispute in payment.disputes.lost():
        moved[""][clock.today(dispute.closed_at or dispute.opened_at, zone)] -= dispute.counted_minor
    came_back = payment.events.filter(Q(type="refund.failed") | Q(type="dispute.won", data__from="lost"))
    lost_of = dict(payment.refunds.values_list("pk", "lost_minor"))
    for event in came_back:
        # What it took beyond the payment was never here.
        lost_minor = event.data.get("lost_minor", lost_of.get(event.data.get("refund"), 0))
        minor = event.data["amount_minor"] - lost_minor
        moved[""][came_on] -= minor
        moved[""][clock.today(event.created_at, zone)] += minor
    return moved


def earliest_day(payment: Payment, parts: Iterable[tuple[str, int]]) -> date:
    """Returns the first day on which these `deductions.parts` of a payment can have been given back.

    From then on so much of it was credit, a deposit, or on the invoices that it is taken off. Before, it was not here
    yet, or on another invoice, or away by a refund that failed or a lost dispute that was won since (decision 0054).
    """
    moved, wanted = moves_by_day(payment), dict(parts)
    # Back from now, as long as each day had what is given back.
    left = {place: by_day.total() for place, by_day in moved.items()}
    days = sorted(set[date]().union(*moved.values()), reverse=True)
    earliest, still_on = days[0], dict(wanted)
    still_on.pop("", None)
    for day in days:
        still_on = {place: minor for place, minor in still_on.items() if left[place] >= minor}
        if left[""] + sum(still_on.values()) < sum(wanted.values()):
            break
        earliest = day
        for place, by_day in moved.items():
            left[place] -= by_day[day]
    return earliest


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
    changed = deductions.take_off(
        payment, refund.counted_minor, invoices, source=refund, by=by, now=now, voided=voided
    )
    deductions.apply_effects(invoices, changed, by=by, now=now)
    return {**refund.event_data, "mode": refund.mode, **deductions.end_deposit(payment)}


def dashboard_effect(payment: Payment) -> str:
    """Returns `due_again` while something that refunds in the gateway's dashboard took off an invoice is due there.

    Else `not_due`: it was credit, or its invoice was paid or settled in another way.
    """
    counted = payment.refunds.counted().filter(mode="dashboard")
    invoices = Invoice.objects.filter(allocations__refund__in=counted, status="sent").distinct()
    return "due_again" if any(invoice.amount_due_minor for invoice in invoices) else "not_due"


def restore(
    refund: Refund, invoices: Mapping[str, Invoice], *, puts_back: bool, by: Actor, now: datetime
) -> Restored:
    """Counts a refund no more that failed or was a mistake, so that its payment has the money again.

    puts_back: on the invoices that it was taken off, as far as it fits there; else all of it is credit. Then what
    others took beyond the payment comes off it: that is no loss any more (M3, M5). Returns where it is then. `invoices`
    are the locked rows; of credit none are needed.
    """
    # Another refund that failed in the same report may have covered a loss of this one since its row was read.
    refund.refresh_from_db(fields=["lost_minor"])
    payment, freed = refund.payment, refund.counted_minor
    allocated, credit = payment.allocated_minor, payment.unallocated_minor
    allocations.count(payment, refunded=-freed)
    changed = deductions.put_back(refund, freed, invoices, by=by, now=now) if puts_back else {}
    changed |= deductions.cover_losses(payment, invoices, except_for=refund, by=by, now=now)
    deductions.apply_effects(invoices, changed, by=by, now=now)
    return Restored(
        Money(max(0, payment.allocated_minor - allocated), payment.captured_currency),
        Money(max(0, payment.unallocated_minor - credit), payment.captured_currency),
    )
