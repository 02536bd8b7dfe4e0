"""Mails to be sent, and the outcome of each attempt."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization

from .events import Event
from .fields import OrganizationQuerySet, id_field
from .invoices import Invoice
from .payment_requests import PaymentRequest
from .payments import Payment
from .quotes import Quote


class MailStatus(models.TextChoices):
    """The stored states of a mail."""

    QUEUED = "queued", _("Waiting to be sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("Not sent: out of date")
    BOUNCED = "bounced", _("Bounced")


class Mail(models.Model):
    """A mail as data; its text and links are made when it is sent, so no link is stored here (DESIGN R8)."""

    id = id_field("mail")
    # Both are null in a mail about signing in, which belongs to a person and to no organization.
    # The organization without an index of its own: that of the inbox begins with it.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="mails", db_index=False
    )
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="mails")
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=8, choices=MailStatus.choices, default=MailStatus.QUEUED)
    to = models.JSONField(default=list)
    cc = models.JSONField(default=list, blank=True)
    bcc = models.JSONField(default=list, blank=True)
    reply_to = models.EmailField(blank=True)
    data = models.JSONField(default=dict)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="mails")
    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, null=True, related_name="mails")
    payment_request = models.ForeignKey(
        PaymentRequest, on_delete=models.PROTECT, null=True, related_name="mails"
    )
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="mails")
    created_at = models.DateTimeField()
    # Claimed by compare-and-set: the worker that raises `attempt_count` holds the lease until `next_attempt_at`.
    next_attempt_at = models.DateTimeField()
    attempt_count = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=MailStatus.values), name="mail_status_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="mail_newest"),
            models.Index(fields=["next_attempt_at", "id"], condition=Q(status="queued"), name="mail_to_send"),
            models.Index(fields=["status"], condition=Q(status="failed"), name="mail_failed"),
        ]


class MailAttempt(models.Model):
    """One attempt to hand a mail over to the mail server."""

    mail = models.ForeignKey(Mail, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    attempted_at = models.DateTimeField()
    # Empty for one that worked; delivery/messages/mails.py has the sentence of each code.
    error_code = models.CharField(max_length=40, blank=True, default="")
    error_params = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mail", "number"], name="mail_attempt_number_unique"),
        ]
