"""The base of Partway's commands: settings are checked first without any page, and an old database is named."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

# These run for long, and would say it with each request and each job only.
_LASTING = ("serve", "worker")


class PartwayCommand(BaseCommand):
    """Runs the checks of config/checks.py; those of Django look at the code, so `migrate` and the tests run them.

    Django's check of the URLs imports every page, which doubles the start of a command.
    """

    requires_system_checks = ("partway",)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Runs the command; raises CommandError where the database has not been brought up to date."""
        hint = f"The database is not up to date. Run partway migrate first. PARTWAY_HOME is {settings.PARTWAY_HOME}."
        if self.__module__.rpartition(".")[2] in _LASTING and not MigrationRecorder(connection).has_table():
            raise CommandError(hint)
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            # Looked at only then: reading the migrations takes a moment.
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise CommandError(hint) from error
            raise
