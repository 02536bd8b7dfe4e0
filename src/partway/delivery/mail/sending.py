"""Claims mails that are due and sends them over one connection; every attempt is recorded (DESIGN section 10, D6).

A worker holds a claimed mail for LEASE and may write the outcome only while the claim is still its own. When a worker
is killed in between, the mail is due again once the lease ends, and the repeat carries the same Message-ID.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from partway.accounts.prepared import Prepared
from partway.billing import alerts, outbox
from partway.billing.claims import ClaimableRows
from partway.billing.models import Mail, MailAttempt

from . import failures, kinds, rendering
from .backends import MailConnection
from .failures import SendFailure

QUEUED_MAILS = ClaimableRows(
    Mail.objects.filter(status="queued").only("next_attempt_at", "attempt_count"),
    due_at="next_attempt_at",
    count="attempt_count",
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


# A mail with the rows its content needs, as they are right before it is sent.
_mail_to_send = Prepared(lambda pk: rendering.with_related_rows().filter(pk=pk))


def send_due(*, now: datetime, limit: int = 100) -> int:
    """Sends the mails that are due, oldest first, at most `limit` or BUDGET long; returns how many were processed.

    All go over one connection to the mail server, and each is recorded before the next one is sent.
    """
    processed = 0
    with closing(MailConnection()) as server:
        for claimed, at in QUEUED_MAILS.take(now, limit=limit, wait=lambda _mail: LEASE):
            _process(_mail_to_send.get(claimed.pk), server, at)
            processed += 1
    return processed


def _process(mail: Mail, server: MailConnection, now: datetime) -> None:
    try:
        if not kinds.is_valid(mail, now=now):
            QUEUED_MAILS.unchanged(mail).update(status="dropped")
            return
        server.send(rendering.message(mail))
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
