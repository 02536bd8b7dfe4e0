"""The base of Partway's commands: settings are checked first without any page, and an old database is named."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder


class PartwayCommand(BaseCommand):
    """Runs the checks of config/checks.py; those of Django look at the code, so `migrate` and the tests run them.

    Django's check of the URLs imports every page, which doubles the start of a command.
    """

    requires_system_checks = ("partway",)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Runs the command; raises CommandError where the database has not been brought up to date."""
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            # Looked at only then: reading the migrations takes a moment.
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise _outdated() from error
            raise


def require_tables() -> None:
    """Raises CommandError where there are no tables; for processes that would say it with each request or job only."""
    if not MigrationRecorder(connection).has_table():
        raise _outdated()


def _outdated() -> CommandError:
    return CommandError(
        f"The database is not up to date. Run partway migrate first. PARTWAY_HOME is {settings.PARTWAY_HOME}."
    )
