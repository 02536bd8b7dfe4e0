"""Payouts: list and read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ninja import Query, Router
from pydantic import BaseModel

from partway.accounts.permissions import Permission
from partway.billing import models
from partway.billing.models.payouts import PayoutItemKind, PayoutStatus

from . import lists
from .access import KeyRequest, call, get_own_or_404
from .schemas import Filters, Id, Page

router = Router(tags=["Payouts"])


class PayoutItem(BaseModel):
    """One entry of a payout; a negative amount takes from it. `payment` and the others: what it is about, if known."""

    kind: PayoutItemKind
    amount: int
    fee: int
    net: int
    payment: str | None
    refund: str | None
    dispute: str | None
    gateway_ref: str


class Payout(BaseModel):
    """Money that the payment service sends to the bank, in minor units of its currency."""

    id: str
    status: PayoutStatus
    amount: int
    currency: str
    arrives_on: date
    gateway: str
    gateway_ref: str
    created_at: datetime


class PayoutWithItems(Payout):
    """A payout with its entries."""

    items: list[PayoutItem]


class PayoutList(Page[Payout]):
    """A page of payouts, the newest first."""


class PayoutFilters(Filters):
    """Which payouts to list."""

    status: PayoutStatus | None = None


@call(router, "GET", "/payouts", permission=Permission.VIEW_PAYMENTS, returns=PayoutList)
def index(request: KeyRequest, filters: Query[PayoutFilters]) -> PayoutList:
    """Lists payouts, the newest first."""
    rows = models.Payout.objects.for_organization(request.caller.organization)
    rows = lists.narrowed(rows.select_related("gateway_account"), {"status": filters.status})
    return lists.page(PayoutList, rows, filters, lambda row: Payout(**payout_fields(row)))


@call(router, "GET", "/payouts/{payout_id}", permission=Permission.VIEW_PAYMENTS, returns=PayoutWithItems)
def show(request: KeyRequest, payout_id: Id) -> PayoutWithItems:
    """Reads a payout with its entries."""
    rows = models.Payout.objects.select_related("gateway_account")
    row = get_own_or_404(request.caller, rows, payout_id)
    items = [
        PayoutItem(
            kind=PayoutItemKind(item.kind),
            amount=item.amount_minor,
            fee=item.fee_minor,
            net=item.net_minor,
            payment=item.payment_id,
            refund=item.refund_id,
            dispute=item.dispute_id,
            gateway_ref=item.gateway_ref,
        )
        for item in row.items.order_by("position")
    ]
    return PayoutWithItems(**payout_fields(row), items=items)


def payout_fields(row: models.Payout) -> dict[str, Any]:
    """Returns the fields of a payout."""
    return {
        "id": row.pk,
        "status": PayoutStatus(row.status),
        "amount": row.amount_minor,
        "currency": row.currency,
        "arrives_on": row.arrives_on,
        "gateway": row.gateway_account.gateway,
        "gateway_ref": row.gateway_ref,
        "created_at": row.created_at,
    }
