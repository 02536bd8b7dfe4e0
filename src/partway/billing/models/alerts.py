"""Alerts: situations that no rule can settle, listed on the Attention page."""

from __future__ import annotations

import hashlib
import json
from typing import ClassVar

from django.db import models
from django.db.models import Q

from partway.accounts.models import Organization

from .fields import OrganizationQuerySet, id_field
from .invoices import Invoice
from .payments import Payment


class Alert(models.Model):
    """One situation that needs a member, open until a member or the clock resolves it.

    `kind` and `params` are data: amounts are objects of `amount_minor` and `currency`, the gateway's own words are
    text. `partway.delivery.messages.alerts` makes the sentence.
    """

    id = id_field("alt")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="alerts")
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="alerts")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="alerts")
    subject = models.CharField(
        max_length=200
    )  # the id of what it is about: one open alert per kind and subject
    # Until when it can be dealt with, as evidence of a dispute; the page lists these first, the earliest before others.
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=160, blank=True, default="")
    resolution = models.CharField(max_length=300, blank=True, default="")  # typed by the member
    auto_resolution = models.CharField(
        max_length=40, blank=True, default=""
    )  # a code, where the clock resolved it

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(resolved_at__isnull=True), name="alert_raised_once"
            ),
        ]
        indexes: ClassVar = [
            # The Attention page: those that end, the others, and those that were resolved.
            models.Index(
                fields=["organization", "due_at", "-created_at", "-id"],
                condition=Q(resolved_at__isnull=True),
                name="alert_by_due_at",
            ),
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(resolved_at__isnull=True),
                name="alert_unresolved",
            ),
            models.Index(
                fields=["organization", "-resolved_at", "-id"],
                condition=Q(resolved_at__isnull=False),
                name="alert_resolved",
            ),
        ]

    @property
    def digest(self) -> str:
        """A short hash of kind and params: a page sends it back, so that a newer alert is not resolved unseen."""
        facts = json.dumps([self.kind, self.params], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:16]
