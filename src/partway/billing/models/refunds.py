"""Refunds: money of a payment that went back to its customer."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization
from partway.lib import clock

from .fields import FeeColumns, MoneyOf, OrganizationQuerySet, fee_when, id_field
from .payments import Payment
from .search_index import SearchIndex
from .text_keys import SearchKeyField, TextKeyModel


class RefundStatus(models.TextChoices):
    """The states of a refund: one that a member records has happened already, so it is never seen pending."""

    PENDING = "pending", _("Pending")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    REVERSED = "reversed", _("Reversed")


class RefundMode(models.TextChoices):
    """The way the money goes: by hand, through the gateway, or started in the gateway's own dashboard."""

    OFFLINE = "offline", _("Offline")
    GATEWAY = "gateway", _("Through the gateway")
    DASHBOARD = "dashboard", _("In the gateway's dashboard")


class RefundReason(models.TextChoices):
    """Why a member sends money back through the gateway; the note says more."""

    CANCELED = "canceled", _("The order was canceled")
    COMPLAINT = "complaint", _("The customer is not satisfied")
    DUPLICATE = "duplicate", _("Paid twice")
    OVERPAID = "overpaid", _("Paid too much")
    OTHER = "other", _("Another reason")


# A pending refund counts as given back: the gateway may have sent the money already (DESIGN M5).
COUNTED_STATUSES = ("pending", "succeeded")


class RefundQuerySet(OrganizationQuerySet["Refund"]):
    """The vocabulary for refunds."""

    def succeeded(self) -> RefundQuerySet:
        """Money that is with the customer again."""
        return self.filter(status=RefundStatus.SUCCEEDED)

    def pending(self) -> RefundQuerySet:
        """Of which the gateway has not said yet whether the customer gets the money."""
        return self.filter(status=RefundStatus.PENDING)

    def counted(self) -> RefundQuerySet:
        """Money that the payment does not have any more, as far as is known."""
        return self.filter(status__in=COUNTED_STATUSES)


class Refund(TextKeyModel, FeeColumns):
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
    # The part that the payment had no money for any more: sent back at the gateway all the same, so it is a loss (M5).
    lost_minor = models.BigIntegerField(default=0)
    method = models.CharField(max_length=40, blank=True, default="")  # of an offline one: cash, transfer, …
    refunded_on = models.DateField()  # through the gateway: the day on which it was begun there
    reference = models.CharField(max_length=120, blank=True, default="")
    note = models.CharField(max_length=400, blank=True, default="")
    search_key = SearchKeyField("reference", "note")
    reason = models.CharField(max_length=10, choices=RefundReason.choices, blank=True, default="")
    # Whether what it takes off an invoice is settled there as goodwill, instead of being due again (M2).
    reduces_invoice = models.BooleanField(default=False)
    # Of money that came in although it was not due: begun by its booking, and not by a member (P3).
    is_automatic = models.BooleanField(default=False)
    gateway_ref = models.CharField(max_length=200, blank=True, default="")  # empty until the gateway names it
    failure_code = models.CharField(max_length=60, blank=True, default="")
    failure_message = models.CharField(max_length=300, blank=True, default="")
    # The one-time key of the form it was recorded with, so that a double click records it once (DESIGN P8).
    idempotency_key = models.CharField(max_length=40, null=True)
    created_at = models.DateTimeField()
    # When the worker asks the gateway about a pending one next, and how many times it has.
    next_refresh_at = models.DateTimeField(null=True)
    refresh_count = models.PositiveIntegerField(default=0)

    amount = MoneyOf("amount_minor")

    searched_through: ClassVar = ("payment",)
    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                # A form may refund several payments, each once.
                fields=["organization", "idempotency_key", "payment"],
                name="refund_once_per_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(mode="offline") & ~Q(method="") | Q(mode__in=("gateway", "dashboard"), method=""),
                name="refund_mode_fits_method",
            ),
            models.CheckConstraint(
                condition=Q(mode="offline", status__in=("succeeded", "reversed"), gateway_ref="")
                | Q(mode="gateway", status__in=("pending", "succeeded", "failed"))
                | Q(mode="dashboard", status__in=("pending", "succeeded", "failed")) & ~Q(gateway_ref=""),
                name="refund_status_fits_mode",
            ),
            models.CheckConstraint(
                condition=Q(lost_minor=0)
                | Q(mode="dashboard", lost_minor__gt=0, lost_minor__lte=F("amount_minor")),
                name="refund_lost_only_in_dashboard",
            ),
            # One that fails leaves credit, which a member decides about; it is not tried again by itself.
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(is_automatic=True),
                name="one_automatic_refund_per_payment",
            ),
            models.CheckConstraint(
                condition=Q(is_automatic=False) | Q(mode="gateway", reduces_invoice=False),
                name="refund_automatic_through_gateway",
            ),
            models.CheckConstraint(
                condition=~Q(status="pending") | Q(next_refresh_at__isnull=False),
                name="refund_pending_is_refreshed",
            ),
            fee_when("refund_fee_of_gateway", Q(mode__in=("gateway", "dashboard"))),
            models.UniqueConstraint(
                fields=["payment", "gateway_ref"],
                condition=~Q(gateway_ref=""),
                name="refund_once_per_gateway_ref",
            ),
        ]
        indexes: ClassVar = [
            # Filters of the list of payments.
            models.Index(fields=["organization", "status"], name="refund_by_status"),
            models.Index(fields=["organization", "currency", "amount_minor"], name="refund_by_amount"),
            models.Index(
                fields=["next_refresh_at", "id"], condition=Q(status="pending"), name="refund_to_refresh"
            ),
            # The list of payments, newest first.
            models.Index(fields=["organization", "-refunded_on", "-created_at", "-id"], name="refund_newest"),
            SearchIndex(name="refund_search"),
            models.Index(fields=["organization", "gateway_ref"], name="refund_by_gateway_ref"),
        ]

    @property
    def event_data(self) -> dict[str, str | int]:
        """Which refund it is and of how much (minor units), as each of its events says it."""
        return {"refund": self.pk, "amount_minor": self.amount_minor, "currency": self.currency}

    @property
    def counted_minor(self) -> int:
        """The part that its payment had money for."""
        return self.amount_minor - self.lost_minor

    def day(self, time_zone: str) -> date:
        """Returns the day on which it was given back: as a member typed it, or of one at the gateway when it began."""
        return self.refunded_on if self.mode == "offline" else clock.today(self.created_at, time_zone)
