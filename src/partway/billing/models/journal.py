"""The journal's own tables: the accounts that an owner named, and the closings of its periods.

Entries have no table: they are derived from the facts (decision 0054).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from partway.accounts.models import Organization

from .fields import OrganizationQuerySet, id_field


class LedgerAccount(models.Model):
    """The code and name of an account that differ from the default; `key` is that of `journal/accounts.py`."""

    id = id_field("acc")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="ledger_accounts")
    key = models.CharField(max_length=80)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "key"], name="ledger_account_key_unique"),
            models.UniqueConstraint(fields=["organization", "code"], name="ledger_account_code_unique"),
        ]


class Closing(models.Model):
    """One change of the day up to which the journal is closed; the last row counts. Never changed.

    `through` is that day. `included` are the ids of facts that were recorded
    just before and counted, see `journal/calendar.py`. `time_zone` is the one whose days were closed: it stays the one
    of all facts that were recorded until then.
    """

    id = id_field("cls")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="closings")
    through = models.DateField()
    is_reopening = models.BooleanField(default=False)
    reason = models.CharField(max_length=300, blank=True, default="")
    included = models.JSONField(default=list)
    time_zone = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(is_reopening=False, reason="") | Q(is_reopening=True) & ~Q(reason=""),
                name="reopening_has_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "created_at", "id"], name="closing_by_time"),
        ]
