"""Quotes, their deposit and lines, and the organization's default terms for them."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization

from .documents import Document, DocumentQuerySet, Line, adds_up, not_negative
from .external_fields import external_reference_unique
from .fields import ExactDecimalField, MoneyOf, id_field
from .parties import parties_when
from .search_index import SearchIndex
from .text_keys import has_sort_key


class QuoteStatus(models.TextChoices):
    """The stored states of a quote; whether its deposit is due or paid is derived."""

    DRAFT = "draft", _("Draft")
    SENT = "sent", _("Sent")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Expired")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    INVOICED = "invoiced", _("Invoiced")


class DepositKind(models.TextChoices):
    """How a deposit is computed."""

    NONE = "", _("No deposit")
    PERCENT = "percent", _("Percent of the total")
    AMOUNT = "amount", _("Amount")


class QuoteTerms(models.Model):
    """An organization's numbering of quotes and the deposit it usually asks for."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="quote_terms"
    )
    prefix = models.CharField(max_length=12, default="QUO-", blank=True)
    next_number = models.PositiveIntegerField(default=1)
    deposit_kind = models.CharField(max_length=8, choices=DepositKind.choices, blank=True, default="")
    deposit_percent = ExactDecimalField(default=0)
    deposit_amount_minor = models.BigIntegerField(default=0)
    # No deposit is suggested for a quote below this, in minor units of the organization's currency.
    deposit_threshold_minor = models.BigIntegerField(default=0)


class QuoteQuerySet(DocumentQuerySet["Quote"]):
    """The vocabulary for quotes."""

    def past_valid_until(self, today: date) -> QuoteQuerySet:
        """Sent, with `today` past `valid_until`."""
        return self.filter(status=QuoteStatus.SENT, valid_until__lt=today)


class Quote(Document):
    """An offer; its deposit is frozen as `deposit_minor` when it is sent (DESIGN M1)."""

    kind: ClassVar[Literal["quote"]] = "quote"

    id = id_field("quo")
    status = models.CharField(max_length=12, choices=QuoteStatus.choices, default=QuoteStatus.DRAFT)
    valid_until = models.DateField()
    deposit_kind = models.CharField(max_length=8, choices=DepositKind.choices, blank=True, default="")
    deposit_percent = ExactDecimalField(default=0)
    deposit_amount_minor = models.BigIntegerField(default=0)
    deposit_minor = models.BigIntegerField(default=0)
    # Evidence of the acceptance: the name of the person, when it was stored, and from which address it was typed.
    accepted_by = models.CharField(max_length=120, blank=True, default="")
    accepted_at = models.DateTimeField(null=True)
    accepted_ip = models.GenericIPAddressField(null=True)
    # Of an acceptance that the customer gave to a member: the day, the member's name, and a note for colleagues.
    accepted_on = models.DateField(null=True)
    acceptance_recorded_by = models.CharField(max_length=160, blank=True, default="")
    acceptance_note = models.CharField(max_length=400, blank=True, default="")

    deposit = MoneyOf("deposit_minor")  # zero without a deposit
    amount_payable = MoneyOf("deposit_minor")  # what its link charges: the whole deposit (DESIGN D1)

    objects = QuoteQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "number"], name="quote_number_unique"),
            external_reference_unique("quote"),
            models.CheckConstraint(condition=Q(status__in=QuoteStatus.values), name="quote_status_known"),
            adds_up("quote"),
            has_sort_key("quote", "number", "number_key"),
            parties_when("quote", issued=Q(sent_at__isnull=False)),
            models.CheckConstraint(
                condition=Q(deposit_minor__gte=0, deposit_minor__lte=F("total_minor")),
                name="quote_deposit_within_total",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number__isnull=True)
                | (~Q(status="draft") & Q(number__isnull=False)),
                name="quote_numbered_when_sent",
            ),
            # A withdrawn quote may have been accepted before, and keeps the evidence.
            models.CheckConstraint(
                condition=(
                    Q(status__in=["accepted", "invoiced", "withdrawn"], accepted_at__isnull=False)
                    & ~Q(accepted_by="")
                )
                | (~Q(status__in=["accepted", "invoiced"]) & Q(accepted_at__isnull=True, accepted_by="")),
                name="quote_accepted_by_set",
            ),
            models.CheckConstraint(
                condition=Q(accepted_on__isnull=True, acceptance_recorded_by="", acceptance_note="")
                | (
                    Q(accepted_on__isnull=False, accepted_at__isnull=False, accepted_ip__isnull=True)
                    & ~Q(acceptance_recorded_by="")
                ),
                name="quote_acceptance_recorded_by_set",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="quote_newest"),
            models.Index(fields=["organization", "number_key", "id"], name="quote_by_number"),
            # The other orders of the list, of each status; pages merge them.
            models.Index(fields=["organization", "status", "-created_at", "-id"], name="quote_by_status"),
            models.Index(
                fields=["organization", "status", "number_key", "id"], name="quote_of_status_number"
            ),
            models.Index(
                fields=["organization", "status", "valid_until", "id"], name="quote_of_status_until"
            ),
            models.Index(
                fields=["organization", "status", "customer_key", "-id"], name="quote_of_status_customer"
            ),
            models.Index(
                fields=["organization", "status", "currency", "total_minor", "id"],
                name="quote_of_status_total",
            ),
            models.Index(fields=["issued_to"], condition=Q(issued_to__isnull=False), name="quote_by_party"),
            SearchIndex(name="quote_search"),
            models.Index(fields=["valid_until"], condition=Q(status="sent"), name="quote_to_expire"),
        ]


class QuoteLine(Line):
    """One line of a quote."""

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="lines")

    class Meta(Line.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["quote", "position"], name="quote_line_position_unique"),
            not_negative("quote"),
        ]
