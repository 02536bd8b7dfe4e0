"""Alerts: what waits for a member."""

from __future__ import annotations

from datetime import datetime

from ninja import Query, Router
from pydantic import BaseModel

from partway.accounts.permissions import Permission
from partway.billing import alerts, models
from partway.billing.receivables import alert_reasons
from partway.delivery.messages.alerts import alert_sentence, resolution_message

from . import lists
from .access import Caller, KeyRequest, call, get_own_or_404
from .schemas import Filters, Id, Input, Page, shown_as

router = Router(tags=["Alerts"])


class Alert(BaseModel):
    """A situation that no rule can settle.

    message: says it to a person. due_at: until when it can be dealt with. digest: of what it says now; resolving sends
    it back, so that a newer alert is not resolved unseen. resolution: what was done; empty while it is open.
    """

    id: str
    kind: str
    reason: str
    message: str
    invoice: str | None
    payment: str | None
    due_at: datetime | None
    digest: str
    created_at: datetime
    resolved_at: datetime | None
    resolution: str


class AlertList(Page[Alert]):
    """A page of alerts, the newest first."""


class AlertFilters(Filters):
    """Which alerts to list; by default those that are open."""

    resolved: bool = False


class Resolution(Input):
    """The words on what was done about an alert, as it was read."""

    model_config = shown_as(digest="5c1e0b7a93d24f68", resolution="Called Dana; she pays on Friday.")

    digest: str
    resolution: str = ""


@call(router, "GET", "/alerts", permission=Permission.VIEW_ALERTS, returns=AlertList)
def index(request: KeyRequest, filters: Query[AlertFilters]) -> AlertList:
    """Lists alerts, the newest first."""
    caller = request.caller
    rows = models.Alert.objects.for_organization(caller.organization)
    rows = rows.filter(resolved_at__isnull=not filters.resolved)
    return lists.page(AlertList, rows, filters, lambda row: shown(caller, row))


def shown(caller: Caller, row: models.Alert) -> Alert:
    """Returns an alert as calls return it."""
    reason = alert_reasons.current_reason(row, caller.now)
    return Alert(
        id=row.pk,
        kind=row.kind,
        reason=reason,
        message=alert_sentence(row.kind, {**row.params, "reason": reason}),
        invoice=row.invoice_id,
        payment=row.payment_id,
        due_at=row.due_at,
        digest=row.digest,
        created_at=row.created_at,
        resolved_at=row.resolved_at,
        resolution=resolution_message(row),
    )


@call(router, "POST", "/alerts/{alert_id}/resolve", permission=Permission.RESOLVE_ALERTS, returns=Alert)
def resolve(request: KeyRequest, alert_id: Id, body: Resolution) -> Alert:
    """Marks an alert as dealt with."""
    caller = request.caller
    row = get_own_or_404(caller, models.Alert.objects.all(), alert_id)
    alerts.resolve(
        row, expected_digest=body.digest, resolution=body.resolution, by=caller.actor, now=caller.now
    )
    return shown(caller, get_own_or_404(caller, models.Alert.objects.all(), alert_id))
