"""Writes an app's initial migration anew, with every constraint, index and relation inside its CreateModel.

    .venv/bin/python scripts/initial_migration.py billing

Only before the first release, while each app has one migration. `makemigrations` writes the same tables as a hundred
operations of their own, and Django renders all models anew, and on SQLite copies the table, after most of them: more
than half the time of `partway migrate` on a new database.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import django
from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ModelState
from django.db.migrations.writer import MigrationWriter
from django.db.models import Model


def in_order_of_relations(models: list[type[Model]]) -> list[type[Model]]:
    """Returns the models so that each comes after those of its app that its foreign keys name."""
    ordered: list[type[Model]] = []

    def add(model: type[Model], above: tuple[type[Model], ...]) -> None:
        if model in above:
            sys.exit(f"{model.__name__} refers to itself through {[each.__name__ for each in above]}")
        related = {field.related_model for field in model._meta.local_fields if field.is_relation}
        for other in models:
            if other in related - {model, *ordered}:
                add(other, (*above, model))
        if model not in ordered:
            ordered.append(model)

    for model in models:
        add(model, ())
    return ordered


def main(label: str) -> None:
    """Writes the migration of the app with this label, under the docstring that it has."""
    settings = {"sandbox": "partway.sandbox.settings"}.get(label, "partway.config.settings")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    django.setup()
    app = apps.get_app_config(label)
    file = Path(app.path) / "migrations" / "0001_initial.py"
    docstring = file.read_text().partition("\n")[0]
    states = [ModelState.from_model(model) for model in in_order_of_relations(list(app.get_models()))]
    migration = type("Migration", (Migration,), {"initial": True})("0001_initial", label)
    if label == "billing":
        from partway.billing.models.search_index import CreateSearchExtensions  # needs billing's settings

        migration.operations = [CreateSearchExtensions()]
    else:
        migration.operations = []
    migration.operations += [
        CreateModel(
            name=state.name,
            fields=list(state.fields.items()),
            options={name: value for name, value in state.options.items() if value not in ([], {})},
            bases=state.bases,
            managers=state.managers,
        )
        for state in states
    ]
    if label == "billing":
        from partway.billing.models.due_notifications import CreateDueNotifications

        migration.operations += [CreateDueNotifications()]
    related = {
        field.related_model._meta.app_label
        for model in app.get_models()
        for field in model._meta.local_fields
        if field.is_relation
    }
    migration.dependencies = [(other, "0001_initial") for other in sorted(related - {label})]
    text = MigrationWriter(migration, include_header=False).as_string()
    file.write_text(f"{docstring}\n\n{text}")
    tool = Path(sys.executable).with_name("ruff")
    subprocess.run([tool, "check", "--quiet", "--fix", "--exit-zero", file], check=True)
    subprocess.run([tool, "format", "--quiet", file], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
