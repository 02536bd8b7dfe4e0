"""The database of the tests: making and emptying it, its URL for other processes, and settings that make it faster."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import TransactionTestCase

# Django fills these tables after each migration, and no test changes them.
KEPT_TABLES = {ContentType._meta.db_table, Permission._meta.db_table}

# One test sends more different statements than the 100 that each database driver keeps parsed by default.
KEPT_STATEMENTS = 2_000


def database_url() -> str:
    """Returns the DATABASE_URL by which another process reaches the database of this test."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}" if host else ""


def empty_database() -> None:
    """Deletes all rows.

    Few tables have any after a test, so this takes a hundredth of the time of Django's flush, which truncates every
    table and then writes the content types and permissions again.
    """
    names = sorted(set(connection.introspection.django_table_names()) - KEPT_TABLES)
    tables = [connection.ops.quote_name(name) for name in names]
    with connection.cursor() as cursor:
        exist_clauses = ", ".join(f"EXISTS(SELECT 1 FROM {table})" for table in tables)  # noqa: S608 - our own names
        cursor.execute(f"SELECT {exist_clauses}")
        filled = [table for table, has_rows in zip(tables, cursor.fetchone(), strict=True) if has_rows]
        # Foreign keys are checked at the end of a transaction, so the order does not matter.
        with transaction.atomic():
            for table in filled:
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - the same


def share_migrated_database(process: str) -> None:
    """Lets the first process of a run that needs its database migrate one from nothing; each then clones that one.

    `process` is the name of this process, a worker of pytest-xdist.
    """
    creation, names = connection.creation, connection.settings_dict
    migrate = creation.create_test_db
    folder = Path(os.environ["PARTWAY_HOME"]).parent  # the home of the run, above those of its processes
    if connection.vendor == "sqlite":
        names["TEST"]["NAME"] = str(folder / "test.sqlite3")

    def create_test_db(*arguments: Any, **options: Any) -> str:
        source = creation._get_test_db_name()
        with (folder / "migrated").open("a") as migrated:
            fcntl.flock(migrated, fcntl.LOCK_EX)
            if migrated.seek(0, os.SEEK_END) == 0:
                migrate(*arguments, **options)
                # SQLite then has all of it in one file, and PostgreSQL clones no database that is in use.
                connection.close()
                migrated.write("yes")
            names["NAME"] = source
            creation.clone_test_db(process, verbosity=0)
        names["NAME"] = creation.get_test_db_clone_settings(process)["NAME"]
        connection.close()
        return str(names["NAME"])

    creation.create_test_db = create_test_db  # type: ignore[method-assign]


def make_tests_quick() -> None:
    """Changes how tests end, write and find static files; called once, before any test connects.

    A test that commits ends with `empty_database`, and its connection is kept.
    """
    settings.WHITENOISE_AUTOREFRESH = True  # else each client of a test reads all static files first
    TransactionTestCase._fixture_teardown = lambda _: empty_database()  # type: ignore[method-assign]
    TransactionTestCase._should_reload_connections = lambda _: False
    if connection.vendor == "sqlite":
        options = connection.settings_dict["OPTIONS"]
        options["cached_statements"] = KEPT_STATEMENTS
        options["init_command"] = (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"  # tests need not survive a power failure
        )
    else:
        connection_created.connect(_keep_statements)


def _keep_statements(connection: BaseDatabaseWrapper, **_: object) -> None:
    connection.connection.prepared_max = KEPT_STATEMENTS
