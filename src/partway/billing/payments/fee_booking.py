"""Books what the gateway charges for a payment or a refund: the only place that writes fees (DESIGN P6, M4)."""

from __future__ import annotations

from datetime import datetime

from partway.accounts.prepared import update
from partway.lib.money import Money

from .. import alerts, events
from ..events import Actor
from ..models import Payment, Refund

_EVENT_TYPES: dict[type, str] = {Payment: "payment.fee_booked", Refund: "refund.fee_booked"}


def is_news(row: Payment | Refund, reported: Money | None) -> bool:
    """Returns whether a reported fee is one that is not booked."""
    return reported is not None and reported != row.fee


def apply(row: Payment | Refund, reported: Money | None, *, by: Actor, now: datetime) -> None:
    """Books a fee once, whenever the gateway says it: with the money, or in any later report.

    A fee is a fact, so that another one after it changes nothing and is an alert. The caller has opened a transaction
    and locked the document, as for the booking of the money.
    """
    if reported is None or not is_news(row, reported):
        return
    if row.fee is not None:
        payment = row if isinstance(row, Payment) else row.payment
        alerts.raise_for_payment("fee_mismatch", payment, now=now, booked=row.fee, reported=reported)
        return
    written = columns(row, reported)
    update(row, written)
    row.fee_minor, row.fee_currency = reported.amount_minor, reported.currency
    record(row, written, by=by, now=now)


def columns(row: Payment | Refund, reported: Money | None) -> dict[str, object]:
    """Returns the columns of a fee that is booked now, none where one is; `record` comes after they are written."""
    if reported is None or row.fee is not None:
        return {}
    return {"fee_minor": reported.amount_minor, "fee_currency": reported.currency}


def record(row: Payment | Refund, written: dict[str, object], *, by: Actor, now: datetime) -> None:
    """Records that these columns were written; nothing where there are none."""
    if not written:
        return
    data = dict(written)
    if isinstance(row, Refund):
        data["refund"] = row.pk
    events.record(_EVENT_TYPES[type(row)], row, by=by, now=now, data=data)
