"""Calls to a gateway about a payment or a refund, written before they are made (DESIGN P4)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .fields import SealedValues, id_field
from .payments import Payment


class GatewayOperation(models.TextChoices):
    """The calls that change something at the gateway; each is a row before it is made."""

    START = "start", _("Start a checkout")
    CAPTURE = "capture", _("Capture")
    CLOSE = "close", _("Close")
    REFUND = "refund", _("Refund")


class GatewayCallOutcome(models.TextChoices):
    """How a call ended; UNKNOWN is no response, after which the state is fetched first (DESIGN P4)."""

    IN_PROGRESS = "in_progress", _("In progress")
    SUCCEEDED = "succeeded", _("Succeeded")
    REFUSED = "refused", _("Refused")
    UNKNOWN = "unknown", _("Unknown")


class GatewayCall(models.Model):
    """One call to a gateway, written before it is made, with its idempotency key and exact body (DESIGN P4)."""

    id = id_field("gwc")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="gateway_calls")
    # Set for the operation refund: a payment may be refunded in several parts, each with attempts of its own.
    refund = models.ForeignKey(
        "Refund", on_delete=models.PROTECT, null=True, related_name="gateway_calls", db_index=False
    )
    operation = models.CharField(max_length=12, choices=GatewayOperation.choices)
    attempt = models.PositiveSmallIntegerField()
    sealed_body = models.TextField(blank=True, default="")  # sealed, because it holds a link
    outcome = models.CharField(
        max_length=12, choices=GatewayCallOutcome.choices, default=GatewayCallOutcome.IN_PROGRESS
    )
    message = models.CharField(max_length=300, blank=True, default="")
    started_at = models.DateTimeField()
    repeated_at = models.DateTimeField(null=True)  # when it was sent again under its key, the last time
    answered_at = models.DateTimeField(null=True)

    # The exact body is kept, because a gateway refuses a repeated key with another body.
    body = SealedValues("sealed_body")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payment", "operation", "attempt"],
                condition=Q(refund__isnull=True),
                name="gateway_call_attempt_unique",
            ),
            models.UniqueConstraint(
                fields=["refund", "attempt"],
                condition=Q(refund__isnull=False),
                name="gateway_call_refund_attempt_unique",
            ),
            models.CheckConstraint(
                condition=Q(operation="refund", refund__isnull=False)
                | ~Q(operation="refund") & Q(refund__isnull=True),
                name="gateway_call_of_refund",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=GatewayCallOutcome.values), name="gateway_call_outcome_known"
            ),
        ]

    @property
    def idempotency_key(self) -> str:
        """The id of the payment or the refund, the operation and the attempt (DESIGN P4)."""
        return f"{self.refund_id or self.payment_id}:{self.operation}:{self.attempt}"
