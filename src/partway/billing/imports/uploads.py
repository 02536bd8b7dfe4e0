"""Takes files to import, what their columns mean, and the word to import them; the worker checks and imports them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib.table_files import WINDOWS, Table, UnreadableTable, names_encoding, read_table

from .. import events
from ..errors import Conflict, FieldError, Invalid, field_error
from ..events import Actor
from ..models import Import
from ..models.imports import ImportKind, ImportStatus
from ..people import payment_modes
from . import fields

MAX_BYTES = 2_000_000
# All rows are made in one transaction, which holds the only write lock of SQLite, and on PostgreSQL the organization's
# numbers. Others wait meanwhile, for twenty seconds; this takes about ten, and an invoice as long as eight customers.
MAX_ROWS = {ImportKind.CUSTOMERS: 5_000, ImportKind.INVOICES: 500, ImportKind.QUOTES: 500}
MAX_OPEN = 20
# Of a file that is not imported, and of what was wrong with it.
RETENTION = timedelta(days=7)
ENCODINGS = ("", WINDOWS)


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file with rows of one kind; `encoding` is that of text without a byte order mark, UTF-8 when it is empty."""

    kind: str
    name: str
    content: bytes
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Formats:
    """The columns of a file by field, and how it writes numbers and days.

    payment_method: how amounts were paid where no column says it.
    """

    columns: Mapping[str, str]
    decimal_mark: str = ""
    date_format: str = ""
    payment_method: str = ""


@needs(Permission.IMPORT_DATA)
def upload(
    organization: Organization,
    *,
    file: UploadedFile,
    by: Actor,
    now: datetime,
    formats: Formats | None = None,
    idempotency_key: str | None = None,
) -> Import:
    """Stores a file, and with `formats` has it checked; else its columns are guessed, for a page that shows them.

    The same `idempotency_key` again returns the import it stored (P8). Raises Invalid, with the error of the file under
    `file`; Conflict while many imports wait.
    """
    if file.kind not in ImportKind.values:
        raise Invalid({"kind": field_error("import_kind")})
    if file.encoding not in ENCODINGS:
        raise Invalid({"encoding": field_error("import_encoding")})
    if file.encoding and names_encoding(file.content):
        raise Invalid({"encoding": field_error("import_encoding_unused")})
    run = Import(
        organization=organization,
        kind=file.kind,
        file_name=" ".join(file.name.split())[-120:],
        content=file.content,
        encoding=file.encoding,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label,
        created_at=now,
    )
    # Before the transaction, because a spreadsheet can take seconds, in which others would wait.
    table = table_of(run)
    run.row_count = len(table.rows)
    run.columns = fields.guess_columns(run.kind, table.header)
    with transaction.atomic():
        if previous := events.by_idempotency_key(organization, idempotency_key):
            return Import.objects.get(pk=previous.data["import"])
        organization.lock()
        unfinished = Import.objects.for_organization(organization).exclude(status=ImportStatus.DONE)
        if unfinished.count() >= MAX_OPEN:
            raise Conflict(reason="many_imports", limit=MAX_OPEN)
        if formats is not None:
            _set_formats(run, formats, table, now)
        run.save(force_insert=True)
        data = {"import": run.pk, "kind": run.kind, "file": run.file_name, "rows": run.row_count}
        events.record(
            "organization.import_uploaded",
            organization,
            by=by,
            now=now,
            data=data,
            idempotency_key=idempotency_key,
        )
    return run


def table_of(run: Import) -> Table:
    """Returns the table of a file; raises Invalid on `file`."""
    try:
        return read_table(
            bytes(run.content),
            encoding=run.encoding,
            max_bytes=MAX_BYTES,
            max_rows=MAX_ROWS[ImportKind(run.kind)],
        )
    except UnreadableTable as error:
        raise Invalid({"file": FieldError(f"import_file.{error.code}", error.params)}) from None


@needs(Permission.IMPORT_DATA)
def check(run: Import, *, formats: Formats, by: Actor, now: datetime) -> Import:
    """Has the file checked row by row, without making any; again after a check, with other formats.

    Raises Invalid for columns and formats, Conflict once it is being imported.
    """
    _refuse_unless_open(run)
    table = table_of(run)  # before the transaction, as above; the content never changes
    with transaction.atomic():
        run = _locked(run)
        _refuse_unless_open(run)
        _set_formats(run, formats, table, now)
        run.save()
    return run


def _refuse_unless_open(run: Import) -> None:
    if run.status not in (ImportStatus.UPLOADED, ImportStatus.READY, ImportStatus.REFUSED):
        raise Conflict(reason="import_is_running" if run.is_running else "import_has_ended")


def _set_formats(run: Import, formats: Formats, table: Table, now: datetime) -> None:
    """Writes checked formats to a row that the caller saves, and makes it due for the worker."""
    columns = {name: column for name, column in formats.columns.items() if column}
    errors = fields.column_errors(run.kind, columns, table.header)
    formatted = {"decimal_mark": formats.decimal_mark, "date_format": formats.date_format}
    errors |= fields.format_errors(run.kind, columns, **formatted)
    if "amount_paid" in columns:
        if "paid_on" not in columns:
            errors["columns.paid_on"] = field_error("import_column_required")
        if "paid_by" not in columns and formats.payment_method not in run.organization.payment_modes:
            errors["payment_method"] = payment_modes.unknown(run.organization)
    elif formats.payment_method:
        errors["payment_method"] = field_error("import_format_unused")
    if errors:
        raise Invalid(errors)
    run.columns = columns
    run.decimal_mark, run.date_format = formats.decimal_mark, formats.date_format
    run.payment_method = formats.payment_method[:40]
    run.status, run.next_attempt_at, run.attempt_count = ImportStatus.CHECKING, now, 0
    run.checked_count = run.made_count = run.present_count = run.problem_count = 0
    run.problems, run.differing = [], []


@needs(Permission.IMPORT_DATA)
@transaction.atomic
def confirm(run: Import, *, by: Actor, now: datetime, idempotency_key: str | None = None) -> Import:
    """Has a checked file imported by the worker, with this actor; one that is or was imported stays as it is.

    So it does when the same `idempotency_key` comes again, whatever became of the import (P8). Raises Conflict unless
    every row of it was found right.
    """
    run = _locked(run)
    confirmed = events.caused_by(run.organization_id, idempotency_key)
    if confirmed or run.status in (ImportStatus.IMPORTING, ImportStatus.DONE):
        return run
    if run.status != ImportStatus.READY:
        raise Conflict(reason="import_not_ready")
    run.actor_kind, run.actor_id, run.actor_label = by.kind, by.id, by.label
    run.status, run.next_attempt_at, run.attempt_count = ImportStatus.IMPORTING, now, 0
    run.save()
    data = {"import": run.pk, "kind": run.kind, "file": run.file_name, "rows": run.row_count}
    events.record(
        "organization.import_confirmed",
        run.organization,
        by=by,
        now=now,
        data=data,
        idempotency_key=idempotency_key,
    )
    return run


@needs(Permission.IMPORT_DATA)
@transaction.atomic
def discard(run: Import, *, by: Actor, now: datetime) -> None:
    """Deletes a file that is not imported, and what was wrong with it; raises Conflict while it runs, or after."""
    run = _locked(run)
    if run.is_running:
        raise Conflict(reason="import_is_running")
    if run.status == ImportStatus.DONE:
        raise Conflict(reason="import_has_ended")
    data = {"import": run.pk, "kind": run.kind, "file": run.file_name}
    events.record("organization.import_discarded", run.organization, by=by, now=now, data=data)
    run.delete()


def _locked(run: Import) -> Import:
    found = (
        Import.objects.select_for_update(of=("self",))
        .select_related("organization")
        .filter(pk=run.pk)
        .first()
    )
    if found is None:
        raise Conflict(reason="import_has_ended")
    return found


def delete_abandoned(*, now: datetime, limit: int = 100) -> int:
    """Deletes files that were not imported within a week, at most `limit`; returns how many."""
    ended = (ImportStatus.UPLOADED, ImportStatus.READY, ImportStatus.REFUSED, ImportStatus.FAILED)
    old = Import.objects.filter(status__in=ended, created_at__lte=now - RETENTION)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    return old.filter(pk__in=ids).delete()[0]  # except one that was confirmed at this moment
