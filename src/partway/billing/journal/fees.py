"""The changes of the books by the fees that a gateway keeps of what it collects: of payments, refunds and disputes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from django.db.models import Sum

from partway.accounts.models import Organization

from ..models import Dispute, Event, Payment, Refund
from . import accounts
from .calendar import Calendar
from .changes import Change, PaymentFacts, Sums, difference, of_payment

# A dispute says its fee when it is opened, and each time that it changes.
_EVENTS = ("payment.fee_booked", "refund.fee_booked", "dispute.opened", "dispute.fee_changed")


def changes(payments: Mapping[str, PaymentFacts], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by the fees of these payments, their refunds and disputes, each in the currency of the fee."""
    rows = Event.objects.filter(payment__in=list(payments), type__in=_EVENTS)
    columns = rows.values_list("pk", "payment", "created_at", "data")
    before: dict[str, tuple[str, int]] = {}
    for pk, payment_id, at, data in sorted(columns):
        payment = payments[payment_id]
        charged_for = data.get("refund") or data.get("dispute") or payment.pk
        currency, fee = data["fee_currency"], data["fee_minor"]
        # Of a fee that changes, the earlier one is given back in its own currency.
        earlier = dict([before[charged_for]]) if charged_for in before else {}
        before[charged_for] = currency, fee
        for code, minor in difference(earlier, {currency: fee}).items():
            amounts = {accounts.FEES: minor, payment.money: -minor}
            change = of_payment(
                payment,
                calendar,
                amounts,
                at=at,
                kind="fee",
                fact=pk,
                act=charged_for,
            )
            yield replace(change, currency=code)


def standing(organization: Organization, currency: str) -> Sums:
    """Yields the fees of payments, refunds and disputes, and by how much they make the money in transit less."""
    for model, payment in ((Payment, ""), (Refund, "payment__"), (Dispute, "payment__")):
        charged = model._default_manager.filter(organization=organization, fee_currency=currency).order_by()
        of_gateway = charged.values_list(f"{payment}gateway_account__gateway")
        for gateway, minor in of_gateway.annotate(sum=Sum("fee_minor")):
            yield accounts.FEES, minor
            yield f"transit:{gateway}", -minor
