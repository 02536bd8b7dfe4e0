"""What the worker does round after round; each job claims its rows from the database, so any number may run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from partway.billing import flags, listing, reconciliation
from partway.delivery import mails

from .models import Pulse


def send_mails(*, now: datetime) -> int:
    """Hand over the mails whose time has come."""
    return mails.send_due(now=now)


def forget_dead_pulses(*, now: datetime) -> int:
    """Workers that ended a day ago are no news any more."""
    return Pulse.objects.filter(beat_at__lt=now - timedelta(days=1)).delete()[0]


# In the order of a round. Each answers how many rows it worked on; none of them waits.
JOBS: dict[str, Callable[..., int]] = {
    "mails": send_mails,
    "callbacks": reconciliation.work_off_callbacks,
    "unsettled payments": reconciliation.ask_about_unsettled,
    "gateways' lists": listing.read_lists,
    "expiring requests": reconciliation.expire_requests,
    "outlived quotes": reconciliation.expire_quotes,
    "flags that passed": flags.clear_passing,
    "dead pulses": forget_dead_pulses,
}
