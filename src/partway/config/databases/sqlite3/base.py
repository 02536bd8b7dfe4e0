"""The connection that Django loads by the name of this package."""

from django.db.backends.sqlite3 import base

from partway.accounts.before_commit import CallsBeforeCommit


class DatabaseWrapper(CallsBeforeCommit, base.DatabaseWrapper):
    """A connection that calls what waits for the end of a transaction before it commits."""
