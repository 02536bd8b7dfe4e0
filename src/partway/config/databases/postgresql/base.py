"""The connection that Django loads by the name of this package."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from partway.accounts.before_commit import CallsBeforeCommit


class DatabaseWrapper(CallsBeforeCommit, base.DatabaseWrapper):
    """A connection that calls what waits for the end of a transaction before it commits."""

    def is_usable(self) -> bool:
        """Returns whether the connection works, which each request asks about the one it takes up.

        A server that has ended it says so on its socket, and nothing else is sent on an idle one: only where there is
        something to read, or a statement has failed, a statement asks, as Django's own does.
        """
        idle = self.connection
        if idle is None or self.errors_occurred or idle.info.transaction_status != TransactionStatus.IDLE:
            return bool(super().is_usable())
        poll = select.poll()
        poll.register(idle.fileno(), select.POLLIN)
        return not poll.poll(0) or bool(super().is_usable())
