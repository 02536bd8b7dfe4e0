"""Adjustments: what an invoice is settled by without money, such as a bank fee that the customer's bank kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization

from .fields import MoneyOf, OrganizationQuerySet, id_field
from .invoices import Invoice
from .search_index import SearchIndex
from .text_keys import SearchKeyField, TextKeyModel


class AdjustmentReason(models.TextChoices):
    """Why the rest of an invoice needs no payment."""

    FEE = "fee", _("Bank fee")
    ROUNDING = "rounding", _("Rounding")
    GOODWILL = "goodwill", _("Goodwill")
    DISPUTE = "dispute", _("Dispute lost")


# What a member can choose for any rest; a lost dispute is settled by an act of its own.
CHOSEN_REASONS = tuple(reason for reason in AdjustmentReason if reason != AdjustmentReason.DISPUTE)


class AdjustmentCause(models.TextChoices):
    """The act that settled a rest, or that made it due again."""

    SETTLED = "settled", _("Settled")
    BY_MEMBER = "by_member", _("Taken back by a member")
    PAYMENT_REVERSED = "payment_reversed", _("A payment of the invoice was reversed")
    INVOICE_CHANGED = "invoice_changed", _("The invoice was lowered")
    INVOICE_VOIDED = "invoice_voided", _("The invoice was voided")
    REFUND_FAILED = "refund_failed", _("The refund failed that had reduced the invoice")
    DISPUTE_WON = "dispute_won", _("The lost dispute was won after all")


class Adjustment(TextKeyModel):
    """A rest that was settled without a payment; a negative row takes (part of) another row back. Never changed."""

    id = id_field("adj")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="adjustments")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="adjustments")
    # The row that a negative one takes back, so that each line of the invoice shows what is left of it.
    taken_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="taken_back")
    # The refund that reduces the invoice by it (M2). Found by its invoice.
    refund = models.ForeignKey(
        "Refund", on_delete=models.PROTECT, null=True, related_name="adjustments", db_index=False
    )
    # The lost dispute whose money is taken as a loss, instead of being due again.
    dispute = models.ForeignKey(
        "Dispute", on_delete=models.PROTECT, null=True, related_name="adjustments", db_index=False
    )
    cause = models.CharField(max_length=20, choices=AdjustmentCause.choices, default=AdjustmentCause.SETTLED)
    reason = models.CharField(max_length=10, choices=AdjustmentReason.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    note = models.CharField(max_length=300, blank=True, default="")
    search_key = SearchKeyField("note")
    actor_id = models.CharField(max_length=40, blank=True)
    actor_label = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    amount = MoneyOf("amount_minor")

    searched_through: ClassVar = ("invoice",)
    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(cause="settled", amount_minor__gt=0, taken_from__isnull=True)
                | Q(
                    cause__in=[cause for cause in AdjustmentCause.values if cause != "settled"],
                    amount_minor__lt=0,
                    taken_from__isnull=False,
                ),
                name="adjustment_sign_fits_cause",
            ),
            models.CheckConstraint(
                condition=Q(reason__in=AdjustmentReason.values), name="adjustment_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(cause="settled", reason="dispute", dispute__isnull=False)
                | ~Q(cause="settled", reason="dispute") & Q(dispute__isnull=True),
                name="adjustment_of_dispute",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["dispute"], condition=Q(dispute__isnull=False), name="adjustment_by_dispute"
            ),
            # Filters of the list of payments.
            models.Index(fields=["organization", "currency", "amount_minor"], name="adjustment_by_amount"),
            models.Index(
                fields=["organization"], condition=Q(amount_minor__lt=0), name="adjustment_taken_back"
            ),
            models.Index(fields=["organization", "-created_at", "-id"], name="adjustment_newest"),
            SearchIndex(name="adjustment_search"),
        ]
