"""Payment requests: each asks a customer for a part of the amount due."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization

from .external_fields import ExternalFieldsModel, external_reference_unique
from .fields import MoneyOf, OrganizationQuerySet, id_field
from .invoices import Invoice


class PaymentRequestStatus(models.TextChoices):
    """The stored states of a payment request; being paid is derived."""

    OPEN = "open", _("Open")
    PAID = "paid", _("Paid")
    CANCELED = "canceled", _("Canceled")
    EXPIRED = "expired", _("Expired")


class CancelReason(models.TextChoices):
    """Why a request was canceled."""

    BY_MEMBER = "by_member", _("By a member")
    INVOICE_PAID = "invoice_paid", _("The invoice was paid")
    INVOICE_VOIDED = "invoice_voided", _("The invoice was voided")
    INVOICE_CHANGED = "invoice_changed", _("The invoice changed")
    INVOICE_WRITTEN_OFF = "invoice_written_off", _("The invoice was written off")
    OFFLINE_PAYMENT = "offline_payment", _("An offline payment was recorded")
    REPLACED = "replaced", _("Replaced by another request")


class PaymentRequestQuerySet(OrganizationQuerySet["PaymentRequest"]):
    """The vocabulary for payment requests."""

    def open(self) -> PaymentRequestQuerySet:
        """Neither paid nor ended: the link can be paid."""
        return self.filter(status=PaymentRequestStatus.OPEN)


class PaymentRequest(ExternalFieldsModel):
    """A request for `amount_requested_minor` of one invoice, with a payment link of its own."""

    kind: ClassVar[Literal["payment_request"]] = "payment_request"

    id = id_field("preq")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payment_requests")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payment_requests")
    status = models.CharField(
        max_length=10, choices=PaymentRequestStatus.choices, default=PaymentRequestStatus.OPEN
    )
    cancel_reason = models.CharField(max_length=20, choices=CancelReason.choices, blank=True, default="")
    amount_requested_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    note = models.TextField(max_length=1000, blank=True)
    to = models.JSONField(default=list)
    cc = models.JSONField(default=list, blank=True)
    bcc = models.JSONField(default=list, blank=True)
    requested_by = models.CharField(max_length=40)  # the member or key, as an id
    reply_to = models.EmailField(blank=True)
    # The page of a program that the customer is led back to, while the organization allows it; empty for none.
    return_url = models.CharField(max_length=1000, blank=True, default="")
    # The one-time key of the form it came from, so that a double click makes one request (DESIGN P8).
    idempotency_key = models.CharField(max_length=40, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    amount_requested = MoneyOf("amount_requested_minor")
    amount_payable = MoneyOf("amount_requested_minor")  # what its link charges

    objects = PaymentRequestQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            external_reference_unique("payment_request"),
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"], name="payment_request_once_per_idempotency_key"
            ),
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(status="open"), name="one_open_payment_request_per_invoice"
            ),
            models.CheckConstraint(
                condition=Q(amount_requested_minor__gt=0), name="payment_request_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=PaymentRequestStatus.values), name="payment_request_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="canceled", cancel_reason__in=CancelReason.values)
                | (~Q(status="canceled") & Q(cancel_reason="")),
                name="payment_request_cancel_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(status="open", ended_at__isnull=True)
                | (~Q(status="open") & Q(ended_at__isnull=False)),
                name="payment_request_end_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="payment_request_newest"),
            models.Index(fields=["organization", "requested_by"], name="payment_request_by_member"),
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(status="open"),
                name="payment_request_open_newest",
            ),
            # Which invoices are asked for, and for how much.
            models.Index(
                fields=["organization", "invoice", "currency", "amount_requested_minor"],
                condition=Q(status="open"),
                name="payment_request_open",
            ),
            models.Index(fields=["expires_at"], condition=Q(status="open"), name="payment_request_to_expire"),
        ]

    @property
    def document(self) -> Invoice:
        """The invoice that a payment of this request belongs to."""
        return self.invoice

    @property
    def payment_request(self) -> Self:
        """This request, as the request of a payment that its link starts."""
        return self

    def has_expired(self, at: datetime) -> bool:
        """Whether no checkout may begin at this moment; one begun before may still finish (DESIGN R3)."""
        return self.expires_at is not None and self.expires_at <= at
