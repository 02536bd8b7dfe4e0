"""Closes the journal up to a day, and opens it again: both are acts of an owner that the audit log keeps."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib import clock

from .. import events
from ..errors import Conflict, Invalid, Stale, field_error
from ..events import Actor
from ..models import Closing
from ..snapshots import snapshot
from . import entries
from .calendar import IN_FLIGHT, Calendar

MAX_REASON_LENGTH = 300


def unavailable_reason(organization: Organization) -> Conflict | None:
    """Returns the error that `reopen` raises now for any day, or None."""
    return None if Calendar.of(organization).closed_through() else Conflict(reason="journal_not_closed")


@needs(Permission.CLOSE_PERIODS)
def close(
    organization: Organization, *, through: date, by: Actor, now: datetime, expected: date | None = None
) -> Closing:
    """Closes the journal up to this day: what is recorded from now on is booked after it, and says so.

    `expected` is the last closed day that the page showed. Closing the same day again returns the closing that did it.
    Raises Invalid on `through` unless it is after that day and before today, Stale when another day is closed by now.
    """
    # Before the transaction, where each query would see what was committed until then: so an act is in it in whole or
    # not at all, and not a part of its entry closed. What is committed between the two is booked after the closing.
    with snapshot():
        seen = Calendar.of(organization)
        included = entries.recent_facts(organization, seen, now - IN_FLIGHT, through)
    with transaction.atomic(durable=True):
        organization.lock()
        organization.refresh_from_db(fields=["time_zone"])
        calendar = Calendar.of(organization)
        closed = calendar.closed_through()
        if closed == through:
            return calendar.closings[-1]
        if closed != expected or calendar != seen:
            raise Stale(reason="journal_closed")
        today = clock.today(now, organization.time_zone)
        if through >= today:
            raise Invalid({"through": field_error("close_before_today", today=today)})
        if closed and through < closed:
            raise Invalid({"through": field_error("close_after_closed", closed=closed)})
        row = Closing.objects.create(
            organization=organization,
            through=through,
            included=included,
            time_zone=organization.time_zone,
            created_at=now,
        )
        before = closed.isoformat() if closed else ""
        data = {"closing": row.pk, "through": through.isoformat(), "before": before}
        events.record("organization.journal_closed", organization, by=by, now=now, data=data)
    return row


@needs(Permission.CLOSE_PERIODS)
@transaction.atomic(durable=True)
def reopen(
    organization: Organization,
    *,
    since: date,
    reason: str,
    by: Actor,
    now: datetime,
    expected: date | None = None,
) -> Closing:
    """Opens the journal again from this day on, for what is recorded from now on; entries already moved stay.

    Raises Invalid (with fields), Conflict when nothing is closed, Stale when another day is closed than expected.
    """
    organization.lock()
    closed = Calendar.of(organization).closed_through()
    if closed is None:
        raise Conflict(reason="journal_not_closed")
    if closed != expected:
        raise Stale(reason="journal_closed")
    reason, errors = reason.strip(), {}
    if not 0 < len(reason) <= MAX_REASON_LENGTH:
        errors["reason"] = field_error("reopening_reason", limit=MAX_REASON_LENGTH)
    if since > closed:
        errors["since"] = field_error("reopen_closed_day", closed=closed)
    if errors:
        raise Invalid(errors)
    row = Closing.objects.create(
        organization=organization,
        through=since - timedelta(days=1),
        is_reopening=True,
        reason=reason,
        time_zone=organization.time_zone,
        created_at=now,
    )
    data = {"closing": row.pk, "since": since.isoformat(), "before": closed.isoformat(), "reason": reason}
    events.record("organization.journal_reopened", organization, by=by, now=now, data=data)
    return row
