"""Claims mails that are due, one by one, and sends them; every attempt is recorded (DESIGN section 10, D6).

A worker holds a claimed mail for LEASE and may write the outcome only while the claim is still its own. When a worker
is killed in between, the mail is due again once the lease ends, and the repeat carries the same Message-ID.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from partway.billing import alerts, outbox
from partway.billing.claims import BUDGET, ClaimableRows
from partway.billing.models import Mail, MailAttempt

from . import failures, kinds, rendering
from .failures import SendFailure

QUEUED_MAILS = ClaimableRows(
    Mail.objects.filter(status="queued"), due_at="next_attempt_at", count="attempt_count"
)

LEASE = timedelta(minutes=2)

# The wait after each failed attempt: about two days in all, then the mail has failed permanently.
BACK_OFF = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=12),
    timedelta(hours=16),
)

log = structlog.get_logger(__name__)


def send_due(*, now: datetime, limit: int = 20) -> int:
    """Sends the mails that are due, oldest first, at most `limit` or BUDGET long; returns how many were processed."""
    started = time.monotonic()
    processed = 0
    while processed < limit:
        # A slow server must not use up the next lease.
        spent = timedelta(seconds=time.monotonic() - started)
        if spent >= BUDGET:
            break
        at = now + spent
        mail = _claim_next(at)
        if mail is None:
            break
        _process(mail, at)
        processed += 1
    return processed


def _claim_next(now: datetime) -> Mail | None:
    """Claims the next due mail by compare-and-set, with the rows its content needs; None when none is due."""
    due = QUEUED_MAILS.due(now).only("next_attempt_at", "attempt_count")
    while mail := due.first():
        if QUEUED_MAILS.claim(mail, until=now + LEASE):
            return rendering.with_related_rows().get(pk=mail.pk)
    return None


def _process(mail: Mail, now: datetime) -> None:
    try:
        if not kinds.is_valid(mail, now=now):
            QUEUED_MAILS.unchanged(mail).update(status="dropped")
            return
        rendering.message(mail).send()
    except Exception as error:  # noqa: BLE001 - any failure is recorded, and the other mails still go out
        _failed(mail, error, now)
    else:
        _sent(mail, now)


def _sent(mail: Mail, now: datetime, failure: SendFailure | None = None) -> None:
    with transaction.atomic():
        # Recorded even when the lease ran out and another worker has the mail: it did go out, and support must
        # see it twice.
        _record_attempt(mail, now, failure)
        QUEUED_MAILS.unchanged(mail).update(status="sent", sent_at=now)


def _failed(mail: Mail, error: Exception, now: datetime) -> None:
    """Records the failure: the mail is sent in part, or has failed permanently, or waits for its next attempt."""
    failure = failures.classify(error)
    log.warning(
        "mail_send_failed",
        mail=mail.id,
        kind=mail.kind,
        attempt=mail.attempt_count,
        code=failure.code,
        params=failure.params,
    )
    # Some recipients have it, and a repeat would mail them again.
    if failure.partly_sent:
        _sent(mail, now, failure)
        return
    with transaction.atomic():
        _record_attempt(mail, now, failure)
        _raise_alert(mail, failure, now)
        if not failure.is_permanent and mail.attempt_count <= len(BACK_OFF):
            QUEUED_MAILS.unchanged(mail).update(next_attempt_at=now + BACK_OFF[mail.attempt_count - 1])
        elif QUEUED_MAILS.unchanged(mail).update(status="failed"):
            outbox.record_mail_failure(mail, code=failure.code, params=failure.params, now=now)


def _raise_alert(mail: Mail, failure: SendFailure, now: datetime) -> None:
    """Raises an alert where an address must be corrected before any attempt can succeed."""
    if mail.organization_id is None:  # a mail about signing in; the log has the failure
        return
    if failure.code == "sender_invalid":
        alerts.raise_for_organization(
            "sender_address_invalid",
            mail.organization_id,
            subject=mail.organization_id,
            now=now,
            **failure.params,
        )
    elif failure.code == "recipient_invalid":
        alerts.raise_for_mail("recipient_address_invalid", mail, now=now, **failure.params)


def _record_attempt(mail: Mail, now: datetime, failure: SendFailure | None) -> None:
    MailAttempt.objects.create(
        mail=mail,
        number=mail.attempt_count,
        attempted_at=now,
        error_code=failure.code if failure else "",
        error_params=failure.params if failure else {},
    )
