"""Calls at the end of a transaction, inside it: for rows that show how its acts left the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

ItemT = TypeVar("ItemT")


@dataclass(eq=False)
class _Waiting(Generic[ItemT]):
    """One item that waits for the end of its transaction."""

    write: Callable[[Sequence[ItemT]], None]
    item: ItemT
    is_written: bool = False

    def __call__(self) -> None:
        """Runs after the commit, for a connection that does not call before it, as of a test that never commits."""
        if not self.is_written:
            self.write([self.item])


def before_commit(write: Callable[[Sequence[ItemT]], None], item: ItemT) -> None:
    """Calls `write` with the items of this transaction before it is committed; not for those that are rolled back.

    Django keeps them with what it calls after the commit, so that a savepoint that is rolled back forgets its own.
    """
    transaction.on_commit(_Waiting(write, item))


class CallsBeforeCommit(BaseDatabaseWrapper):
    """The part of a connection that makes these calls."""

    def commit(self) -> None:
        """Commits, after what waits for it; where that fails, nothing is committed."""
        # A statement of Django: (savepoints, function, whether it may fail).
        waiting: list[_Waiting[Any]] = [
            call[1] for call in self.run_on_commit if isinstance(call[1], _Waiting)
        ]
        try:
            for write in dict.fromkeys(one.write for one in waiting):
                write([one.item for one in waiting if one.write == write])
        except BaseException:
            # Django does so for errors of the database only. After others SQLite would commit, for autocommit returns,
            # and PostgreSQL would leave the connection inside the transaction.
            self.rollback()
            raise
        for one in waiting:
            one.is_written = True
        super().commit()
