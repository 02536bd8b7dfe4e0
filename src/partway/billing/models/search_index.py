"""Indexes that find texts within search keys: trigrams, as GIN on PostgreSQL and as FTS5 on SQLite.

On SQLite an index is a table of entries, one for each row, and an FTS5 table without the texts; triggers keep both
(docs/decisions/0067-search-by-trigrams.md). The rowid of a table whose key is text may change when the file is
vacuumed, so the rows have entries with numbers of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.migrations.operations.base import Operation
from django.db.utils import OperationalError, ProgrammingError

__all__ = ["CreateSearchExtensions", "SearchIndex", "ids_with", "is_in_index", "is_searched"]

EXTENSIONS = ("pg_trgm", "btree_gin")
MIN_LENGTH = 3  # of a text that trigrams can find

# The order counts; the first one may come twice.
_SQLITE = (
    'CREATE TABLE IF NOT EXISTS "{name}_row" ("entry" INTEGER PRIMARY KEY, "row" TEXT NOT NULL UNIQUE)',
    """CREATE VIRTUAL TABLE "{name}" USING fts5("search_key", content='', columnsize=0,
    tokenize="trigram case_sensitive 1")""",
    'INSERT INTO "{name}_row" ("row") SELECT "id" FROM %(table)s',
    """INSERT INTO "{name}" (rowid, "search_key")
    SELECT "entry", "search_key" FROM "{name}_row" JOIN %(table)s ON "id" = "row" ORDER BY "entry" """,
    """CREATE TRIGGER "{name}_insert" AFTER INSERT ON %(table)s BEGIN
    INSERT INTO "{name}_row" ("row") VALUES (NEW."id");
    INSERT INTO "{name}" (rowid, "search_key")
    SELECT "entry", NEW."search_key" FROM "{name}_row" WHERE "row" = NEW."id";
    END""",
    """CREATE TRIGGER "{name}_update" AFTER UPDATE OF "search_key" ON %(table)s
    WHEN OLD."search_key" <> NEW."search_key" BEGIN
    INSERT INTO "{name}" ("{name}", rowid, "search_key")
    SELECT 'delete', "entry", OLD."search_key" FROM "{name}_row" WHERE "row" = OLD."id";
    INSERT INTO "{name}" (rowid, "search_key")
    SELECT "entry", NEW."search_key" FROM "{name}_row" WHERE "row" = NEW."id";
    END""",
    """CREATE TRIGGER "{name}_delete" AFTER DELETE ON %(table)s BEGIN
    INSERT INTO "{name}" ("{name}", rowid, "search_key")
    SELECT 'delete', "entry", OLD."search_key" FROM "{name}_row" WHERE "row" = OLD."id";
    DELETE FROM "{name}_row" WHERE "row" = OLD."id";
    END""",
)
_SQLITE_DROP = (
    *(f'DROP TRIGGER IF EXISTS "{{name}}_{event}"' for event in ("insert", "update", "delete")),
    'DROP TABLE IF EXISTS "{name}"',
    'DROP TABLE IF EXISTS "{name}_row"',
)


class SearchIndex(models.Index):
    """The index of the column `search_key`, within one organization."""

    def __init__(self, *, name: str, fields: Sequence[str] = ("organization", "search_key")) -> None:
        super().__init__(fields=fields, name=name)

    def create_sql(
        self,
        model: type[models.Model],
        schema_editor: BaseDatabaseSchemaEditor,
        using: str = "",
        **options: Any,
    ) -> Statement:
        """Returns the statement that makes the index; on SQLite the others are run at the end of the migration.

        A table that Django copies to change it loses its triggers, and comes here again.
        """
        table = Table(model._meta.db_table, schema_editor.quote_name)
        if schema_editor.connection.vendor == "postgresql":
            # Each row is put in its place at once: a list of those to be sorted in would be read whole by each search.
            columns = '("organization_id", "search_key" gin_trgm_ops) WITH (fastupdate = off)'
            return Statement(f'CREATE INDEX "{self.name}" ON %(table)s USING gin {columns}', table=table)
        drop, make = ([sql.format(name=self.name) for sql in each] for each in (_SQLITE_DROP, _SQLITE))
        schema_editor.deferred_sql += [Statement(sql, table=table) for sql in (*drop, *make)]
        return Statement(make[0], table=table)

    def remove_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, **options: Any
    ) -> str:
        """Returns the statement that removes the index; on SQLite the others are run before it."""
        if schema_editor.connection.vendor == "postgresql":
            return str(super().remove_sql(model, schema_editor, **options))
        *others, last = (sql.format(name=self.name) for sql in _SQLITE_DROP)
        for sql in others:
            schema_editor.execute(sql, None)
        return last


class CreateSearchExtensions(Operation):
    """Creates the extensions of PostgreSQL that the indexes need, or says who can."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes no model."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Creates them; raises the error of the database, with a remedy, where it refuses."""
        if schema_editor.connection.vendor != "postgresql":
            return
        for name in EXTENSIONS:
            try:
                schema_editor.execute(f"CREATE EXTENSION IF NOT EXISTS {name}")
            except (OperationalError, ProgrammingError) as error:
                database = schema_editor.connection.settings_dict["NAME"]
                statements = " ".join(f"CREATE EXTENSION IF NOT EXISTS {each};" for each in EXTENSIONS)
                raise type(error)(
                    f"PostgreSQL refused the extension {name}, which searching needs: {error}\n"
                    f"Install the package of PostgreSQL's contrib modules if it is missing. Then run this in the "
                    f'database "{database}" as its owner or as a superuser, and migrate again:\n{statements}'
                ) from error

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Leaves them: other programs may use them."""


def is_searched(model: type[models.Model]) -> bool:
    """Returns whether a model has a search index, which is named after it."""
    return any(isinstance(index, SearchIndex) for index in model._meta.indexes)


def ids_with(
    model: type[models.Model], texts: Sequence[str], organization_id: str, *, limit: int
) -> list[str] | None:
    """Returns the ids of the organization's rows whose search key contains one of these texts; None of more than limit.

    texts: of at least three characters, without quotes.
    """
    table, name = model._meta.db_table, f"{model._meta.model_name}_search"
    # On SQLite it is asked again, so that an index that was damaged never shows what does not contain the text.
    is_like = " OR ".join([rf"""("{table}"."search_key" LIKE %s ESCAPE '\')"""] * len(texts))
    patterns = [f"%{connection.ops.prep_for_like_query(each)}%" for each in texts]
    params: list[str | int]
    if connection.vendor == "postgresql":
        sql = f'SELECT "id" FROM "{table}" WHERE "organization_id" = %s AND ({is_like}) LIMIT %s'  # noqa: S608
        params = [organization_id, *patterns, limit + 1]
    else:
        # Limited before the rows are looked up, and those of other organizations with them: a word that all rows have
        # is read no further.
        sql = (
            f'SELECT "row", "organization_id" = %s AND ({is_like}) FROM (SELECT rowid AS "found" FROM "{name}" '  # noqa: S608
            f'WHERE "{name}" MATCH %s LIMIT %s) CROSS JOIN "{name}_row" ON "entry" = "found" '
            f'CROSS JOIN "{table}" ON "id" = "row"'
        )
        params = [organization_id, *patterns, " OR ".join(f'"{each}"' for each in texts), limit + 1]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = cursor.fetchall()
    return None if len(found) > limit else [pk for pk, *is_own in found if all(is_own)]


def is_in_index(model: type[models.Model]) -> models.Func | models.Value:
    """Returns the condition that the index of this model finds a row by its whole key; PostgreSQL keeps its own."""
    if connection.vendor == "postgresql":
        return models.Value(True)
    table, name = model._meta.db_table, f"{model._meta.model_name}_search"
    finds = (
        f'EXISTS (SELECT 1 FROM "{name}_row" JOIN "{name}" ON "{name}".rowid = "{name}_row"."entry" '  # noqa: S608
        f"""WHERE "{name}_row"."row" = %(expressions)s AND "{name}" MATCH '"' || "{table}"."search_key" || '"')"""
    )
    is_too_short = f'length("{table}"."search_key") < {MIN_LENGTH}'
    return models.Func("pk", template=f"({is_too_short} OR {finds})", output_field=models.BooleanField())
