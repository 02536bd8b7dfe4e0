"""What the worker does round after round; each job claims its rows from the database, so any number may run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from partway.billing import alerts
from partway.billing.reconciliation import due_work, gateway_list
from partway.delivery.mail import sending

from .models import Heartbeat


def send_mails(*, now: datetime) -> int:
    """Hand over the mails whose time has come."""
    return sending.send_due(now=now)


def delete_stale_heartbeats(*, now: datetime) -> int:
    """Workers that ended a day ago are no news any more."""
    return Heartbeat.objects.filter(last_seen_at__lt=now - timedelta(days=1)).delete()[0]


# In the order of a round. Each answers how many rows it worked on; none of them waits.
JOBS: dict[str, Callable[..., int]] = {
    "mails": send_mails,
    "callbacks": due_work.work_off_callbacks,
    "unsettled_payments": due_work.refresh_unsettled_payments,
    "gateway_lists": gateway_list.reconcile_gateway_lists,
    "expire_requests": due_work.expire_payment_requests,
    "expire_quotes": due_work.expire_quotes,
    "resolve_alerts": alerts.auto_resolve_settled,
    "stale_heartbeats": delete_stale_heartbeats,
}
