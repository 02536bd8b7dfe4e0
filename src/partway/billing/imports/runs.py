"""Checks and imports files, in the worker: each row is made by its act, and a check takes all of it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import OuterRef, Subquery

from partway.accounts.models import ApiKey, Member
from partway.accounts.permissions import SCOPE_ROLES, Permission, permissions_of
from partway.lib.clock import RunningClock
from partway.lib.table_files import Cell

from .. import events
from ..checkouts.closing import closes_checkouts
from ..claims import ClaimableRows
from ..errors import BillingError, FieldError, field_error
from ..events import Actor
from ..models import Import
from ..models.imports import ImportStatus
from . import fields, rows, uploads
from .problems import MAX_STORED, Problem

_UNFINISHED = Import.objects.filter(status__in=[ImportStatus.CHECKING, ImportStatus.IMPORTING])
# Of each organization one file at a time: the one that a worker has begun, else the oldest. The others wait unclaimed,
# since a worker that waits for another's locks loses an attempt, and delays the files of all organizations.
_NEXT = (
    _UNFINISHED.filter(organization=OuterRef("organization")).order_by("-attempt_count", "pk").values("pk")
)
RUNNING = ClaimableRows(
    _UNFINISHED.filter(pk=Subquery(_NEXT[:1])).select_related("organization"),
    due_at="next_attempt_at",
    count="attempt_count",
)
# After this a killed worker's import is due again. One that is being written is locked, whatever its time says.
LEASE = timedelta(minutes=1)
MAX_ATTEMPTS = 3
# The rows of a check that are made and taken back in one transaction, for which others wait.
_ROWS_AT_ONCE = 25
_MAX_NAMED = 20  # rows that the page leads to

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: its cells by field, its values, and the error of each cell that is none."""

    number: int
    cells: dict[str, Cell]
    values: dict[str, Any]
    errors: dict[str, FieldError]


@dataclass(slots=True)
class Outcome:
    """The outcome of rows: those that were made, how many were there before, which of these differ, and problems."""

    made: list[dict[str, str]] = field(default_factory=list)
    present: int = 0
    differing: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Adds what came of further rows."""
        self.made += other.made
        self.present += other.present
        self.differing += other.differing
        self.problems += other.problems

    def leave(self, row: Row, there: rows.Made) -> None:
        """Counts a row that was here before, and names what the file says otherwise."""
        self.present += 1
        if differing := rows.differences(there, row.values):
            self.differing.append({"row": row.number, "id": there.pk, "fields": differing})

    def refuse(self, run: Import, row: Row, errors: dict[str, FieldError]) -> None:
        """Adds what is wrong with a row."""
        for name, error in errors.items():
            text = str(row.cells.get(name, ""))
            self.problems.append(Problem(row.number, name, run.columns.get(name, ""), text, error))

    def columns(self) -> dict[str, Any]:
        """Returns the columns of the import that say this."""
        return {
            "made_count": len(self.made),
            "present_count": self.present,
            "problem_count": len(self.problems),
            "problems": [problem.stored() for problem in self.problems[:MAX_STORED]],
            "differing": self.differing[:MAX_STORED],
        }


def run_due(*, now: datetime, limit: int = 1) -> int:
    """Checks or imports files that are due, by default one, since it can take minutes; returns how many."""
    processed = 0
    for run, at in RUNNING.take(now, limit=limit, wait=lambda _: LEASE):
        processed += 1
        if run.attempt_count > MAX_ATTEMPTS:
            # Each attempt was killed, and took back all that it had made.
            _end(run, ImportStatus.FAILED, at)
        elif run.status == ImportStatus.CHECKING:
            _check(run, at)
        else:
            _import(run, at)
    return processed


def _check(run: Import, now: datetime) -> None:
    """Makes every row and takes it back, a few at a time, so that others wait only briefly and pages see progress."""
    outcome, found, clock = Outcome(), list(read_rows(run)), RunningClock(now)
    for start in range(0, len(found), _ROWS_AT_ONCE):
        part = found[start : start + _ROWS_AT_ONCE]
        outcome.add(_make(run, part, keeps=False, by=_actor(run), now=now))
        progress = {"checked_count": start + len(part), "next_attempt_at": clock.now() + LEASE}
        if not RUNNING.unchanged(run).update(**progress):
            return  # another worker has it, because this one was slower than its lease
    _end(run, ImportStatus.REFUSED if outcome.problems else ImportStatus.READY, now, **outcome.columns())


def _import(run: Import, now: datetime) -> None:
    # The member or the key that confirmed it may have been removed since.
    if run.actor_kind == "key":
        key = ApiKey.objects.filter(pk=run.actor_id, organization=run.organization).first()
        role = SCOPE_ROLES[key.scope] if key and key.is_usable(now) else ""
    else:
        member = Member.objects.filter(pk=run.actor_id, organization=run.organization).first()
        role = member.role if member else ""
    if not role or Permission.IMPORT_DATA not in permissions_of(role):
        # As if it had not been confirmed: another owner can.
        _end(run, ImportStatus.READY, now)
        log.warning("import_of_removed_member", id=run.pk, by=run.actor_id)
        return
    outcome = _make(run, list(read_rows(run)), keeps=True, by=_actor(run), now=now)
    if outcome.problems:  # something was changed since the check
        _end(run, ImportStatus.REFUSED, now, **outcome.columns())


@closes_checkouts
def _make(run: Import, found: Sequence[Row], *, keeps: bool, by: Actor, now: datetime) -> Outcome:
    """Makes rows in one transaction; takes them back unless they shall be kept and none is wrong.

    Kept rows and the end of the import are committed together, so that a worker that is killed leaves neither.
    """
    outcome = Outcome()
    # Two workers may still have begun two files of an organization, where the second was confirmed in the moment in
    # which the first was claimed. With the same references in another order they would wait for each other's rows, and
    # the second is to find those of the first.
    running = _UNFINISHED.filter(organization=run.organization_id).order_by("pk")
    list(running.select_for_update().values_list("pk"))
    if keeps and not RUNNING.unchanged(run).exists():
        return outcome
    present = rows.present_rows(run, [row.values["external_reference"] for row in found if not row.errors])
    for row in found:
        if row.errors:
            _refuse(outcome, run, row, row.errors, keeps=keeps, by=by, now=now)
        elif row.values["external_reference"] in present:
            outcome.leave(row, present[row.values["external_reference"]])
        else:
            try:
                with transaction.atomic():
                    made = rows.make(run, row.values, by=by, now=now)
                outcome.made.append({"id": made.pk, "reference": row.values["external_reference"]})
            except BillingError as refusal:
                _refuse(outcome, run, row, rows.errors_of(refusal), keeps=keeps, by=by, now=now)
    if not keeps or outcome.problems:
        transaction.set_rollback(True)
        return outcome
    _end(run, ImportStatus.DONE, now, **outcome.columns(), made=outcome.made[:_MAX_NAMED], content=b"")
    counts = {"rows": run.row_count, "made": len(outcome.made), "present": outcome.present}
    data = {"import": run.pk, "kind": run.kind, "file": run.file_name, **counts}
    events.record("organization.import_finished", run.organization, by=by, now=now, data=data)
    log.info("import_finished", id=run.pk, kind=run.kind, **counts)
    return outcome


def _refuse(
    outcome: Outcome,
    run: Import,
    row: Row,
    errors: dict[str, FieldError],
    *,
    keeps: bool,
    by: Actor,
    now: datetime,
) -> None:
    # Others wait for an import until it ends, and looking for all errors of a row takes as long again as making it. The
    # check has named all; what has become wrong since is named as far as it is met.
    if not keeps:
        errors = rows.all_errors(run, row.values, errors, by=by, now=now)
    outcome.refuse(run, row, errors)


def read_rows(run: Import) -> Iterator[Row]:
    """Yields the rows of a file with their values; raises Invalid for a file that is no table."""
    table = uploads.table_of(run)
    positions = {name: table.header.index(column) for name, column in run.columns.items()}
    first: dict[str, int] = {}
    for number, cells in table.rows:
        by_field = {name: cells[position] for name, position in positions.items()}
        values, errors = fields.read_row(run, by_field)
        reference = values.get("external_reference")
        if reference is not None and first.setdefault(reference, number) != number:
            errors["external_reference"] = field_error("import_reference_twice", first=first[reference])
        if number in table.beyond:
            errors[""] = field_error("import_row_too_long", columns=len(table.header))
        yield Row(number, by_field, values, errors)


def _actor(run: Import) -> Actor:
    return Actor(run.actor_kind, run.actor_id, run.actor_label)


def _end(run: Import, status: ImportStatus, now: datetime, **columns: Any) -> None:
    ended = {"status": status, "next_attempt_at": None, "finished_at": now, **columns}
    RUNNING.unchanged(run).update(**ended)
