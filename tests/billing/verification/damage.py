"""Writes past our code, as a mistake or a stranger in the database would, and asks what `verify` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, models
from django.db.models import QuerySet

from partway.billing.verification import CHECKS

Damage = Callable[[], str]  # answers the row that was damaged
Case = tuple[str, str, Damage]  # the rule that is broken, words that say so, and how to break it
Rows = type[models.Model] | QuerySet[Any]


def over(rows: Rows, **columns: Any) -> Damage:
    """Write over the first of these rows."""

    def damage() -> str:
        row = _all(rows).order_by("pk")[0]
        type(row)._default_manager.filter(pk=row.pk).update(**columns)
        return str(row.pk)

    return damage


def gone(events: QuerySet[Any], of: str) -> Damage:
    """Take these events away; damaged is the row they are about, or their organization."""

    def damage() -> str:
        event = events.all()[0]
        event.mails.update(event=None)
        events.all().delete()
        return str(getattr(event, f"{of}_id"))

    return damage


def again(rows: Rows, **columns: Any) -> Damage:
    """Write the first of these rows a second time, under a later id."""

    def damage() -> str:
        row = _all(rows).order_by("pk")[0]
        row.pk = f"{row.pk}2"
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(force_insert=True)
        return str(row.pk)

    return damage


def naming(rows: Rows, damage: Damage) -> Damage:
    """Do it, but the row that is to be named is the first of these."""

    def elsewhere() -> str:
        damage()
        return str(_all(rows).order_by("pk")[0].pk)

    return elsewhere


def past(model: type[models.Model], name: str, damage: Damage) -> Damage:
    """Do it where the database no longer has this constraint."""

    def unguarded() -> str:
        _lift(model, name)
        return damage()

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


def found(rule: str = "") -> set[tuple[str, str]]:
    """The rows that the checks of a rule name, or of all, each with what is said of it."""
    checks = [check for check in CHECKS if rule in ("", check.rule)]
    assert checks, rule
    return {(one.row, one.words) for check in checks for one in check.differences()}


def names(case: Case) -> bool:
    """Whether the rule's checks find nothing before the damage, and after it name the row in these words."""
    rule, words, damage = case
    assert found(rule) == set()
    row = damage()
    told = [said for pk, said in found(rule) if pk == row]
    assert any(words in said for said in told), (row, words, found(rule))
    return True
