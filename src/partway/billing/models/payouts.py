"""Payouts: money that a gateway sends to the bank account of the business, and all that it is made of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import GatewayAccount, Organization

from .disputes import Dispute
from .fields import MoneyOf, OrganizationQuerySet, id_field
from .payments import Payment
from .refunds import Refund


class PayoutStatus(models.TextChoices):
    """The states of a payout; one that was paid can still come back from the bank."""

    PENDING = "pending", _("On its way")
    PAID = "paid", _("Paid out")
    FAILED = "failed", _("Failed")


class PayoutItemKind(models.TextChoices):
    """The kinds of entries of the gateway's balance."""

    PAYMENT = "payment", _("Payment")
    REFUND = "refund", _("Refund")
    DISPUTE = "dispute", _("Dispute")
    FEE = "fee", _("Fee")
    OTHER = "other", _("Other")


class Payout(models.Model):
    """A payout as the gateway reports it; `amount_minor` is what the bank gets (DESIGN M4)."""

    id = id_field("po")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payouts")
    gateway_account = models.ForeignKey(GatewayAccount, on_delete=models.PROTECT, related_name="payouts")
    gateway_ref = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=PayoutStatus.choices, default=PayoutStatus.PENDING)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    arrives_on = models.DateField()  # at the bank, as far as is known while it is pending
    created_at = models.DateTimeField()

    amount = MoneyOf("amount_minor")

    objects = OrganizationQuerySet["Payout"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway_account", "gateway_ref"], name="payout_once_per_gateway_ref"
            ),
            models.CheckConstraint(condition=Q(status__in=PayoutStatus.values), name="payout_status_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-arrives_on", "-id"], name="payout_newest"),
        ]

    @property
    def badge(self) -> str:
        """Its status among those of all nouns."""
        return f"payout_{self.status}"

    @property
    def event_data(self) -> dict[str, str | int]:
        """How much arrives (minor units), and when, as each of its events says it."""
        return {
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "arrives_on": self.arrives_on.isoformat(),
        }


class PayoutItem(models.Model):
    """One entry of the gateway's balance in a payout, in the payout's currency; negative amounts take from it.

    Linked to our payment, refund and dispute where we have them; one that is of none is named by the gateway's ids.
    """

    id = id_field("poi")
    payout = models.ForeignKey(Payout, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    gateway_ref = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=PayoutItemKind.choices)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()  # as the gateway says it
    currency = models.CharField(max_length=3)
    checkout_ref = models.CharField(max_length=200, blank=True, default="")
    source_ref = models.CharField(max_length=200, blank=True, default="")  # of the refund or the dispute
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="payout_items")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, related_name="payout_items")
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, null=True, related_name="payout_items")

    amount = MoneyOf("amount_minor")
    fee = MoneyOf("fee_minor")
    net = MoneyOf("net_minor")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payout", "position"], name="payout_item_position_unique"),
            models.UniqueConstraint(fields=["payout", "gateway_ref"], name="payout_item_once_per_ref"),
            models.CheckConstraint(
                condition=Q(kind__in=PayoutItemKind.values), name="payout_item_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(refund__isnull=True, dispute__isnull=True)
                | Q(kind="refund", payment__isnull=False, dispute__isnull=True)
                | Q(kind="dispute", payment__isnull=False, refund__isnull=True),
                name="payout_item_of_one",
            ),
        ]
