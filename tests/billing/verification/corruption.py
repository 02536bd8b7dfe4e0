"""Damages stored rows behind the application, and reads what `verify` reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, models
from django.db.models import QuerySet

from tests.support import incremental_verify

Corruption = Callable[[], str]  # returns the id of the row that must be reported
Case = tuple[str, str, Corruption]  # rule, part of the message, and how to damage a row
Rows = type[models.Model] | QuerySet[Any]


def overwrite(rows: Rows, **columns: Any) -> Corruption:
    """Overwrites columns of the first of these rows."""

    def corruption() -> str:
        row = _all(rows).order_by("pk")[0]
        type(row)._default_manager.filter(pk=row.pk).update(**columns)
        return str(row.pk)

    return corruption


def delete_events(events: QuerySet[Any], of: str) -> Corruption:
    """Deletes these events; returns the id of the row they are about, or of their organization."""

    def corruption() -> str:
        event = events.all()[0]
        event.mails.update(event=None)
        events.all().delete()
        return str(getattr(event, f"{of}_id"))

    return corruption


def duplicate(rows: Rows, **columns: Any) -> Corruption:
    """Inserts the first of these rows a second time, under a later id."""

    def corruption() -> str:
        row = _all(rows).order_by("pk")[0]
        row.pk = f"{row.pk}2"
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(force_insert=True)
        return str(row.pk)

    return corruption


def reported_as(rows: Rows, corruption: Corruption) -> Corruption:
    """Runs a corruption that must be reported on the first of these rows instead."""

    def corruption_of_other_row() -> str:
        corruption()
        return str(_all(rows).order_by("pk")[0].pk)

    return corruption_of_other_row


def without_constraint(model: type[models.Model], name: str, corruption: Corruption) -> Corruption:
    """Runs a corruption after dropping this constraint of the database."""

    def corruption_without_constraint() -> str:
        _drop_constraint(model, name)
        return corruption()

    return corruption_without_constraint


def _all(rows: Rows) -> QuerySet[Any]:
    return rows.all() if isinstance(rows, QuerySet) else rows._default_manager.all()


def _drop_constraint(model: type[models.Model], name: str) -> None:
    [constraint] = [one for one in model._meta.constraints if one.name == name]
    is_index = isinstance(constraint, models.UniqueConstraint)
    with connection.cursor() as cursor:
        if is_index:
            cursor.execute(f"DROP INDEX {name}")
        elif connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {name}")


def differences_of(rule: str = "") -> set[tuple[str, str]]:
    """Returns id and message of each row that the checks of a rule report, or all checks."""
    return {(one.row, one.message) for one in incremental_verify.differences(rule)}


def is_detected(case: Case) -> bool:
    """Asserts that the rule's checks report nothing before the damage and this message after it; returns True."""
    rule, message, corruption = case
    assert differences_of(rule) == set()
    row = corruption()
    found = differences_of(rule)
    assert any(pk == row and message in text for pk, text in found), (row, message, found)
    return True
