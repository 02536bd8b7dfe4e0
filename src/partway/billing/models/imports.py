"""Imports: files of customers, invoices or quotes, from the upload to what was made of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization

from .fields import OrganizationQuerySet, id_field


class ImportKind(models.TextChoices):
    """The kinds of rows that a file can have."""

    CUSTOMERS = "customers", _("Customers")
    INVOICES = "invoices", _("Open invoices")
    QUOTES = "quotes", _("Quotes")


class ImportStatus(models.TextChoices):
    """The stored states of an import."""

    UPLOADED = "uploaded", _("Columns to choose")
    CHECKING = "checking", _("Being checked")
    READY = "ready", _("Ready to import")
    REFUSED = "refused", _("Refused")  # a row is wrong, or the file; nothing was made
    IMPORTING = "importing", _("Being imported")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Failed")  # the worker was killed again and again; nothing was made


class Import(models.Model):
    """One file, what its columns mean, and what came of it; all of its rows are made in one transaction or none."""

    id = id_field("imp")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=12, choices=ImportKind.choices)
    status = models.CharField(max_length=10, choices=ImportStatus.choices, default=ImportStatus.UPLOADED)
    file_name = models.CharField(max_length=120)
    content = models.BinaryField()  # empty once it is imported or old: it is full of names and addresses
    encoding = models.CharField(max_length=20, blank=True, default="")
    columns = models.JSONField(default=dict)  # the name of the column by field
    decimal_mark = models.CharField(max_length=1, blank=True, default="")
    date_format = models.CharField(max_length=12, blank=True, default="")
    payment_method = models.CharField(max_length=40, blank=True, default="")  # where no column says it
    # The member or the program that imports it, as events have them.
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=40)
    actor_label = models.CharField(max_length=160)
    row_count = models.PositiveIntegerField(default=0)
    checked_count = models.PositiveIntegerField(default=0)
    made_count = models.PositiveIntegerField(default=0)
    present_count = models.PositiveIntegerField(default=0)  # rows whose reference was there before
    problem_count = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)  # the first of them, see imports.problems
    differing = models.JSONField(default=list)  # the first rows that say otherwise than what was there before
    made = models.JSONField(default=list)  # id and reference of the first rows
    attempt_count = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects: OrganizationQuerySet[Import] = OrganizationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=ImportStatus.values), name="import_status_known"),
            models.CheckConstraint(condition=Q(kind__in=ImportKind.values), name="import_kind_known"),
            models.CheckConstraint(
                condition=Q(status__in=["checking", "importing"], next_attempt_at__isnull=False)
                | (~Q(status__in=["checking", "importing"]) & Q(next_attempt_at__isnull=True)),
                name="import_due_while_it_runs",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="import_newest"),
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(next_attempt_at__isnull=False),
                name="import_due",
            ),
        ]

    @property
    def is_running(self) -> bool:
        """Whether the worker has it."""
        return self.status in (ImportStatus.CHECKING, ImportStatus.IMPORTING)
