"""The one mechanism of every limit: uses are rows, counted over sliding windows, exact with any number of processes.

    limit = Limit("sign_in.account", Window(10, timedelta(minutes=15)), Window(40, timedelta(days=1)))
    attempts = consume({limit: "alice@alder.example"}, now=now)     raises LimitReached
    release(attempts)                                               it was no failure after all

A use is counted *before* what it allows is tried, and given back afterwards if it need not count: a password is
checked for a tenth of a second, in which a thousand more could be sent. Rows are never evicted, and deleted by the
worker once no window reaches back to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import connection, transaction
from django.db.models import Count, Max
from django.utils.crypto import salted_hmac

from .models import Attempt
from .prepared import insert

_SUBJECT_LENGTH = 40

# What is counted for an account from anywhere; the subject is its mail address.
ACCOUNT_ACTIONS = ("password.account", "code.account", "reset.account")


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` uses within `length`."""

    count: int
    length: timedelta


class Limit:
    """How often an action may be used by one subject: each of its windows holds.

    Several windows slow down step by step: ten in a quarter of an hour, and still no more than forty in a day.
    """

    def __init__(self, action: str, *windows: Window) -> None:
        self.action = action
        self.windows = windows

    @property
    def longest(self) -> timedelta:
        """The longest window, for which a use is remembered."""
        return max(window.length for window in self.windows)


class LimitReached(Exception):
    """The subject of `limit` has to wait `retry_after`, if nothing else is counted until then."""

    def __init__(self, limit: Limit, retry_after: timedelta) -> None:
        super().__init__(limit.action)
        self.limit = limit
        self.retry_after = retry_after


# The subject of each limit that one use counts for.
Uses = Mapping[Limit, str]


def consume(uses: Uses, *, now: datetime) -> list[int]:
    """Counts one use for each limit, or for none of them; returns the ids of the counted attempts for `release`.

    Two at the same time count as two: on PostgreSQL each subject has a lock until the end of the transaction, and
    SQLite has one writer at a time. Raises LimitReached with the longest wait.
    """
    subjects = _digests(uses)
    rows = [
        Attempt(action=limit.action, subject=subject, created_at=now, expires_at=now + limit.longest)
        for limit, subject in subjects.items()
    ]
    # Nothing is written before the refusal, so an open transaction needs no savepoint for it.
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        _lock(subjects)
        _check(subjects, now)
        if rows:
            insert(*rows)
    return [row.pk for row in rows]


def check(uses: Uses, *, now: datetime) -> None:
    """Raises LimitReached if `consume` would raise it now; counts nothing."""
    _check(_digests(uses), now)


def remaining(limit: Limit, subject: str, *, now: datetime) -> tuple[int, timedelta]:
    """Returns how many uses the first window of a limit has left, and how long until it is as if unused."""
    window = limit.windows[0]
    counted = Attempt.objects.filter(
        action=limit.action, subject=_digest(subject), created_at__gt=now - window.length
    ).aggregate(count=Count("pk"), newest=Max("created_at"))
    until_unused = counted["newest"] + window.length - now if counted["newest"] else timedelta()
    return max(window.count - counted["count"], 0), until_unused


def release(attempts: Iterable[int]) -> None:
    """Gives back uses that need not count, as after the right password."""
    Attempt.objects.filter(pk__in=list(attempts)).delete()


def clear(action: str, subject: str) -> None:
    """Forgets every counted use of an action by this subject."""
    Attempt.objects.filter(action=action, subject=_digest(subject)).delete()


def delete_expired(*, now: datetime, limit: int = 5_000) -> int:
    """Deletes attempts that no window reaches back to, at most `limit`; returns how many."""
    expired = Attempt.objects.filter(expires_at__lte=now).order_by("expires_at").values("pk")[:limit]
    return Attempt.objects.filter(pk__in=list(expired.values_list("pk", flat=True))).delete()[0]


def networks(ip_address: str | None) -> list[str]:
    """Returns the networks that a browser's address is counted by, the smallest first; none for an unknown address.

    An IPv4 address is one. Of IPv6, a household has a /64 to choose addresses from, and a business often a whole /48.
    """
    if ip_address is None:
        return []
    if ":" not in ip_address:
        return [ip_address]
    return [str(ip_network((ip_address, length), strict=False)) for length in (64, 48)]


def _digests(uses: Uses) -> dict[Limit, str]:
    return {limit: _digest(subject) for limit, subject in uses.items()}


def _digest(subject: str) -> str:
    return salted_hmac("partway limits", subject, algorithm="sha256").hexdigest()[:_SUBJECT_LENGTH]


def _lock(subjects: dict[Limit, str]) -> None:
    if connection.vendor != "postgresql" or not subjects:
        return
    # In one order, so that two uses never wait for each other.
    names = sorted(f"{limit.action} {subject}" for limit, subject in subjects.items())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name", [names]
        )


def _check(subjects: dict[Limit, str], now: datetime) -> None:
    """Counts every window of every limit in one query, written by hand: Django would take longer than the database."""
    windows = [(limit, subject, window) for limit, subject in subjects.items() for window in limit.windows]
    if not windows:
        return
    within = "action = %s AND subject = %s AND created_at > %s"
    counted = ", ".join([f"COUNT(*) FILTER (WHERE {within})"] * len(windows))
    longest = " OR ".join([f"({within})"] * len(subjects))
    uses = [(limit, subject, window.length) for limit, subject, window in windows]
    uses += [(limit, subject, limit.longest) for limit, subject in subjects.items()]
    since = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counted} FROM {Attempt._meta.db_table} WHERE {longest}",  # noqa: S608 - no text of a user
            [
                part
                for limit, subject, length in uses
                for part in (limit.action, subject, since(now - length))
            ],
        )
        counts = cursor.fetchone()
    full = [
        LimitReached(limit, _wait(limit, subject, window, now))
        for (limit, subject, window), count in zip(windows, counts, strict=True)
        if count >= window.count
    ]
    if full:
        raise max(full, key=lambda reached: reached.retry_after)


def _wait(limit: Limit, subject: str, window: Window, now: datetime) -> timedelta:
    """Returns how long it takes until so many uses have left the window that one more fits."""
    if window.count <= 0:
        return window.length
    within = Attempt.objects.filter(action=limit.action, subject=subject, created_at__gt=now - window.length)
    newest = within.order_by("-created_at").values_list("created_at", flat=True)
    return newest[window.count - 1] + window.length - now
