"""The jobs that the worker runs in each round; each claims its rows in the database, so several workers can run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from partway.billing import alerts
from partway.billing.reconciliation import due_work, gateway_list
from partway.delivery.mail import sending

from .models import Heartbeat

HEARTBEAT_RETENTION = timedelta(days=1)


def delete_stale_heartbeats(*, now: datetime) -> int:
    """Deletes the heartbeats of workers that were last seen a day ago; returns how many."""
    return Heartbeat.objects.filter(last_seen_at__lt=now - HEARTBEAT_RETENTION).delete()[0]


# In the order of a round. Each job is called with `now`, returns the number of rows it processed, and never waits.
JOBS: dict[str, Callable[..., int]] = {
    "mails": sending.send_due,
    "callbacks": due_work.process_pending_callbacks,
    "unsettled_payments": due_work.refresh_unsettled_payments,
    "gateway_lists": gateway_list.reconcile_gateway_lists,
    "expire_requests": due_work.expire_payment_requests,
    "expire_quotes": due_work.expire_quotes,
    "resolve_alerts": alerts.auto_resolve_settled,
    "stale_heartbeats": delete_stale_heartbeats,
}
