"""Imports: send a file, read what was found wrong with it, and have it imported."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from ninja import Body, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from partway.accounts.permissions import Permission
from partway.billing import models
from partway.billing.errors import Invalid, field_error
from partway.billing.imports import uploads
from partway.billing.imports.problems import Problem
from partway.billing.imports.uploads import Formats, UploadedFile
from partway.billing.imports.values import DATE_FORMATS, DECIMAL_MARKS
from partway.billing.models.imports import ImportKind, ImportStatus
from partway.delivery.messages import TO_PROGRAMS, each_message
from partway.lib.table_files import WINDOWS

from . import lists
from .access import KeyRequest, call, get_own_or_404
from .schemas import Filters, Id, Input, Page

router = Router(tags=["Imports"])

Encoding = StrEnum("Encoding", {"UTF_8": "utf-8", "WINDOWS_1252": WINDOWS})
DecimalMark = StrEnum("DecimalMark", {mark: mark for mark in DECIMAL_MARKS})  # type: ignore[misc]
DateFormat = StrEnum("DateFormat", {form: form for form in DATE_FORMATS})  # type: ignore[misc]


class RowProblem(BaseModel):
    """A wrong cell or row of the file, and what to do about it.

    row: its number as a spreadsheet shows it. column, value: as in the file. field, code: empty where the row as a
    whole is wrong.
    """

    row: int
    field: str
    column: str
    value: str
    code: str
    message: str


class DifferingRow(BaseModel):
    """A row whose reference was here before, with the fields in which the file says otherwise; it was left as it is."""

    row: int
    id: str
    fields: list[str]


class Import(BaseModel):
    """A file of customers, open invoices or quotes, and what came of it.

    status: checking until every row was tried; then ready, or refused with its problems; importing after it was
    confirmed, then done; failed when it was interrupted again and again. Nothing is made before it is done. made: how
    many rows are, or once it is imported were, new. present: how many were here before, by their reference.
    first_made: ids of the first of them.
    """

    id: str
    kind: ImportKind
    status: ImportStatus
    file_name: str
    rows: int
    checked: int
    made: int
    present: int
    problem_count: int
    problems: list[RowProblem]
    differing: list[DifferingRow]
    first_made: list[str]
    created_at: datetime
    finished_at: datetime | None


class ImportList(Page[Import]):
    """A page of imports, the newest first."""


class NewImport(Input):
    """A file, what its columns mean, and how it writes numbers and days; nothing of this is guessed.

    content: the CSV or XLSX file in base64. encoding: of a CSV file that is not in UTF-8 or UTF-16. columns: the name
    of the column in the file, by field. payment_method: how amounts were paid where no column says it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "customers",
                    "file_name": "customers.csv",
                    "content": "aWQsbmFtZSxlbWFpbAo3LEFubixhbm5AZXhhbXBsZS5jb20K",
                    "columns": {"external_reference": "id", "name": "name", "email": "email"},
                }
            ]
        }
    )

    kind: ImportKind
    file_name: Annotated[str, Field(max_length=200)] = ""
    content: str
    encoding: Encoding = Encoding.UTF_8
    columns: dict[str, str]
    decimal_mark: DecimalMark | None = None
    date_format: DateFormat | None = None
    payment_method: str = ""


NOTHING = Input()


def shown(row: models.Import) -> Import:
    """Returns an import as calls return it."""
    return Import(
        id=row.pk,
        kind=ImportKind(row.kind),
        status=ImportStatus(row.status),
        file_name=row.file_name,
        rows=row.row_count,
        checked=row.checked_count,
        made=row.made_count,
        present=row.present_count,
        problem_count=row.problem_count,
        problems=_problems([Problem.read(stored) for stored in row.problems]),
        differing=[DifferingRow(**differing) for differing in row.differing],
        first_made=[made["id"] for made in row.made],
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _problems(problems: Sequence[Problem]) -> list[RowProblem]:
    messages = each_message([problem.error for problem in problems], TO_PROGRAMS)
    return [
        RowProblem(
            row=problem.row,
            field=problem.field,
            column=problem.column,
            value=problem.value,
            code=problem.error.code,
            message=message,
        )
        for problem, message in zip(problems, messages, strict=True)
    ]


@call(router, "GET", "", permission=Permission.IMPORT_DATA, returns=ImportList)
def index(request: KeyRequest, filters: Query[Filters]) -> ImportList:
    """Lists imports, newest first; one that was not confirmed is kept for a week."""
    rows = models.Import.objects.for_organization(request.caller.organization).defer("content")
    return lists.page(ImportList, rows, filters, shown)


@call(router, "POST", "", permission=Permission.IMPORT_DATA, returns=Import, status=201)
def create(request: KeyRequest, body: NewImport) -> Import:
    """Sends a file, whose rows are then checked one by one without making any.

    Ask for its state until it is ready or refused, and confirm it then. Each row has an `external_reference`: one that
    is here already is left as it is, so that a file can be sent again. No mail goes out.
    """
    caller = request.caller
    try:
        content = b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid({"content": field_error("import_file.base64")}) from None
    encoding = WINDOWS if body.encoding == Encoding.WINDOWS_1252 else ""
    formats = Formats(
        columns=body.columns,
        decimal_mark=body.decimal_mark or "",
        date_format=body.date_format or "",
        payment_method=body.payment_method,
    )
    made = uploads.upload(
        caller.organization,
        file=UploadedFile(body.kind, body.file_name, content, encoding),
        formats=formats,
        by=caller.actor,
        now=caller.now,
        idempotency_key=caller.one_time_key,
    )
    return shown(made)


@call(router, "GET", "/{import_id}", permission=Permission.IMPORT_DATA, returns=Import)
def show(request: KeyRequest, import_id: Id) -> Import:
    """Reads the state of an import."""
    return shown(get_own_or_404(request.caller, models.Import.objects.defer("content"), import_id))


@call(router, "POST", "/{import_id}/confirm", permission=Permission.IMPORT_DATA, returns=Import)
def confirm(request: KeyRequest, import_id: Id, body: Body[Input] = NOTHING) -> Import:
    """Has a file imported that is ready: all of its rows, or none when one has become wrong since."""
    caller = request.caller
    found = get_own_or_404(caller, models.Import.objects.defer("content"), import_id)
    key = caller.one_time_key
    return shown(uploads.confirm(found, by=caller.actor, now=caller.now, idempotency_key=key))
