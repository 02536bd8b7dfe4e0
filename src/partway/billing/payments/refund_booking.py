"""Applies the gateway's list of refunds of one checkout to our books: the only place that books them (DESIGN P6, M5).

Monotone: the same lists in any order, any number of times, end the same. It makes no call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, Sum

from partway.gateways import protocol
from partway.gateways.protocol import RefundStatus
from partway.lib import clock
from partway.lib.money import Money

from .. import alerts, events, outbox
from ..events import Actor
from ..models import Invoice, Payment, Refund
from ..receivables import refund_effects
from ..receivables.refund_effects import refundable
from ..states import move
from . import fee_booking

# A refund under way is asked about this often at first; it takes hours or days.
FIRST_REFRESH = timedelta(hours=1)

# What a report changes, by the stored status; every other pair is a report that arrived late, and is ignored (P6).
# None is a refund that we have no row of: one that failed sent nothing, and we never counted it.
_NEWS = {
    (None, RefundStatus.PENDING),
    (None, RefundStatus.SUCCEEDED),
    ("pending", RefundStatus.SUCCEEDED),
    ("pending", RefundStatus.FAILED),
    ("succeeded", RefundStatus.FAILED),
}


def begin(
    payment: Payment,
    amount: Money,
    invoices: Mapping[str, Invoice],
    *,
    next_refresh_at: datetime,
    by: Actor,
    now: datetime,
    voided: Invoice | None = None,
    **columns: Any,
) -> Refund:
    """Writes a pending refund through the gateway with all that follows from it, before the gateway is called (P4).

    It counts from now on; the worker sends it from `next_refresh_at` on. `columns` are further ones of the row, and
    `voided` is as for `refund_effects.deduct`.
    """
    row = Refund.objects.create(
        organization_id=payment.organization_id,
        payment=payment,
        mode="gateway",
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        refunded_on=clock.today(now, payment.organization.time_zone),
        created_at=now,
        next_refresh_at=next_refresh_at,
        **columns,
    )
    data = refund_effects.deduct(row, invoices, by=by, now=now, voided=voided)
    if row.is_automatic:
        data["automatic"] = True
    events.record(
        "refund.started", row, by=by, now=now, data={**data, "reason": row.reason, "note": row.note}
    )
    return row


def apply(
    payment: Payment,
    reported: Sequence[protocol.Refund],
    invoices: Mapping[str, Invoice],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Books what is new in the gateway's refunds of a payment, of which `invoices` are the locked rows.

    Ours are found by the gateway's id, or by the reference that our request had. One that we did not ask for was made
    in the gateway's own dashboard and is booked as that. A payment whose money is not booked yet has none to give back.
    """
    if payment.status != "succeeded" or not reported:
        return
    for row, report in changes(payment, reported):
        if report.amount.currency != payment.captured_currency:
            captured = payment.captured
            alerts.raise_for_payment(
                "refund_in_other_currency", payment, now=now, refunded=report.amount, captured=captured
            )
            continue
        if row is None:
            row = _book_unknown(payment, report, invoices, by, now)
        elif row.amount != report.amount:
            # Not the refund that we asked for, whatever its reference says: what is booked is what happened (M4).
            fail(row, invoices, code="another_amount", message="", by=by, now=now)
            row = _book_unknown(payment, report, invoices, by, now)
        elif not row.gateway_ref:
            row.gateway_ref = report.ref
            row.save(update_fields=["gateway_ref"])
        fee_booking.apply(row, report.fee, by=by, now=now)
        if (row.status, report.status) not in _NEWS:
            continue
        if report.status == RefundStatus.FAILED:
            fail(row, invoices, code="failed_at_gateway", message="", by=by, now=now)
        else:
            event = move(row, "succeeded", by=by, now=now, data={**row.event_data, "mode": row.mode})
            outbox.queue_refund_notice(row, event)
            # Another refund of the payment that still waits raises it again in its next round.
            alerts.auto_resolve(
                "refund_unsettled", subject=payment.pk, auto_resolution="refund_settled", now=now
            )


def changes(
    payment: Payment, reported: Sequence[protocol.Refund]
) -> list[tuple[Refund | None, protocol.Refund]]:
    """Returns the reports that are news, each with our row of it, if there is one."""
    sent = payment.refunds.exclude(mode="offline").filter(~Q(gateway_ref="") | Q(status="pending"))
    # By the gateway's id, or by ours until we know that. The reference of a report is the key of our call, which begins
    # with our id.
    rows = {row.gateway_ref or row.pk: row for row in sent}
    found: list[tuple[Refund | None, protocol.Refund]] = []
    for report in reported:
        row = rows.get(report.ref) or rows.pop(report.reference.partition(":")[0], None)
        if row is None:
            if (None, report.status) in _NEWS:
                found.append((row, report))
        elif (
            (row.status, report.status) in _NEWS
            or fee_booking.is_news(row, report.fee)
            or not row.gateway_ref
        ):
            row.payment = payment  # the same in memory, for the sums on it follow each booking
            found.append((row, report))
    return found


def _book_unknown(
    payment: Payment,
    report: protocol.Refund,
    invoices: Mapping[str, Invoice],
    by: Actor,
    now: datetime,
) -> Refund:
    """Books a refund made in the gateway's dashboard; what it sent beyond the rest of the payment is a loss (M5)."""
    left = refundable(payment)
    lost_minor = max(0, report.amount.amount_minor - left.amount_minor)
    refund = Refund.objects.create(
        organization_id=payment.organization_id,
        payment=payment,
        mode="dashboard",
        amount_minor=report.amount.amount_minor,
        currency=payment.captured_currency,
        lost_minor=lost_minor,
        refunded_on=clock.today(now, payment.organization.time_zone),
        gateway_ref=report.ref,
        created_at=now,
        next_refresh_at=now + FIRST_REFRESH,
    )
    data = refund_effects.deduct(refund, invoices, by=by, now=now)
    events.record("refund.reported", refund, by=by, now=now, data={**data, "lost_minor": lost_minor})
    # An open alert is about the payment, so it names all that was sent back there.
    booked = payment.refunds.counted().filter(mode="dashboard")
    sums = booked.aggregate(refunded=Sum("amount_minor"), lost=Sum("lost_minor"))
    refunded, lost = (Money(sums[name], refund.currency) for name in ("refunded", "lost"))
    captured = payment.captured
    if lost_minor:
        alerts.raise_for_payment(
            "refunded_beyond_payment", payment, now=now, refunded=refunded, captured=captured, lost=lost
        )
    else:
        effect = refund_effects.dashboard_effect(payment)
        alerts.raise_for_payment(
            "refunded_at_gateway", payment, now=now, refunded=refunded, captured=captured, reason=effect
        )
    return refund


def fail(
    refund: Refund, invoices: Mapping[str, Invoice], *, code: str, message: str, by: Actor, now: datetime
) -> None:
    """Ends a refund whose money stayed with us, or came back: it is put back where it still fits (M2)."""
    was_announced = refund.status == "succeeded" or refund.is_automatic
    data = {**refund.event_data, "code": code, "message": message}
    event = move(refund, "failed", by=by, now=now, data=data, failure_code=code, failure_message=message)
    restored = refund_effects.restore(refund, invoices, puts_back=True, by=by, now=now)
    reason = {}
    if code == "disputed":
        reason = {"reason": code}
    elif restored.on_invoice + restored.credit < refund.amount:
        reason = {"reason": "covered"}
    alerts.raise_for_payment(
        "refund_failed",
        refund.payment,
        now=now,
        amount=refund.amount,
        refund=refund.pk,
        on_invoice=restored.on_invoice,
        credit=restored.credit,
        **reason,
    )
    figures = {
        "on_invoice_minor": restored.on_invoice.amount_minor,
        "credit_minor": restored.credit.amount_minor,
    }
    outbox.queue_refund_failure(refund, event, figures)
    # Of one that was disputed the customer has asked their bank for the money.
    if was_announced and code != "disputed":
        outbox.queue_refund_withdrawal(refund, event, figures)
    alerts.auto_resolve(
        "refund_unsettled", subject=refund.payment_id, auto_resolution="refund_settled", now=now
    )
