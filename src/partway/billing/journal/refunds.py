"""The changes of the books by refunds: taken off credit when they begin, off the money when they succeed (M5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..models import Event, Payment, Refund
from . import accounts
from .calendar import Calendar
from .changes import Change, difference
from .payments import money_account

# The status that each event of a refund leads to.
_STATUSES = {
    "refund.started": "pending",
    "refund.reported": "pending",
    "refund.succeeded": "succeeded",
    "refund.failed": "failed",
    "refund.reversed": "reversed",
}
_KINDS = {"failed": "refund_failed", "reversed": "refund_reversed", "succeeded": "refund"}


def changes(payments: Iterable[str], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by the refunds of these payments, those of each refund in order."""
    refunds = Refund.objects.filter(payment__in=list(payments))
    rows = {row.pk: row for row in refunds.select_related("payment__gateway_account").order_by("pk")}
    events: dict[str, list[Event]] = defaultdict(list)
    of_payments = {row.payment_id for row in rows.values()}
    for event in Event.objects.filter(payment__in=of_payments, type__startswith="refund."):
        events[event.data["refund"]].append(event)
    documents = Payment.objects.filter(pk__in=of_payments).select_related("invoice", "quote")
    by_id = {payment.pk: payment for payment in documents}
    for pk, row in rows.items():
        yield from _of_refund(row, by_id[row.payment_id], events[pk], calendar)


def _of_refund(
    refund: Refund, payment: Payment, events: Iterable[Event], calendar: Calendar
) -> Iterator[Change]:
    money = f"mode:{refund.method}" if refund.mode == "offline" else money_account(refund.payment)
    status, lost, before = "", 0, dict[str, int]()
    document = payment.document
    for event in sorted(events, key=lambda event: (event.created_at, event.pk)):
        status = _STATUSES.get(event.type, status)
        # Of one at the gateway's dashboard beyond the payment; a later event says how much of that is covered since.
        lost = event.data.get("lost_minor", lost)
        after: dict[str, int] = {}
        if status in ("pending", "succeeded"):
            gone_from = money if status == "succeeded" else accounts.REFUNDS_UNDER_WAY
            after = {
                accounts.CREDIT: refund.amount_minor - lost,
                accounts.LOSSES: lost,
                gone_from: -refund.amount_minor,
            }
        amounts, before = difference(before, after), after
        if not amounts:
            continue
        is_typed = refund.mode == "offline" and status == "succeeded"
        happened_on = refund.refunded_on if is_typed else calendar.day(event.created_at)
        yield Change(
            day=calendar.booking_day(happened_on, event.created_at, event.pk),
            happened_on=happened_on,
            at=event.created_at,
            act=refund.pk,
            fact=event.pk,
            kind=_KINDS.get(status, "refund_started"),
            document=(document.kind, document.pk),
            number=document.number or "",
            party=payment.issued_to_id or "",
            customer=document.customer_id,
            amounts=amounts,
            detail=refund.method,
        )
