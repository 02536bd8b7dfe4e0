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

_MOST_WORDS = 300

log = structlog.get_logger(__name__)


def send_due(*, now: datetime, limit: int = 20) -> int:
    """Hand over the mails that are due, oldest first, at most `limit`; returns how many were dealt with."""
    started = time.monotonic()
    dealt_with = 0
    while dealt_with < limit:
        at = now + timedelta(seconds=time.monotonic() - started)  # a slow server must not eat the next lease
        mail = _claim_next(at)
        if mail is None:
            break
        _deal_with(mail, at)
        dealt_with += 1
    return dealt_with


def _claim_next(now: datetime) -> Mail | None:
    """The next due mail, ours until its lease ends, with all that its text needs; None when none is due."""
    due = Mail.objects.filter(status="queued", try_at__lte=now).order_by("try_at", "id")
    while seen := due.values_list("id", "attempt").first():
        mail_id, attempt = seen
        seen_so = due.filter(id=mail_id, attempt=attempt).order_by()
        if seen_so.update(attempt=attempt + 1, try_at=now + LEASE):
            return rendering.mails_with_everything().get(id=mail_id)
    return None


def _deal_with(mail: Mail, now: datetime) -> None:
    if not outbox.still_holds(mail, now=now):
        _held(mail).update(status="dropped")
        return
    try:
        rendering.message(mail).send()
    except Exception as error:  # noqa: BLE001 - any failure is written down, and the other mails still go out
        _failed(mail, error, now)
    else:
        _sent(mail, now)


def _sent(mail: Mail, now: datetime, words: str = "") -> None:
    with transaction.atomic():
        _note(mail, now, words)
        _held(mail).update(status="sent", sent_at=now)


def _failed(mail: Mail, error: Exception, now: datetime) -> None:
    verdict = failures.judge(error)
    words = verdict.words[:_MOST_WORDS]
    log.warning("mail_not_sent", mail=mail.id, kind=mail.kind, attempt=mail.attempt, words=words)
    if verdict.partly_sent:
        _sent(mail, now, words)
    elif verdict.for_good or mail.attempt > len(BACK_OFF):
        _given_up(mail, words, now)
    else:
        with transaction.atomic():
            _note(mail, now, words)
            _held(mail).update(try_at=now + BACK_OFF[mail.attempt - 1])


def _given_up(mail: Mail, words: str, now: datetime) -> None:
    with transaction.atomic():
        _note(mail, now, words)
        if _held(mail).update(status="failed"):
            outbox.mail_failed(mail, words=words, now=now)


def _held(mail: Mail) -> QuerySet[Mail]:
    """The row, if this try is still the latest."""
    return Mail.objects.filter(id=mail.id, attempt=mail.attempt, status="queued")


def _note(mail: Mail, now: datetime, words: str) -> None:
    MailAttempt.objects.create(mail=mail, number=mail.attempt, at=now, error=words)
