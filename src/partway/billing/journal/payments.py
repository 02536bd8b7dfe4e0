"""The changes of the books by payments: money that came in, as credit or deposit, and offline ones that bounced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from ..models import Allocation, Event, Payment
from ..models.payments import RECEIVED_STATUSES
from . import accounts
from .calendar import Calendar
from .changes import Amounts, Change, of_payment

# Only the columns that are read, see `invoices.py`.
_OF_PAYMENT = (
    *("quote", "status", "accepted", "captured_minor", "captured_currency", "method", "paid_on"),
    *("settled_at", "created_at", "issued_to", "gateway_account__gateway"),
    *(f"{noun}__{column}" for noun in ("invoice", "quote") for column in ("number", "customer", "issued_to")),
)


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
    rows = rows.select_related("gateway_account", "invoice", "quote").only(*_OF_PAYMENT).order_by("pk")
    deposits = {row.pk for row in rows if row.quote_id and row.accepted}
    ends = _ends_of_deposits(deposits)
    reversals = dict(
        Event.objects.filter(type="payment.reversed", payment__in=rows.filter(status="reversed"))
        .order_by("pk")
        .values_list("payment", "created_at")
    )
    for payment in rows:
        at, captured = payment.settled_at or payment.created_at, payment.captured_minor or 0
        kind, liability = (
            ("deposit", accounts.DEPOSITS) if payment.pk in deposits else ("payment", accounts.CREDIT)
        )
        money, received = money_account(payment), {money_account(payment): captured, liability: -captured}
        # The day that a member typed is that of the receipt, and of nothing that comes after it.
        moves: list[tuple[datetime, str, Amounts, date | None]] = [(at, kind, received, payment.paid_on)]
        if payment.pk in ends:
            # What no invoice took of it when it ended is credit.
            ended_at, allocated = ends[payment.pk]
            rest, liability = captured - allocated, accounts.CREDIT
            ended = {accounts.DEPOSITS: rest, accounts.CREDIT: -rest}
            moves.append((ended_at, "deposit_applied", ended, None))
        if payment.status == "reversed":
            bounced = {money: -captured, liability: captured}
            moves.append((reversals[payment.pk], "payment_reversed", bounced, None))
        for moment, kind, amounts, happened_on in moves:
            change = of_payment(
                payment,
                calendar,
                amounts,
                at=moment,
                kind=kind,
                fact=payment.pk,
                act=payment.pk,
                happened_on=happened_on,
            )
            yield replace(change, detail=payment.method)


def _ends_of_deposits(deposits: Iterable[str]) -> dict[str, tuple[datetime, int]]:
    """Returns when each deposit waited no more, and how much an invoice took of it then, in minor units (DESIGN D2)."""
    # By a refund or a lost dispute. An invoice takes no deposit after that, so where one has, that was the end: an act
    # takes its time before it waits for the lock, and one that is lost after the sending can have the earlier time.
    ended = Event.objects.filter(payment__in=deposits, data__ends_deposit=True).order_by("-created_at")
    ends = {payment: (at, 0) for payment, at in ended.values_list("payment", "created_at")}
    taken = Allocation.objects.filter(payment__in=deposits, cause="deposit")
    return ends | {
        payment: (at, minor)
        for payment, at, minor in taken.values_list("payment", "created_at", "amount_minor")
    }
