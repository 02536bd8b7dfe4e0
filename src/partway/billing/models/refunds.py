"""Refunds: money of a payment that went back to its customer."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization

from .fields import MoneyOf, OrganizationQuerySet, id_field
from .payments import Payment


class RefundStatus(models.TextChoices):
    """The states of a refund: one that a member records has happened already, so it is never seen pending."""

    PENDING = "pending", _("Pending")
    SUCCEEDED = "succeeded", _("Succeeded")
    REVERSED = "reversed", _("Reversed")


class RefundMode(models.TextChoices):
    """The way the money went: by hand, or started in the gateway's own dashboard."""

    OFFLINE = "offline", _("Offline")
    DASHBOARD = "dashboard", _("In the gateway's dashboard")


class RefundQuerySet(OrganizationQuerySet["Refund"]):
    """The vocabulary for refunds."""

    def succeeded(self) -> RefundQuerySet:
        """Money that is with the customer again."""
        return self.filter(status=RefundStatus.SUCCEEDED)


class Refund(models.Model):
    """A part of one payment that was given back: it is neither allocated nor credit any more (DESIGN M3, M8).

    What is given back of a customer's credit is one refund of each payment that it came from.
    """

    id = id_field("ref")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    status = models.CharField(max_length=10, choices=RefundStatus.choices, default=RefundStatus.PENDING)
    mode = models.CharField(max_length=10, choices=RefundMode.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=40, blank=True, default="")  # of an offline one: cash, transfer, …
    refunded_on = models.DateField()
    reference = models.CharField(max_length=120, blank=True, default="")
    note = models.CharField(max_length=400, blank=True, default="")
    # The one-time key of the form it was recorded with, so that a double click records it once (DESIGN P8).
    idempotency_key = models.CharField(max_length=40, null=True)
    created_at = models.DateTimeField()

    amount = MoneyOf("amount_minor")

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                # A form may refund several payments, each once.
                fields=["organization", "idempotency_key", "payment"],
                name="refund_once_per_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="refund_status_known"),
            models.CheckConstraint(
                condition=Q(mode="offline") & ~Q(method="") | Q(mode="dashboard", method=""),
                name="refund_mode_fits_method",
            ),
        ]
