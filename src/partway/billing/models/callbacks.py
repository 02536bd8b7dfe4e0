"""Callbacks of gateways, each stored once with its raw body before it is processed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import GatewayAccount

from .fields import id_field


class CallbackStatus(models.TextChoices):
    """Whether its effect has been booked."""

    PENDING = "pending", _("Pending")
    PROCESSED = "processed", _("Processed")
    UNMATCHED = "unmatched", _("Unmatched")
    IGNORED = (
        "ignored",
        _("Ignored"),
    )  # of another application on the same account, or about the account itself


class Callback(models.Model):
    """One event that a gateway reported; marked processed in the transaction of its effect (DESIGN P7)."""

    id = id_field("cb")
    gateway_account = models.ForeignKey(GatewayAccount, on_delete=models.PROTECT, related_name="callbacks")
    event_id = models.CharField(max_length=200)
    event_type = models.CharField(max_length=60)
    # It names a checkout, a payout, or another object of a checkout, which the gateway is asked for; or none of them,
    # and is about the account.
    checkout_ref = models.CharField(max_length=200)
    payout_ref = models.CharField(max_length=200, blank=True, default="")
    object_ref = models.CharField(max_length=200, blank=True, default="")
    body = models.TextField()
    status = models.CharField(max_length=10, choices=CallbackStatus.choices, default=CallbackStatus.PENDING)
    received_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempt_count = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gateway_account", "event_id"], name="callback_stored_once"),
            models.CheckConstraint(
                condition=Q(status__in=CallbackStatus.values), name="callback_status_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at", "id"], condition=Q(status="pending"), name="callback_pending"
            ),
        ]
