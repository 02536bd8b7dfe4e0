"""Applies the gateway's list of disputes of one checkout to our books: the only place that books them (DESIGN P6, M3).

Monotone: the same lists in any order, any number of times, end the same. It makes no call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from partway.accounts.prepared import Prepared
from partway.gateways import protocol
from partway.gateways.protocol import DisputeStatus
from partway.lib.money import Money

from .. import alerts, events, outbox
from ..events import Actor
from ..ledger import allocations
from ..models import Dispute, Event, Invoice, Payment
from ..models.disputes import DisputeReason
from ..receivables import deductions, dispute_losses
from ..states import move

# Before the last day for evidence: long enough to look for a delivery note.
REMIND_BEFORE = timedelta(days=2)

_FEE = ("fee_minor", "fee_currency")


_disputes = Prepared(lambda payment: Dispute.objects.filter(payment=payment))


def versions(payment: Payment) -> dict[str, int]:
    """Returns the version of each dispute of a payment by the gateway's id: read it before the state is fetched."""
    return {dispute.gateway_ref: dispute.version for dispute in _disputes.all(payment.pk)}


def apply(
    payment: Payment,
    reported: Sequence[protocol.Dispute],
    invoices: Mapping[str, Invoice],
    known: Mapping[str, int],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Books what is new in the gateway's disputes of a payment, of which `invoices` are the locked rows.

    known: the `versions` from before the state was fetched. A dispute that was booked since is only moved forward: the
    fetched state may be the older one, and the next reading of the list has the newest. A payment whose money is not
    booked yet has none to dispute.
    """
    if payment.status != "succeeded":
        return
    for row, report in changes(payment, reported):
        if row is not None:
            # What an earlier report set free may have covered a loss of this one since its row was read.
            row.refresh_from_db(fields=["lost_minor"])
        if report.amount.currency != payment.captured_currency:
            captured = payment.captured
            alerts.raise_for_payment(
                "dispute_in_other_currency", payment, now=now, disputed=report.amount, captured=captured
            )
        elif row is None:
            _decide(_open(payment, report, by, now), report.status, invoices, by, now)
        elif known.get(row.gateway_ref) == row.version:
            if row.status == "lost":
                # One that is won after all ends with the amount that it took, whatever it is said to be about by now.
                _decide(row, report.status, invoices, by, now)
            _amend(row, report, invoices, by, now)
            _decide(row, report.status, invoices, by, now)
        elif row.status == "open":
            _decide(row, report.status, invoices, by, now)


def changes(
    payment: Payment, reported: Sequence[protocol.Dispute]
) -> list[tuple[Dispute | None, protocol.Dispute]]:
    """Returns the reports that say something new, each with our row of it, if there is one."""
    if not reported:
        return []
    rows = {row.gateway_ref: row for row in payment.disputes.all()}
    found: list[tuple[Dispute | None, protocol.Dispute]] = []
    for report in reported:
        row = rows.get(report.ref)
        if row is None:
            found.append((row, report))
            continue
        row.payment = payment  # the same in memory, for the sums on it follow each booking
        is_late = report.status == "open" and row.status != "open"
        reason = report.reason if report.reason in DisputeReason.values else DisputeReason.UNKNOWN
        says = (report.status, report.amount, report.evidence_due_at, reason, report.fee or None)
        if not is_late and says != (row.status, row.amount, row.evidence_due_at, row.reason, row.fee):
            found.append((row, report))
    return found


def _open(payment: Payment, report: protocol.Dispute, by: Actor, now: datetime) -> Dispute:
    """Books a new dispute as open, whatever its status is by now, and freezes what the payment has for it."""
    counted = min(report.amount.amount_minor, payment.refundable_minor)
    dispute = Dispute.objects.create(
        organization_id=payment.organization_id,
        payment=payment,
        amount_minor=report.amount.amount_minor,
        currency=report.amount.currency,
        lost_minor=report.amount.amount_minor - counted,
        gateway_ref=report.ref,
        opened_at=now,
        **_details(report, now),
    )
    allocations.count(payment, frozen=counted)
    event = events.record("dispute.opened", dispute, by=by, now=now, data=dispute.details)
    # Of one that is decided by now, the alert and the mail about its end say all.
    if report.status == DisputeStatus.OPEN:
        _alert(dispute, now)
        outbox.queue_dispute_notice(dispute, event, "dispute_opened")
    return dispute


def _details(report: protocol.Dispute, now: datetime) -> dict[str, Any]:
    """Returns the columns of what a report says besides the amount and the status."""
    due_at = report.evidence_due_at
    remind_at = due_at - REMIND_BEFORE if due_at else None
    return {
        "reason": report.reason if report.reason in DisputeReason.values else DisputeReason.UNKNOWN,
        "evidence_due_at": due_at,
        "remind_at": remind_at if remind_at and remind_at > now else None,
        "fee_minor": report.fee.amount_minor if report.fee else 0,
        "fee_currency": report.fee.currency if report.fee else "",
    }


def _amend(
    dispute: Dispute,
    report: protocol.Dispute,
    invoices: Mapping[str, Invoice],
    by: Actor,
    now: datetime,
) -> None:
    """Books what the gateway says anew of a dispute: its amount, reason, last day, and fee.

    Another amount of one that is lost is no new decision: what it takes more is taken off, or the rest is put back.
    """
    payment, counted = dispute.payment, dispute.counted_minor
    fee, said = dispute.fee, dispute.details
    columns = {"amount_minor": report.amount.amount_minor, **_details(report, now)}
    more = 0
    if dispute.status != "won":
        more = min(report.amount.amount_minor, payment.refundable_minor + counted) - counted
        columns["lost_minor"] = report.amount.amount_minor - counted - more
    if dispute.closed_at is not None:
        columns["remind_at"] = None
        now = max(now, dispute.closed_at)  # what it takes since it was lost is found by that time
    for name, value in columns.items():
        setattr(dispute, name, value)
    dispute.version += 1
    dispute.save(update_fields=[*columns, "version"])
    data = {**_recount(dispute, more, invoices, by, now), **dispute.details}
    if dispute.fee != fee:
        changed = {name: dispute.details[name] for name in ("dispute", *_FEE)}
        before = {"fee_before_minor": fee.amount_minor if fee else 0}
        events.record("dispute.fee_changed", dispute, by=by, now=now, data=changed | before)
    if any(said[name] != value for name, value in dispute.details.items() if name not in _FEE):
        event = events.record("dispute.updated", dispute, by=by, now=now, data=data)
        if report.status == dispute.status == DisputeStatus.OPEN:
            _alert(dispute, now)
        if dispute.status == "lost" and said["amount_minor"] != dispute.amount_minor:
            _alert(dispute, now)
            if dispute.is_returned_debit:
                outbox.queue_debit_return(dispute, event)


def _recount(
    dispute: Dispute, more: int, invoices: Mapping[str, Invoice], by: Actor, now: datetime
) -> dict[str, Any]:
    """Freezes, or takes off, so much more of the payment for a dispute, or less where it is negative.

    Returns what the event of that says besides: `taken_minor`, how much more one that is lost took, and `ends_deposit`.
    """
    if dispute.status == "open":
        allocations.count(dispute.payment, frozen=more)
        _set_free(dispute, 0, invoices, by, now)
        return {}
    if more < 0:
        allocations.count(dispute.payment, lost=more)
        _set_free(dispute, -more, invoices, by, now)
        return {"taken_minor": more}
    changed = deductions.take_off(dispute.payment, more, invoices, source=dispute, by=by, now=now)
    deductions.apply_effects(invoices, changed, by=by, now=now)
    return {"taken_minor": more, **deductions.end_deposit(dispute.payment)} if more else {}


def _set_free(
    dispute: Dispute, lost_before: int, invoices: Mapping[str, Invoice], by: Actor, now: datetime
) -> None:
    """Puts money that was lost back where it fits (M2), then covers what others took beyond the payment (M5)."""
    changed = deductions.put_back(dispute, lost_before, invoices, by=by, now=now) if lost_before else {}
    changed |= deductions.cover_losses(dispute.payment, invoices, except_for=dispute, by=by, now=now)
    deductions.apply_effects(invoices, changed, by=by, now=now)


def _decide(
    dispute: Dispute,
    status: DisputeStatus,
    invoices: Mapping[str, Invoice],
    by: Actor,
    now: datetime,
) -> None:
    """Books that a dispute was won or lost, if it is not booked yet; an open one stays open."""
    if status == DisputeStatus.OPEN or status == dispute.status:
        return
    if dispute.closed_at is not None:
        # After the decision before it, also where a faster clock booked that: what a loss took off invoices is found by
        # its time.
        now = max(now, dispute.closed_at + timedelta.resolution)
    book = _lose if status == DisputeStatus.LOST else _win
    event = book(dispute, invoices, by, now)
    outbox.queue_dispute_notice(dispute, event, "dispute_closed")
    # The customer may not know of it: their bank did this, as where the account had no money. Of any other dispute they
    # asked for themselves.
    if status == DisputeStatus.LOST and dispute.is_returned_debit:
        outbox.queue_debit_return(dispute, event)
    alerts.auto_resolve("dispute_opened", subject=dispute.pk, auto_resolution=f"dispute_{status}", now=now)


def _lose(dispute: Dispute, invoices: Mapping[str, Invoice], by: Actor, now: datetime) -> Event:
    """Takes the money of a dispute off its payment and invoices (M2); what the payment has not is a loss (M5)."""
    payment = dispute.payment
    if dispute.status == "open":
        allocations.count(payment, frozen=-dispute.counted_minor)
    # Of one that was open it is what was frozen. One that was won froze nothing since, so less may be left by now.
    counted = min(dispute.amount_minor, payment.refundable_minor)
    dispute.lost_minor = dispute.amount_minor - counted
    changed = deductions.take_off(payment, counted, invoices, source=dispute, by=by, now=now)
    deductions.apply_effects(invoices, changed, by=by, now=now)
    data = {**dispute.event_data, "lost_minor": dispute.lost_minor, "reason": dispute.reason}
    data |= deductions.end_deposit(payment)
    columns = {"lost_minor": dispute.lost_minor, **_decided(dispute, now)}
    event = move(dispute, "lost", by=by, now=now, data=data, **columns)
    _alert(dispute, now)
    return event


def _win(dispute: Dispute, invoices: Mapping[str, Invoice], by: Actor, now: datetime) -> Event:
    """Sets the money of a dispute free; that of one that was lost is put back where it still fits (M2)."""
    counted = dispute.counted_minor
    if dispute.status == "open":
        allocations.count(dispute.payment, frozen=-counted)
        _set_free(dispute, 0, invoices, by, now)
    else:
        allocations.count(dispute.payment, lost=-counted)
        _set_free(dispute, counted, invoices, by, now)
        alerts.auto_resolve("dispute_lost", subject=dispute.pk, auto_resolution="dispute_won", now=now)
    alerts.auto_resolve("disputed_beyond_payment", subject=dispute.pk, auto_resolution="dispute_won", now=now)
    # Last, because what it took off invoices is found by the time at which it was lost.
    data = {**dispute.event_data, "lost_minor": dispute.lost_minor}
    return move(dispute, "won", by=by, now=now, data=data, lost_minor=0, **_decided(dispute, now))


def _decided(dispute: Dispute, now: datetime) -> dict[str, Any]:
    return {"closed_at": now, "remind_at": None, "version": dispute.version + 1}


def _alert(dispute: Dispute, now: datetime) -> None:
    """Raises the alert that a dispute is open or lost, and the one that it takes more than is left (M5)."""
    amount, captured = dispute.amount, dispute.payment.captured
    about: dict[str, object] = {"amount": amount, "dispute": dispute.pk}
    if dispute.status == "open":  # it waits for evidence
        due_at = dispute.details["evidence_due_at"]
        alerts.raise_for_dispute("dispute_opened", dispute, now=now, **about, evidence_due_at=due_at)
    else:
        reason = dispute_losses.alert_reason(dispute)
        alerts.raise_for_dispute("dispute_lost", dispute, now=now, **about, reason=reason)
    if dispute.lost_minor:
        lost = Money(dispute.lost_minor, dispute.currency)
        alerts.raise_for_dispute(
            "disputed_beyond_payment", dispute, now=now, disputed=amount, captured=captured, lost=lost
        )
