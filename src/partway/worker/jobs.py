"""The jobs of the worker by kind; each claims its rows in the database, so several workers can run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from partway.accounts import idempotent_calls, kept_forms, rate_limits, sessions, two_factor
from partway.billing import alerts
from partway.billing.checkouts.closing import closing_later
from partway.billing.claims import ClaimableRows
from partway.billing.imports import runs, uploads
from partway.billing.people import webhook_deliveries
from partway.billing.reconciliation import due_work, gateway_list, payout_list
from partway.delivery.mail import sending
from partway.delivery.webhooks import sending as webhook_sending

from .models import Heartbeat

HEARTBEAT_RETENTION = timedelta(days=1)


def delete_stale_heartbeats(*, now: datetime) -> int:
    """Deletes the heartbeats of workers that were last seen a day ago; returns how many."""
    return Heartbeat.objects.filter(last_seen_at__lt=now - HEARTBEAT_RETENTION).delete()[0]


def expire_payment_requests(*, now: datetime) -> int:
    """Expires requests and calls no gateway: `unsettled_payments` closes their checkouts, seconds later."""
    with closing_later():
        return due_work.expire_payment_requests(now=now)


# Each job is called with `now` and returns the number of rows it processed.
JOBS: dict[str, Callable[..., int]] = {
    "mails": sending.send_due,
    "webhooks": webhook_sending.send_due,
    "callbacks": due_work.process_pending_callbacks,
    "unsettled_payments": due_work.refresh_unsettled_payments,
    "pending_refunds": due_work.refresh_pending_refunds,
    "gateway_lists": gateway_list.reconcile_gateway_lists,
    "payouts": payout_list.read_payouts,
    "remind_of_evidence": due_work.remind_of_evidence,
    "imports": runs.run_due,
    "expire_requests": expire_payment_requests,
    "expire_quotes": due_work.expire_quotes,
    "resolve_alerts": alerts.auto_resolve_settled,
    "delete_stale_heartbeats": delete_stale_heartbeats,
    "delete_expired_attempts": rate_limits.delete_expired,
    "delete_used_codes": two_factor.delete_used_codes,
    "delete_ended_sessions": sessions.delete_ended,
    "delete_kept_forms": kept_forms.delete_old,
    "delete_abandoned_imports": uploads.delete_abandoned,
    "delete_idempotent_calls": idempotent_calls.delete_old,
    "delete_webhook_deliveries": webhook_deliveries.delete_old,
}

# The jobs of a kind run one after the other on a thread of their own. What calls a server is a kind by itself, so that
# a silent one delays nothing else; what only uses the database shares a thread and its connection.
JOBS_BY_KIND: dict[str, tuple[str, ...]] = {
    "mails": ("mails",),
    "webhooks": ("webhooks",),
    "callbacks": ("callbacks",),
    "unsettled_payments": ("unsettled_payments",),
    "pending_refunds": ("pending_refunds",),
    "gateway_lists": ("gateway_lists",),
    "payouts": ("payouts",),
    "imports": ("imports",),
    "database": ("expire_requests", "expire_quotes", "resolve_alerts", "remind_of_evidence"),
    "deletions": tuple(name for name in JOBS if name.startswith("delete_")),
}

# These pause so many times as long when they find nothing. Only the clock makes their rows due, and two seconds more
# are no matter, nor is a minute for what is only deleted; reading their tables twice a second would be most of the time
# of an idle worker.
PAUSE_FACTORS = {"database": 4, "imports": 2, "deletions": 120}

# Where PostgreSQL notifies of rows that are due, a kind rests until its first row is due; without a queue, so many
# seconds. Those of webhooks depend on their endpoints too; of the other kinds no row is notified of.
QUEUES: dict[str, ClaimableRows[Any]] = {
    "mails": sending.QUEUED_MAILS,
    "callbacks": due_work.PENDING_CALLBACKS,
    "unsettled_payments": due_work.UNSETTLED_PAYMENTS,
    "pending_refunds": due_work.PENDING_REFUNDS,
    "gateway_lists": gateway_list.GATEWAY_ACCOUNTS,
    "payouts": payout_list.PAYOUT_ACCOUNTS,
    "imports": runs.RUNNING,
}
REST_SECONDS = {"webhooks": 2, "database": 5, "deletions": 60}
