"""The changes of the books by payments: money that came in, as credit or deposit, and offline ones that bounced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from ..models import Allocation, Event, Payment
from ..models.payments import RECEIVED_STATUSES
from . import accounts
from .calendar import Calendar
from .changes import Change


def money_account(payment: Payment) -> str:
    """Returns the account that holds the money: what the gateway collects for us, or the mode of an offline payment."""
    if payment.gateway_account is not None:
        return f"transit:{payment.gateway_account.gateway}"
    return f"mode:{payment.method}"


def changes(payments: Iterable[str], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by these payments: all of it is the customer's credit or a deposit.

    What is allocated of it changes the books by the invoice, in the same entry where it is one act.
    """
    rows = Payment.objects.filter(pk__in=list(payments), status__in=RECEIVED_STATUSES)
    rows = rows.select_related("gateway_account", "invoice", "quote").order_by("pk")
    ends = _ends_of_deposits(rows.filter(quote__isnull=False, accepted=True))
    reversals = dict(
        Event.objects.filter(type="payment.reversed", payment__in=rows.filter(status="reversed"))
        .order_by("pk")
        .values_list("payment", "created_at")
    )
    for payment in rows:
        at, captured = payment.settled_at or payment.created_at, payment.captured_minor or 0
        is_deposit = payment.quote_id is not None and bool(payment.accepted)
        liability = accounts.DEPOSITS if is_deposit else accounts.CREDIT
        money = money_account(payment)
        kind = "deposit" if is_deposit else "payment"
        received = _change(payment, calendar, at, kind, {money: captured, liability: -captured})
        yield received
        if is_deposit and (end := ends.get(payment.pk)):
            # What no invoice took of it when it ended is credit.
            ended_at, allocated = end
            rest, liability = captured - allocated, accounts.CREDIT
            if rest:
                amounts = {accounts.DEPOSITS: rest, accounts.CREDIT: -rest}
                yield _change(payment, calendar, ended_at, "deposit_applied", amounts)
        if payment.status == "reversed":
            bounced = {money: -captured, liability: captured}
            yield _change(payment, calendar, reversals[payment.pk], "payment_reversed", bounced)


def _ends_of_deposits(deposits: Iterable[Payment]) -> dict[str, tuple[datetime, int]]:
    """Returns when each deposit waited no more, and how much an invoice took of it then, in minor units (DESIGN D2)."""
    ends: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    taken = Allocation.objects.filter(payment__in=deposits, cause="deposit")
    for payment, at, minor in taken.values_list("payment", "created_at", "amount_minor"):
        ends[payment].append((at, minor))
    given_back = Event.objects.filter(payment__in=deposits, data__ends_deposit=True)
    for payment, at in given_back.filter(type__startswith="refund.").values_list("payment", "created_at"):
        ends[payment].append((at, 0))
    return {payment: min(found) for payment, found in ends.items()}


def _change(payment: Payment, calendar: Calendar, at: datetime, kind: str, amounts: dict[str, int]) -> Change:
    is_receipt = kind in ("payment", "deposit")
    happened_on = (payment.paid_on if is_receipt else None) or calendar.day(at)
    document = payment.document
    return Change(
        day=calendar.booking_day(happened_on, at, payment.pk),
        happened_on=happened_on,
        at=at,
        act=payment.pk,
        fact=payment.pk,
        kind=kind,
        document=(document.kind, document.pk),
        number=document.number or "",
        party=payment.issued_to_id or "",
        customer=document.customer_id,
        amounts=amounts,
        detail=payment.method,
    )
