"""Imports: upload a file, choose what its columns mean, follow the check and the import, and see what was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.errors import BillingError, Conflict, Invalid, field_error
from partway.billing.imports import fields, uploads
from partway.billing.imports.problems import Problem
from partway.billing.imports.uploads import MAX_BYTES, MAX_ROWS, Formats, UploadedFile
from partway.billing.models import Import
from partway.billing.models.imports import ImportKind, ImportStatus
from partway.delivery.messages import each_message
from partway.lib.table_files import Table

from ..access import get_own_or_404
from ..confirm import RepeatableActForm, confirm, unavailable_message
from ..context import MemberContext
from ..forms import StaffForm, text_field
from .labels import DATE_FORMATS, DECIMAL_MARKS, ENCODINGS, FIELD_HELP, FIELD_LABELS, PAGES

_MAX_SHOWN = 50  # imports in the list; an older one is found in the audit log
_SAMPLE_ROWS = 3
_REFRESH_SECONDS = "2"


class FileForm(RepeatableActForm):
    """A file, of which rows, and in which encoding; the file itself is no text field."""

    kind = text_field()
    encoding = text_field()


class FormatsForm(StaffForm):
    """The column of each field of this kind, `columns.name`, and the formats of the file."""

    decimal_mark = text_field()
    date_format = text_field()
    payment_method = text_field()

    def __init__(self, run: Import, data: Any) -> None:
        formats = {name: getattr(run, name) for name in ("decimal_mark", "date_format", "payment_method")}
        columns = {f"columns.{name}": column for name, column in run.columns.items()}
        super().__init__(data, initial={**formats, **columns})
        self.fields.update({f"columns.{field.name}": text_field() for field in fields.FIELDS[run.kind]})

    def formats(self) -> Formats:
        """Returns what was chosen in a valid form."""
        chosen = dict(self.cleaned_data)
        columns = {name: chosen.pop(name) for name in list(chosen) if name.startswith("columns.")}
        return Formats({name.removeprefix("columns."): column for name, column in columns.items()}, **chosen)


def index(ctx: MemberContext) -> HttpResponse:
    """The newest imports."""
    mine = Import.objects.for_organization(ctx.organization).defer("content", "problems", "differing")
    return ctx.render(
        "staff/imports/index.html", {"imports": mine.order_by("-created_at", "-pk")[:_MAX_SHOWN]}
    )


def new(ctx: MemberContext) -> HttpResponse:
    """Takes a file, and leads to the choice of its columns."""
    form = FileForm(ctx.post_data, initial={"kind": ctx.request.GET.get("kind", "")})
    if form.is_valid():
        sent: Any = ctx.request.FILES.get("file")
        try:
            if sent is None:
                raise Invalid({"file": field_error("import_file.missing")})
            if sent.size > MAX_BYTES:
                raise Invalid({"file": field_error("import_file.too_large", limit=MAX_BYTES // 1_000_000)})
            file = UploadedFile(
                form.cleaned_data["kind"], sent.name, sent.read(), form.cleaned_data["encoding"]
            )
            key = form.cleaned_data["idempotency_key"]
            run = uploads.upload(ctx.organization, file=file, by=ctx.actor, now=ctx.now, idempotency_key=key)
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(ctx.url("import_columns", run.pk))
    limits = [(kind.label, MAX_ROWS[kind]) for kind in ImportKind]
    context = {"form": form, "kinds": ImportKind.choices, "encodings": ENCODINGS, "limits": limits}
    return ctx.render("staff/imports/new.html", context, status=form.status)


def columns(ctx: MemberContext, import_id: str) -> HttpResponse:
    """Asks what the columns mean and how the file writes numbers and days, and has the file checked."""
    run = get_own_or_404(ctx, Import.objects.all(), import_id)
    if run.status not in (ImportStatus.UPLOADED, ImportStatus.READY, ImportStatus.REFUSED):
        return ctx.redirect(ctx.url("import", run.pk))
    form = FormatsForm(run, ctx.post_data)
    if form.is_valid():
        try:
            uploads.check(run, formats=form.formats(), by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(ctx.url("import", run.pk))
    table = uploads.table_of(run)
    types = {field.type for field in fields.FIELDS[run.kind]}
    context = {
        "run": run,
        "form": form,
        "fields": [
            (
                f"columns.{field.name}",
                FIELD_LABELS[field.name],
                not field.is_required,
                FIELD_HELP.get(field.name, ""),
            )
            for field in fields.FIELDS[run.kind]
        ],
        "header": [(name, name) for name in table.header if name],
        "decimal_marks": DECIMAL_MARKS if "amount" in types else [],
        "date_formats": DATE_FORMATS if "day" in types else [],
        "payment_modes": [(mode, mode) for mode in ctx.organization.payment_modes],
        "asks_method": run.kind == ImportKind.INVOICES,
        "sample_header": table.header,
        "sample": _sample(table),
    }
    return ctx.render("staff/imports/columns.html", context, status=form.status)


def _sample(table: Table) -> Sequence[Sequence[str]]:
    """Returns the first rows as texts, for a person to recognise the columns by."""
    rows = [cells[: len(table.header)] for _number, cells in table.rows[:_SAMPLE_ROWS]]
    return [[str(cell)[:80] for cell in cells] for cells in rows]


def show(ctx: MemberContext, import_id: str) -> HttpResponse:
    """One import: how far the worker is, what is wrong with the file, or what was made."""
    run = get_own_or_404(ctx, Import.objects.defer("content"), import_id)
    if run.status == ImportStatus.UPLOADED:
        return ctx.redirect(ctx.url("import_columns", run.pk))
    problems = [Problem.read(stored) for stored in run.problems]
    messages = each_message([problem.error for problem in problems])
    list_page, row_page = PAGES[ImportKind(run.kind)]
    context = {
        "run": run,
        "problems": [
            (problem, FIELD_LABELS.get(problem.field, ""), message)
            for problem, message in zip(problems, messages, strict=True)
        ],
        "differing": [
            (row["row"], ctx.url(row_page, row["id"]), [FIELD_LABELS[name] for name in row["fields"]])
            for row in run.differing
        ],
        "made": [(ctx.url(row_page, made["id"]), made["reference"]) for made in run.made],
        "list_url": ctx.url(list_page),
    }
    response = ctx.render("staff/imports/show.html", context)
    if run.is_running:
        # By the browser itself, so that no script is needed to see how it goes on.
        response.headers["Refresh"] = _REFRESH_SECONDS
    return response


def run_import(ctx: MemberContext, import_id: str) -> HttpResponse:
    """Asks before a checked file is imported."""
    run = get_own_or_404(ctx, Import.objects.defer("content"), import_id)

    def act(form: RepeatableActForm) -> HttpResponse:
        key = form.cleaned_data["idempotency_key"]
        uploads.confirm(run, by=ctx.actor, now=ctx.now, idempotency_key=key)
        return ctx.redirect(ctx.url("import", run.pk))

    return confirm(
        ctx,
        run,
        "staff/imports/confirm.html",
        form=RepeatableActForm(ctx.post_data),
        act=act,
        back=ctx.url("import", run.pk),
        context=lambda: {"run": run},
        unavailable_reason=lambda: unavailable_message(
            None if run.status == ImportStatus.READY else Conflict(reason="import_not_ready")
        ),
    )


def discard(ctx: MemberContext, import_id: str) -> HttpResponse:
    """Asks before a file is deleted that was not imported."""
    run = get_own_or_404(ctx, Import.objects.defer("content"), import_id)

    def act(_form: StaffForm) -> HttpResponse:
        uploads.discard(run, by=ctx.actor, now=ctx.now)
        return ctx.redirect(ctx.url("imports"), notice=gettext("The file is deleted."))

    return confirm(
        ctx,
        run,
        "staff/imports/discard.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=ctx.url("import", run.pk),
        context=lambda: {"run": run},
    )
