"""The connections to the databases: how a request finds out whether the one that it takes up still works."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server")


@on_postgresql
def test_connection_that_the_server_has_ended_is_noticed_without_a_statement_on_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()
    assert connection.is_usable()
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        last = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", backend).fetchone()
        assert last == ("SELECT pg_backend_pid()",)
        other.execute("SELECT pg_terminate_backend(%s, 5000)", backend)
    assert not connection.is_usable()
    connection.close()
