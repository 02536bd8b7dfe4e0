"""The initial migrations create whole tables, so that a new database is ready soon."""

from __future__ import annotations

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import CreateModel

from partway.billing.models.due_notifications import CreateDueNotifications
from partway.billing.models.search_index import CreateSearchExtensions


@pytest.mark.parametrize("app", ["billing", "worker"])
def test_initial_migration_is_one_operation_per_table(app: str) -> None:
    migration = MigrationLoader(None).get_migration(app, "0001_initial")
    expected = (CreateModel, CreateSearchExtensions, CreateDueNotifications)
    others = [operation.describe() for operation in migration.operations if type(operation) not in expected]
    assert others == [], f"write it by scripts/initial_migration.py {app}"
