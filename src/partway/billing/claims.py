"""Claims due rows by compare-and-set: workers share a table, and a killed worker loses nothing (DESIGN section 10).

A claim sets the time from which the row is due again before the work begins: the lease, or the wait before the next
attempt. A worker killed in between leaves a row that comes due again. Mails, callbacks, unsettled payments,
gateway lists and imports are claimed here; no lock is held and no broker is needed, on SQLite or PostgreSQL.

On PostgreSQL a worker first reserves a batch in one statement, in which others skip the rows that it locks. Each row is
still claimed by itself right before its work, so one that kills its worker takes no attempt from the rest of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from partway.accounts.prepared import PreparedUpdate
from partway.lib.clock import RunningClock

M = TypeVar("M", bound=Model)

# How long a job goes on taking rows: with a silent server each of them waits for a time-out. The rest is due again in
# the next round, which begins with the present time.
BUDGET = timedelta(seconds=20)

# How long reserved rows are kept from other workers: those of a killed worker are due again then. Longer than BUDGET,
# after which a worker gives back what it did not come to.
RESERVATION = BUDGET + timedelta(seconds=10)
_BATCH = 20  # rows reserved or read at once, so that other workers find some too

_is_stopping: ContextVar[Callable[[], bool]] = ContextVar("is_stopping")
_MAX_DOUBLINGS = 12  # keeps the power small; every interval reaches `longest` before


@contextmanager
def stopping_when(is_stopping: Callable[[], bool]) -> Iterator[None]:
    """Lets jobs within the block begin no further row once this is true, as when a worker is stopped."""
    token = _is_stopping.set(is_stopping)
    try:
        yield
    finally:
        _is_stopping.reset(token)


def is_stopping() -> bool:
    """Returns whether the job on this thread is to end: what it begins now may be killed half done."""
    return _is_stopping.get(bool)()


@dataclass(frozen=True, slots=True)
class ClaimableRows(Generic[M]):
    """The rows of one table that workers may claim.

    due_at: the column of the time from which a row is due, moved by each claim.
    count: the column that counts the claims, if the table has one.
    """

    rows: QuerySet[M]
    due_at: str
    count: str = ""

    def due(self, now: datetime) -> QuerySet[M]:
        """Returns the rows that are due, the longest waiting first."""
        return self.rows.filter(**{f"{self.due_at}__lte": now}).order_by(self.due_at, "pk")

    def next_due_at(self) -> datetime | None:
        """Returns the time from which the first row is due, perhaps long ago; None when there is no row."""
        first: datetime | None = (
            self.rows.order_by(self.due_at, "pk").values_list(self.due_at, flat=True).first()
        )
        return first

    def take(
        self, now: datetime, *, limit: int, wait: Callable[[M], timedelta]
    ) -> Iterator[tuple[M, datetime]]:
        """Claims the due rows one after the other for `wait(row)`, and yields each with the time of its claim.

        Ends after `limit` rows that were due, when BUDGET is spent, or when the worker is stopped. Rows that another
        worker claimed are left out.
        """
        clock, left = RunningClock(now), limit
        while left > 0 and (batch := self._next_batch(clock.now(), min(left, _BATCH))):
            left -= len(batch)
            waiting, reserved_until = {row.pk for row in batch}, getattr(batch[0], self.due_at)
            try:
                for row in batch:
                    at = clock.now()
                    if at - now >= BUDGET or is_stopping():
                        return
                    waiting.remove(row.pk)
                    if self.claim(row, until=at + wait(row)):
                        yield row, at
            finally:
                if waiting and connection.features.has_select_for_update_skip_locked:
                    reserved = self.rows.filter(pk__in=waiting, **{self.due_at: reserved_until})
                    reserved.update(**{self.due_at: now})

    def _next_batch(self, now: datetime, limit: int) -> list[M]:
        """Returns rows that are due, the longest waiting first; on PostgreSQL no other worker gets them meanwhile."""
        if not connection.features.has_select_for_update_skip_locked:
            return list(self.due(now)[:limit])
        meta: Any = self.rows.model._meta
        quote = connection.ops.quote_name
        # ARRAY, because a plan may run a plain subquery several times, which would reserve more rows than the limit.
        # NO KEY, since rows are added to a busy gateway account all the time, and it would hardly ever be free.
        due, params = self.due(now).values("pk")[:limit].query.sql_with_params()
        with connection.cursor() as cursor:
            reserved_until = now + RESERVATION
            cursor.execute(
                f"UPDATE {quote(meta.db_table)} SET {quote(meta.get_field(self.due_at).column)} = %s "  # noqa: S608
                f"WHERE {quote(meta.pk.column)} = ANY(ARRAY({due} FOR NO KEY UPDATE SKIP LOCKED)) "
                f"RETURNING {quote(meta.pk.column)}",
                [reserved_until, *params],
            )
            ids = [pk for (pk,) in cursor.fetchall()]
        # Not those that an act has put off or claimed since. Ids are ordered by the time of their rows.
        reserved = self.rows.filter(pk__in=ids, **{self.due_at: reserved_until})
        return list(reserved.order_by("pk")) if ids else []

    def claim(self, row: M, *, until: datetime) -> bool:
        """Claims a row that was read as due, until then; returns False when another worker claimed it first.

        On success `row` holds the new time and count.
        """
        columns: dict[str, Any] = {self.due_at: until}
        if self.count:
            columns[self.count] = getattr(row, self.count) + 1
        as_read = [getattr(row, name) for name in columns]
        if not _claim_of(self).run(row.pk, *as_read, *columns.values()):
            return False
        for name, value in columns.items():
            setattr(row, name, value)
        return True

    def unchanged(self, row: M) -> QuerySet[M]:
        """Returns the row if its claim is still the one in `row`; empty once another worker has claimed it."""
        claim_column = self.count or self.due_at
        return self.rows.filter(pk=row.pk, **{claim_column: getattr(row, claim_column)})


@cache
def _claim_of(rows: ClaimableRows[Any]) -> PreparedUpdate:
    """Returns the update of a row that is as it was read; it takes its id, those columns, and their new values."""
    names = [rows.due_at, rows.count] if rows.count else [rows.due_at]

    def change(pk: Any, *values: Any) -> tuple[QuerySet[Any], dict[str, Any]]:
        as_read, columns = (
            dict(zip(names, part, strict=True)) for part in (values[: len(names)], values[len(names) :])
        )
        return rows.rows.filter(pk=pk, **as_read), columns

    return PreparedUpdate(change)


def back_off(attempts: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Returns the wait after so many attempts: `first`, doubled by each, at most `longest`."""
    doublings = min(attempts, _MAX_DOUBLINGS)
    return min(first * (1 << doublings), longest)
