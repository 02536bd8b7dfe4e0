"""Tests of the extensions of PostgreSQL that the search indexes need."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from partway.billing.models.search_index import CreateSearchExtensions


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no extensions to create")
@pytest.mark.django_db
def test_migration_without_right_to_create_search_extensions_says_what_to_run() -> None:
    remedy = "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS btree_gin;"
    editor = connection.schema_editor(atomic=False)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm CASCADE; CREATE ROLE clerk; SET LOCAL ROLE clerk")
        with pytest.raises(ProgrammingError, match=remedy):
            CreateSearchExtensions().database_forwards("billing", editor, None, None)
        transaction.set_rollback(True)
