"""Disputes: money of an online payment that the customer's bank asks back."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization
from partway.lib.money import Money

from .fields import MoneyOf, OrganizationQuerySet, id_field
from .payments import Payment


class DisputeStatus(models.TextChoices):
    """The states of a dispute; one that was won can be lost later, and the other way round."""

    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


class DisputeReason(models.TextChoices):
    """Why the customer or their bank asks the money back, as the gateway says."""

    FRAUDULENT = "fraudulent", _("The customer says that they did not pay this")
    UNRECOGNIZED = "unrecognized", _("The customer does not recognize the payment")
    DUPLICATE = "duplicate", _("The customer says that they paid twice")
    NOT_RECEIVED = "not_received", _("The customer says that they received nothing")
    NOT_AS_DESCRIBED = "not_as_described", _("The customer is not satisfied with what they received")
    CANCELED = "canceled", _("The customer says that they had canceled")
    CREDIT_NOT_PROCESSED = "credit_not_processed", _("The customer says that they were promised a refund")
    DEBIT_RETURNED = "debit_returned", _("The bank returned the debit")
    UNKNOWN = "unknown", _("The gateway names no reason")


class DisputeQuerySet(OrganizationQuerySet["Dispute"]):
    """The vocabulary for disputes."""

    def open(self) -> DisputeQuerySet:
        """Whose outcome is not known yet."""
        return self.filter(status=DisputeStatus.OPEN)

    def lost(self) -> DisputeQuerySet:
        """Of which the money is with the customer again."""
        return self.filter(status=DisputeStatus.LOST)

    def counted(self) -> DisputeQuerySet:
        """That freeze money of their payment, or have lost it."""
        return self.exclude(status=DisputeStatus.WON)


class Dispute(models.Model):
    """A part of one payment that is in doubt while it is open: frozen, then free again or lost (DESIGN M3)."""

    id = id_field("dis")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="disputes")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    status = models.CharField(max_length=10, choices=DisputeStatus.choices, default=DisputeStatus.OPEN)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # The part that the payment had no money for any more, as after a refund: the gateway takes it all the same (M5).
    lost_minor = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=24, choices=DisputeReason.choices)
    evidence_due_at = models.DateTimeField(null=True)
    # What the gateway charges for it by now; some give it back when the dispute is won.
    fee_minor = models.BigIntegerField(default=0)
    fee_currency = models.CharField(max_length=3, blank=True, default="")
    gateway_ref = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # When members are reminded of the evidence; empty when they were, or when there is nothing to submit.
    remind_at = models.DateTimeField(null=True)
    # Counts the changes, so that a state that was fetched before one of them is not booked after it (P6).
    version = models.PositiveIntegerField(default=1)

    amount = MoneyOf("amount_minor")

    searched_through: ClassVar = ("payment",)
    objects = DisputeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount_positive"),
            models.CheckConstraint(
                condition=Q(status="open", closed_at__isnull=True)
                | Q(status__in=("won", "lost"), closed_at__isnull=False, remind_at__isnull=True),
                name="dispute_closed_when_decided",
            ),
            models.CheckConstraint(
                condition=Q(lost_minor=0)
                | Q(status__in=("open", "lost"), lost_minor__gt=0, lost_minor__lte=F("amount_minor")),
                name="dispute_lost_within_amount",
            ),
            models.CheckConstraint(condition=Q(reason__in=DisputeReason.values), name="dispute_reason_known"),
            models.CheckConstraint(
                condition=Q(fee_minor=0, fee_currency="") | Q(fee_minor__gt=0) & ~Q(fee_currency=""),
                name="dispute_fee_has_currency",
            ),
            models.UniqueConstraint(fields=["payment", "gateway_ref"], name="dispute_once_per_gateway_ref"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["remind_at", "id"], condition=Q(remind_at__isnull=False), name="dispute_to_remind"
            ),
            # Filters of the list of payments.
            models.Index(fields=["organization", "status"], name="dispute_by_status"),
            models.Index(fields=["organization", "currency", "amount_minor"], name="dispute_by_amount"),
            models.Index(fields=["organization", "gateway_ref"], name="dispute_by_gateway_ref"),
            # The list of payments: by the moment that decides its day, which is the end once there is one.
            models.Index(
                F("organization"),
                Coalesce("closed_at", "opened_at").desc(),
                F("id").desc(),
                name="dispute_by_moment",
            ),
        ]

    @property
    def event_data(self) -> dict[str, str | int]:
        """Which dispute it is and of how much (minor units), as each of its events says it."""
        return {"dispute": self.pk, "amount_minor": self.amount_minor, "currency": self.currency}

    @property
    def details(self) -> dict[str, str | int]:
        """All that the gateway said of it besides its status, as the event of its beginning says it."""
        due_at = self.evidence_due_at.isoformat() if self.evidence_due_at else ""
        return {
            **self.event_data,
            "lost_minor": self.lost_minor,
            "reason": self.reason,
            "evidence_due_at": due_at,
            "fee_minor": self.fee_minor,
            "fee_currency": self.fee_currency,
        }

    def is_evidence_over(self, now: datetime) -> bool:
        """Returns whether the time for evidence has passed: then the customer's bank decides without more of it."""
        return self.evidence_due_at is not None and self.evidence_due_at < now

    @property
    def is_returned_debit(self) -> bool:
        """Whether the bank returned a debit, which is lost at once, and no dispute to those who read of it."""
        return self.reason == DisputeReason.DEBIT_RETURNED

    @property
    def outcome(self) -> str:
        """The status as pages name it: `returned` where the bank returned a debit."""
        return "returned" if self.status == DisputeStatus.LOST and self.is_returned_debit else self.status

    @property
    def counted_minor(self) -> int:
        """The part that its payment has money for, or had when the dispute was lost."""
        return self.amount_minor - self.lost_minor

    @property
    def fee(self) -> Money | None:
        """The gateway's fee of it, if there is one."""
        return Money(self.fee_minor, self.fee_currency) if self.fee_minor else None
