"""The changes of the books by the fees that a gateway keeps of what it collects: of payments, refunds and disputes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..models import Event
from . import accounts
from .calendar import Calendar
from .changes import Change, difference, of_payment
from .payments import money_account

# A dispute says its fee when it is opened, and each time that it changes.
_EVENTS = ("payment.fee_booked", "refund.fee_booked", "dispute.opened", "dispute.fee_changed")


def changes(payments: Iterable[str], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by the fees of these payments, their refunds and disputes, each in the currency of the fee."""
    rows = Event.objects.filter(payment__in=list(payments), type__in=_EVENTS)
    related = rows.select_related(*(f"payment__{name}" for name in ("gateway_account", "invoice", "quote")))
    before: dict[str, tuple[str, int]] = {}
    for event in sorted(related, key=lambda event: event.pk):
        payment = event.payment
        if payment is None:
            continue
        charged_for = event.data.get("refund") or event.data.get("dispute") or payment.pk
        currency, fee = event.data["fee_currency"], event.data["fee_minor"]
        # Of a fee that changes, the earlier one is given back in its own currency.
        earlier = dict([before[charged_for]]) if charged_for in before else {}
        before[charged_for] = currency, fee
        for code, minor in difference(earlier, {currency: fee}).items():
            amounts = {accounts.FEES: minor, money_account(payment): -minor}
            change = of_payment(
                payment,
                calendar,
                amounts,
                at=event.created_at,
                kind="fee",
                fact=event.pk,
                act=charged_for,
            )
            yield replace(change, currency=code)
