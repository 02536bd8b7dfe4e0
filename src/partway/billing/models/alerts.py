"""What a human must look at."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.db import models
from django.db.models import Q

from partway.accounts.models import Organization

from .fields import OrganizationQuerySet, id_field
from .invoices import Invoice
from .payments import Payment


class Alert(models.Model):
    """A thing that no rule can settle, with its reason, until a member says it is dealt with."""

    id = id_field("flg")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="flags")
    kind = models.CharField(max_length=40)
    message = models.CharField(max_length=400)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="flags")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="flags")
    subject = models.CharField(max_length=200)  # what it is about, so that it is raised once
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=160, blank=True, default="")
    resolution = models.CharField(max_length=300, blank=True, default="")  # what was done about it

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(resolved_at__isnull=True), name="alert_raised_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organization"], condition=Q(resolved_at__isnull=True), name="alert_unresolved"
            ),
        ]

    def __str__(self) -> str:
        return self.message

    @property
    def message_digest(self) -> str:
        """A short name for what it says now, by which a page tells later what it had shown."""
        return hashlib.sha256(self.message.encode()).hexdigest()[:16]
