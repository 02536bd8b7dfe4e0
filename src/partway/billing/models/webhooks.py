"""Webhooks: the endpoints of an organization's programs, what each is to hear, and every attempt to deliver it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.fields import SealedValues
from partway.accounts.models import Organization

from .events import Event
from .fields import OrganizationQuerySet, id_field


class EndpointStatus(models.TextChoices):
    """Whether an endpoint gets deliveries."""

    ENABLED = "enabled", _("Enabled")
    DISABLED = "disabled", _("Disabled")


class DisabledReason(models.TextChoices):
    """Why an endpoint is disabled: an owner or a program did it, it failed for days, or it answered 410 Gone."""

    BY_MEMBER = "by_member", _("By a member or a program")
    FAILING = "failing", _("It failed for days")
    GONE = "gone", _("It answered that it is gone")


class DeliveryStatus(models.TextChoices):
    """The states of a delivery; one that failed is not tried again unless it is asked for."""

    PENDING = "pending", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")


class WebhookEndpoint(models.Model):
    """An address of a program that is called with the events of the types it chose."""

    id = id_field("we")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=120, blank=True)
    event_types = models.JSONField(default=list)
    status = models.CharField(max_length=8, choices=EndpointStatus.choices, default=EndpointStatus.ENABLED)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason.choices, blank=True)
    sealed_secrets = models.TextField()
    # Secret → the time until which it signs beside the newest, as ISO 8601; empty for the newest.
    secrets = SealedValues("sealed_secrets")
    # Since its last success nothing but failures; with `failing_since` long ago, it is disabled.
    failing_since = models.DateTimeField(null=True)
    # Attempts in a row that it did not respond to. Until `paused_until` none of its deliveries is tried.
    silence_count = models.PositiveSmallIntegerField(default=0)
    paused_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="enabled", disabled_reason="")
                | (Q(status="disabled") & Q(disabled_reason__in=DisabledReason.values)),
                name="webhook_endpoint_disabled_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def signing_secrets(self, at: datetime) -> list[str]:
        """Returns the secrets that sign at this time, the newest first; raises Unsealable."""
        ends = [
            (secret, datetime.fromisoformat(end) if end else None) for secret, end in self.secrets.items()
        ]
        living = [(secret, end) for secret, end in ends if end is None or at < end]
        newest_first = sorted(living, key=lambda one: (one[1] is None, one[1] or at), reverse=True)
        return [secret for secret, _end in newest_first]


class WebhookDelivery(models.Model):
    """One event for one endpoint; its id is the `webhook-id`, the same in every attempt (DESIGN D6).

    payload: the body that is sent, byte for byte, with the object as it was when the event was committed.
    """

    id = id_field("msg")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="webhook_deliveries", db_index=False
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, related_name="webhook_deliveries", db_index=False
    )
    event_type = models.CharField(max_length=60)
    # Deliveries about one object keep their order.
    object_id = models.CharField(max_length=40)
    payload = models.TextField()
    status = models.CharField(max_length=9, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # Claimed by compare-and-set: the worker that raises `attempt_count` holds the lease until `next_attempt_at`.
    next_attempt_at = models.DateTimeField()
    attempt_count = models.PositiveIntegerField(default=0)
    # Attempts before a member or a program asked for another series of them.
    earlier_attempts = models.PositiveIntegerField(default=0)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once_per_endpoint"),
            models.CheckConstraint(
                condition=Q(status="pending", ended_at__isnull=True)
                | Q(status__in=("delivered", "failed"), ended_at__isnull=False),
                name="webhook_delivery_ended_with_its_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(status="pending"),
                name="webhook_delivery_due",
            ),
            models.Index(
                fields=["endpoint", "object_id", "id"],
                condition=Q(status="pending"),
                name="webhook_delivery_order",
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_delivery_newest"),
            models.Index(
                fields=["ended_at"], condition=Q(ended_at__isnull=False), name="webhook_delivery_ended"
            ),
        ]

    def body(self) -> Any:
        """Returns the values of the payload, which is JSON of our own."""
        return json.loads(self.payload)

    @property
    def badge(self) -> str:
        """The state as a badge shows it."""
        return "queued" if self.status == DeliveryStatus.PENDING else self.status


class WebhookAttempt(models.Model):
    """One attempt to deliver: the request's headers and duration, and the beginning of the response, or the error."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    number = models.PositiveIntegerField()
    attempted_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    url = models.CharField(max_length=500)
    request_headers = models.JSONField(default=dict)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.TextField(blank=True)
    # Empty for one that was delivered; delivery/messages/webhooks.py has the sentence of each code.
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "number"], name="webhook_attempt_number_unique"),
        ]
