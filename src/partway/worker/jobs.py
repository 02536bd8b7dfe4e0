"""What the worker does round after round; each job claims its rows from the database, so any number may run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from partway.billing import alerts
from partway.billing.reconciliation import due_work, gateway_list
from partway.delivery.mail import sending

from .models import Pulse


def send_mails(*, now: datetime) -> int:
    """Hand over the mails whose time has come."""
    return sending.send_due(now=now)


def forget_dead_pulses(*, now: datetime) -> int:
    """Workers that ended a day ago are no news any more."""
    return Pulse.objects.filter(beat_at__lt=now - timedelta(days=1)).delete()[0]


# In the order of a round. Each answers how many rows it worked on; none of them waits.
JOBS: dict[str, Callable[..., int]] = {
    "mails": send_mails,
    "callbacks": due_work.work_off_callbacks,
    "unsettled payments": due_work.ask_about_unsettled,
    "gateways' lists": gateway_list.read_lists,
    "expiring requests": due_work.expire_requests,
    "outlived quotes": due_work.expire_quotes,
    "flags that passed": alerts.clear_passing,
    "dead pulses": forget_dead_pulses,
}
