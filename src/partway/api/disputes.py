"""Disputes: list, read, and take a lost one as a loss."""

from __future__ import annotations

from ninja import Query, Router

from partway.accounts.permissions import Permission
from partway.billing import models
from partway.billing.models.disputes import DisputeStatus
from partway.billing.receivables import dispute_losses
from partway.lib.money import Money

from . import lists
from .access import KeyRequest, call, get_own_or_404
from .payment_objects import (
    Dispute,
    shown_dispute,
)
from .schemas import Amount, Filters, Id, Input, Page, shown_as

router = Router(tags=["Disputes"])


class DisputeList(Page[Dispute]):
    """A page of disputes, the newest first."""


class DisputeFilters(Filters):
    """Which disputes to list."""

    status: DisputeStatus | None = None


class Loss(Input):
    """A lost dispute that is taken as a loss: how much of it is left to take, as it was read, and why."""

    model_config = shown_as(amount=30_000, note="The evidence came too late.")

    amount: Amount
    note: str = ""


@call(router, "GET", "/disputes", permission=Permission.VIEW_PAYMENTS, returns=DisputeList)
def index(request: KeyRequest, filters: Query[DisputeFilters]) -> DisputeList:
    """Lists disputes, the newest first."""
    rows = models.Dispute.objects.for_organization(request.caller.organization)
    rows = lists.narrowed(rows, {"status": filters.status})
    return lists.page(DisputeList, rows, filters, shown_dispute, moment="opened_at")


@call(router, "GET", "/disputes/{dispute_id}", permission=Permission.VIEW_PAYMENTS, returns=Dispute)
def show(request: KeyRequest, dispute_id: Id) -> Dispute:
    """Reads a dispute."""
    return shown_dispute(get_own_or_404(request.caller, models.Dispute.objects.all(), dispute_id))


@call(
    router,
    "POST",
    "/disputes/{dispute_id}/take_loss",
    permission=Permission.WRITE_OFF_INVOICES,
    returns=Dispute,
)
def take_loss(request: KeyRequest, dispute_id: Id, body: Loss) -> Dispute:
    """Settles what a lost dispute made due again, where the customer is not asked for it again."""
    caller = request.caller
    row = get_own_or_404(caller, models.Dispute.objects.select_related("payment"), dispute_id)
    expected = Money(body.amount, row.currency)
    dispute_losses.settle(
        row,
        note=body.note,
        expected=expected,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return shown_dispute(row)
