"""Writes past our code, as a mistake or a stranger in the database would, and asks what `verify` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, models
from django.db.models import QuerySet

from partway.billing.verification import CHECKS

Corruption = Callable[[], str]  # answers the row that was damaged
Case = tuple[str, str, Corruption]  # the rule that is broken, words that say so, and how to break it
Rows = type[models.Model] | QuerySet[Any]


def overwrite(rows: Rows, **columns: Any) -> Corruption:
    """Write over the first of these rows."""

    def corruption() -> str:
        row = _all(rows).order_by("pk")[0]
        type(row)._default_manager.filter(pk=row.pk).update(**columns)
        return str(row.pk)

    return corruption


def delete_events(events: QuerySet[Any], of: str) -> Corruption:
    """Take these events away; damaged is the row they are about, or their organization."""

    def corruption() -> str:
        event = events.all()[0]
        event.mails.update(event=None)
        events.all().delete()
        return str(getattr(event, f"{of}_id"))

    return corruption


def duplicate(rows: Rows, **columns: Any) -> Corruption:
    """Write the first of these rows a second time, under a later id."""

    def corruption() -> str:
        row = _all(rows).order_by("pk")[0]
        row.pk = f"{row.pk}2"
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(force_insert=True)
        return str(row.pk)

    return corruption


def reported_as(rows: Rows, corruption: Corruption) -> Corruption:
    """Do it, but the row that is to be named is the first of these."""

    def elsewhere() -> str:
        corruption()
        return str(_all(rows).order_by("pk")[0].pk)

    return elsewhere


def without_constraint(model: type[models.Model], name: str, corruption: Corruption) -> Corruption:
    """Do it where the database no longer has this constraint."""

    def unguarded() -> str:
        _lift(model, name)
        return corruption()

    return unguarded


def _all(rows: Rows) -> QuerySet[Any]:
    return rows.all() if isinstance(rows, QuerySet) else rows._default_manager.all()


def _lift(model: type[models.Model], name: str) -> None:
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
    """The rows that the checks of a rule name, or of all, each with what is said of it."""
    checks = [check for check in CHECKS if rule in ("", check.rule)]
    assert checks, rule
    return {(one.row, one.message) for check in checks for one in check.differences()}


def is_detected(case: Case) -> bool:
    """Whether the rule's checks find nothing before the damage, and after it name the row in these words."""
    rule, message, corruption = case
    assert differences_of(rule) == set()
    row = corruption()
    told = [said for pk, said in differences_of(rule) if pk == row]
    assert any(message in said for said in told), (row, message, differences_of(rule))
    return True
