"""Tests of how the search indexes are made: the extensions of PostgreSQL, and the tables of SQLite."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import CheckConstraint, Q

from partway.billing.models import Customer
from partway.billing.models.search import Search
from partway.billing.models.search_index import CreateSearchExtensions
from tests.support import personas


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


@pytest.mark.left_to("sqlite")
@pytest.mark.django_db(transaction=True)
def test_rows_are_found_after_a_migration_has_copied_their_table() -> None:
    dana = personas.customer(personas.alder().organization)
    with connection.schema_editor() as editor:
        editor.add_constraint(Customer, CheckConstraint(condition=Q(name__gt=""), name="copies_the_table"))
    kenji = personas.customer(dana.organization, "Kenji Whitfield")
    assert {*Search("whitfield", dana.organization).among(Customer.objects.all())} == {dana, kenji}
