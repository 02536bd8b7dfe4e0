"""Multiplies the invoices of seeded books by SQL, with their customers and all that belongs to them.

Seeding writes about 400 invoices a second of CPU, copying some ten thousand. A copy has ids and numbers of its own, its
moments are some minutes earlier, and its customers have the names of others, so that words are as common as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models
from django.db.models import F

from partway.accounts.models import Organization
from partway.billing.models import (
    Adjustment,
    Allocation,
    Customer,
    Dispute,
    Event,
    Invoice,
    Mail,
    Party,
    Payment,
    PaymentRequest,
    Refund,
)
from partway.billing.models.search_index import SearchIndex
from partway.lib.folding import search_key
from partway.lib.natural_sort import sort_key

_LINE = Invoice._meta.get_field("lines").related_model
_COPIED: tuple[type[models.Model], ...] = (
    Customer, Party, Invoice, _LINE, PaymentRequest, Payment, Allocation, Refund, Dispute, Adjustment, Event, Mail,
)  # fmt: skip
_SAMPLED = {Event: 8, Mail: 8}  # one copy in so many has them
_STEP_MINUTES = 7
_STEP_NAMES = 97  # by which copies take the names of others; a prime, so that few come twice


def multiply(organization: Organization, copies: int) -> None:
    """Adds this number of copies of all that the seed wrote; the books do not balance, since events are sampled."""
    with connection.cursor() as cursor:
        for sql in _settings():
            cursor.execute(sql)
    _write_numbers(organization, copies)
    _write_names()
    with _without_indexes(), connection.cursor() as cursor:
        for model in _COPIED:
            cursor.execute(_copy(model))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _settings() -> list[str]:
    """Returns what lets copies be written without asking foreign keys and triggers, which hold for the originals."""
    if connection.vendor == "postgresql":
        return [
            "SET session_replication_role = replica",
            "SET maintenance_work_mem = '1GB'",
            "SET work_mem = '256MB'",
            "SET max_parallel_workers_per_gather = 0",  # their work would be counted nowhere
        ]
    return ["PRAGMA foreign_keys = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -1000000"]


def _write_numbers(organization: Organization, copies: int) -> None:
    """Writes the copies, and the number and keys of each invoice in each of them, as tables of this connection."""
    first = organization.next_invoice_number - 1
    prefix, numbered = organization.invoice_prefix, Invoice.objects.filter(number__isnull=False)
    binary = "bytea" if connection.vendor == "postgresql" else "BLOB"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copies (copy INTEGER PRIMARY KEY)")
        cursor.executemany("INSERT INTO copies VALUES (%s)", [(copy,) for copy in range(1, copies + 1)])
        cursor.execute(
            f"CREATE TEMP TABLE numbers (invoice VARCHAR(40), copy INTEGER, number VARCHAR(40), number_key {binary}, "
            "search_key TEXT, PRIMARY KEY (invoice, copy))"
        )
        for pk, number in list(numbered.values_list("pk", "number")):
            own = int(number.removeprefix(prefix))
            texts = [(copy, f"{prefix}{own + copy * first:04d}") for copy in range(1, copies + 1)]
            rows = [(pk, copy, text, sort_key(text), search_key(text)) for copy, text in texts]
            cursor.executemany("INSERT INTO numbers VALUES (%s, %s, %s, %s, %s)", rows)
    Organization.objects.filter(pk=organization.pk).update(
        next_invoice_number=F("next_invoice_number") + copies * first
    )


def _write_names() -> None:
    """Writes a table of who takes whose name: the customers by their address, with the parties of that address."""
    customers = dict(Customer.objects.values_list("email", "pk"))
    parties = dict(Party.objects.values_list("email", "pk"))
    rows = [(rank, pk, parties.get(email, "")) for rank, (email, pk) in enumerate(sorted(customers.items()))]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE names (rank INTEGER, customer VARCHAR(40), party VARCHAR(40))")
        cursor.executemany("INSERT INTO names VALUES (%s, %s, %s)", rows)
        for column in ("rank", "customer", "party"):
            cursor.execute(f"CREATE INDEX names_{column} ON names ({column})")


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Takes the indexes away, which are made faster of all rows than row by row; those of constraints stay."""
    tables = [model._meta.db_table for model in _COPIED]
    searched = [(m, i) for m in _COPIED for i in m._meta.indexes if isinstance(i, SearchIndex)]
    with connection.schema_editor(atomic=False) as editor:
        for model, index in searched:
            editor.remove_index(model, index)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS (SELECT 1 FROM "
                "pg_constraint WHERE conindid = quote_ident(indexname)::regclass)",
                [tables],
            )
        else:
            cursor.execute(
                f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
                f"({', '.join(['%s'] * len(tables))})",
                tables,
            )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, sql in found:
            cursor.execute(sql)
    with connection.schema_editor(atomic=False) as editor:
        for model, index in searched:
            editor.add_index(model, index)


def _copy(model: type[models.Model]) -> str:
    """Returns the statement that copies all rows of a model."""
    table, joins = model._meta.db_table, ""
    named = {Customer: ("t.id", "customer"), Party: ("t.id", "party"), Invoice: ("t.customer_id", "customer")}
    if model in named:
        own, column = named[model]
        target = Customer._meta.db_table if model is Invoice else table
        joins = (
            f" JOIN names p ON p.{column} = {own} JOIN names q ON q.rank = "
            f"(p.rank + c.copy * {_STEP_NAMES}) % (SELECT count(*) FROM names) JOIN {target} o ON o.id = q.{column}"
        )
    if model is Invoice:
        joins += " LEFT JOIN numbers n ON n.invoice = t.id AND n.copy = c.copy"
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(_value(model, field) for field in fields)
    where = f" WHERE c.copy % {_SAMPLED[model]} = 0" if model in _SAMPLED else ""
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t CROSS JOIN copies c{joins}{where}"


def _value(model: type[models.Model], field: models.Field[object, object]) -> str:
    """Returns the SQL of a column of a copy."""
    column = f't."{field.column}"'
    copied = f"{column} || 'x' || c.copy"
    if field.primary_key or (
        field.is_relation and field.related_model in _COPIED and field.name != "issued_by"
    ):
        return copied
    if model in (Customer, Party) and field.name in ("name", "email", "sort_key", "search_key"):
        return f'o."{field.column}"'
    if model is Invoice and field.name == "customer_key":
        return "o.sort_key"
    if model is Invoice and field.name in ("number", "number_key", "search_key"):
        return f"CASE WHEN n.invoice IS NULL THEN {column} ELSE n.{field.name} END"
    if field.name == "checkout_ref":
        return f"CASE WHEN {column} = '' THEN {column} ELSE {copied} END"
    if field.name == "idempotency_key":
        return "NULL"
    if field.name == "created_at" and model not in (Customer, Party):
        if connection.vendor == "postgresql":
            return f"{column} - c.copy * interval '{_STEP_MINUTES} minutes'"
        shifted = f"'-' || (c.copy * {_STEP_MINUTES}) || ' minutes'"
        return f"strftime('%Y-%m-%d %H:%M:%S', {column}, {shifted}) || substr({column}, 20)"
    return column
