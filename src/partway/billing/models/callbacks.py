"""What gateways told us, stored once on its raw body before anything is done about it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from partway.accounts.models import GatewayAccount

from .fields import id_field


class CallbackStatus(models.TextChoices):
    """Whether its effect has been booked."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    UNMATCHED = "flagged", "Given to a human"


class Callback(models.Model):
    """One event a gateway reported; done in the same transaction as its effect (DESIGN P7)."""

    id = id_field("cb")
    gateway_account = models.ForeignKey(GatewayAccount, on_delete=models.PROTECT, related_name="callbacks")
    event_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    checkout_ref = models.CharField(max_length=200)
    body = models.TextField()
    status = models.CharField(max_length=8, choices=CallbackStatus.choices, default=CallbackStatus.WAITING)
    received_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempt = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gateway_account", "event_id"], name="callback_stored_once"),
            models.CheckConstraint(
                condition=Q(status__in=CallbackStatus.values), name="callback_status_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(status="waiting"), name="callback_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
