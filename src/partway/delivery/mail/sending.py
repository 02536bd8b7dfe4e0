"""Claims mails that are due, one by one, and hands them over; every try is recorded (DESIGN section 10, D6).

A row is claimed by raising `attempt`: whoever raised it holds it for LEASE, and what became of the try counts
only while the number is still theirs. A worker killed in between loses nothing: the row is due again when the
lease ends, and the repeat carries the same Message-ID.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet

from partway.billing import outbox
from partway.billing.models import Mail, MailAttempt

from . import failures, rendering

LEASE = timedelta(minutes=2)

# How long to wait after each failed try: about two days in all, then the mail has failed for good.
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

_MAX_ERROR_LENGTH = 300

log = structlog.get_logger(__name__)


def send_due(*, now: datetime, limit: int = 20) -> int:
    """Hand over the mails that are due, oldest first, at most `limit`; returns how many were dealt with."""
    started = time.monotonic()
    processed = 0
    while processed < limit:
        at = now + timedelta(seconds=time.monotonic() - started)  # a slow server must not eat the next lease
        mail = _claim_next(at)
        if mail is None:
            break
        _process(mail, at)
        processed += 1
    return processed


def _claim_next(now: datetime) -> Mail | None:
    """The next due mail, ours until its lease ends, with all that its text needs; None when none is due."""
    due = Mail.objects.filter(status="queued", next_attempt_at__lte=now).order_by("next_attempt_at", "id")
    while seen := due.values_list("id", "attempt").first():
        mail_id, attempt = seen
        seen_so = due.filter(id=mail_id, attempt=attempt).order_by()
        if seen_so.update(attempt=attempt + 1, next_attempt_at=now + LEASE):
            return rendering.with_related_rows().get(id=mail_id)
    return None


def _process(mail: Mail, now: datetime) -> None:
    if not outbox.is_still_valid(mail, now=now):
        _still_claimed(mail).update(status="dropped")
        return
    try:
        rendering.message(mail).send()
    except Exception as error:  # noqa: BLE001 - any failure is written down, and the other mails still go out
        _failed(mail, error, now)
    else:
        _sent(mail, now)


def _sent(mail: Mail, now: datetime, words: str = "") -> None:
    with transaction.atomic():
        _record_attempt(mail, now, words)
        _still_claimed(mail).update(status="sent", sent_at=now)


def _failed(mail: Mail, error: Exception, now: datetime) -> None:
    verdict = failures.classify(error)
    words = verdict.words[:_MAX_ERROR_LENGTH]
    log.warning("mail_send_failed", mail=mail.id, kind=mail.kind, attempt=mail.attempt, message=words)
    if verdict.partly_sent:
        _sent(mail, now, words)
    elif verdict.is_permanent or mail.attempt > len(BACK_OFF):
        _fail_permanently(mail, words, now)
    else:
        with transaction.atomic():
            _record_attempt(mail, now, words)
            _still_claimed(mail).update(next_attempt_at=now + BACK_OFF[mail.attempt - 1])


def _fail_permanently(mail: Mail, words: str, now: datetime) -> None:
    with transaction.atomic():
        _record_attempt(mail, now, words)
        if _still_claimed(mail).update(status="failed"):
            outbox.record_mail_failure(mail, message=words, now=now)


def _still_claimed(mail: Mail) -> QuerySet[Mail]:
    """The row, if this try is still the latest."""
    return Mail.objects.filter(id=mail.id, attempt=mail.attempt, status="queued")


def _record_attempt(mail: Mail, now: datetime, words: str) -> None:
    MailAttempt.objects.create(mail=mail, number=mail.attempt, at=now, error=words)
