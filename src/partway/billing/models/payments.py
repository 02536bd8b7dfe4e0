"""Payments, and their allocations to invoices."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import GatewayAccount, Organization
from partway.lib import clock
from partway.lib.money import Money
from partway.lib.sealing import seal, unseal

from .customers import Customer
from .fields import FeeColumns, MoneyOf, OrganizationQuerySet, fee_when, id_field
from .invoices import Invoice
from .parties import IssuedModel, parties_when
from .payment_requests import PaymentRequest
from .quotes import Quote
from .search_index import SearchIndex
from .text_keys import SearchKeyField, TextKeyModel


class PaymentStatus(models.TextChoices):
    """The stored states of a payment; refunded and disputed are derived."""

    PENDING = "pending", _("Waiting for the customer")
    AUTHORIZED = "authorized", _("Authorized")
    CAPTURING = "capturing", _("Being captured")
    PROCESSING = "processing", _("Processing")
    RELEASING = "releasing", _("Being released")
    CLOSING = "closing", _("Being closed")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")
    REVERSED = "reversed", _("Reversed")


UNSETTLED = ("pending", "authorized", "capturing", "processing", "releasing", "closing")
# The same in the form for which SQLite takes the index of these rows: it does not compare the values of lists.
_IS_UNSETTLED = reduce(or_, (Q(status=each) for each in UNSETTLED))
# What P1 allows once per document. A debit that its document does not want leaves it free for days on end: it ends as
# credit or not at all, so nothing waits for it (P3).
UNDER_WAY = Q(status__in=("pending", "authorized", "capturing", "releasing", "closing")) | Q(
    status="processing", accepted=True
)
UNWANTED = Q(status="processing", accepted=False)
RECEIVED_STATUSES = ("succeeded", "reversed")  # money came in, though a check may have bounced later


_HAS_SPENDABLE = Q(
    status="succeeded",
    captured_minor__gt=F("allocated_minor") + F("refunded_minor") + F("frozen_minor") + F("lost_minor"),
)


# Of which a part was given back, or is or was disputed.
HAS_GONE = Q(refunded_minor__gt=0) | Q(frozen_minor__gt=0) | Q(lost_minor__gt=0)


class PaymentQuerySet(OrganizationQuerySet["Payment"]):
    """The vocabulary for payments."""

    def unsettled(self) -> PaymentQuerySet:
        """Whose outcome is not known yet."""
        return self.filter(_IS_UNSETTLED)

    def under_way(self) -> PaymentQuerySet:
        """Which their document waits for, at most one of each: unsettled, without unwanted debits (DESIGN P1)."""
        return self.filter(UNDER_WAY)

    def unwanted(self) -> PaymentQuerySet:
        """Debits that a bank moves although their document does not take the money: credit once they settle (P3)."""
        return self.filter(UNWANTED)

    def committed(self) -> PaymentQuerySet:
        """Holding money: being captured, or accepted while a bank moves it (DESIGN section 4)."""
        return self.filter(Q(status="capturing") | Q(status="processing", accepted=True))

    def succeeded(self) -> PaymentQuerySet:
        """Money that came in."""
        return self.filter(status=PaymentStatus.SUCCEEDED)

    def with_spendable(self) -> PaymentQuerySet:
        """Of which a part is on no invoice and in no dispute: credit, or a deposit that waits for its invoice."""
        return self.filter(_HAS_SPENDABLE)

    def deposits(self) -> PaymentQuerySet:
        """Deposits that came in and were accepted; one that was not is the customer's credit (P3).

        Without those that were given back, and with them what was kept of those.
        """
        return self.succeeded().filter(quote__isnull=False, accepted=True, deposit_given_back=False)

    def waiting_deposits(self) -> PaymentQuerySet:
        """Deposits that are reserved for the invoice of their quote, which is not sent yet (DESIGN D2)."""
        return self.succeeded().filter(_is_waiting_deposit())

    def of_customer(self, customer: Customer) -> PaymentQuerySet:
        """Those of the invoices and quotes of this customer."""
        # Found by the indexes of both, and not by one condition over both, for which every payment would be asked.
        of_invoices = Payment.objects.filter(invoice__customer=customer).values("pk")
        of_quotes = Payment.objects.filter(quote__customer=customer).values("pk")
        return self.filter(pk__in=of_invoices.union(of_quotes, all=True))

    def without_waiting_deposits(self) -> PaymentQuerySet:
        """The others; what is unallocated of them is credit."""
        return self.exclude(_is_waiting_deposit())


def _is_waiting_deposit() -> Q:
    # A deposit is put on an invoice once (D2): after that invoice was voided, it is credit and waits for no other.
    allocated_once = Exists(Allocation.objects.filter(payment=OuterRef("pk"), cause="deposit"))
    invoice_is_draft = Exists(Invoice.objects.filter(quote=OuterRef("quote"), status="draft"))
    is_deposit = Q(accepted=True, deposit_given_back=False)
    return is_deposit & ~allocated_once & (Q(quote__status="accepted") | invoice_is_draft)


class Payment(IssuedModel, TextKeyModel, FeeColumns):
    """One attempt to collect `amount_minor`; `captured_minor` is what the gateway says it took (DESIGN M4)."""

    id = id_field("pay")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payments")
    # Of an invoice, or of a quote's deposit: one of the two.
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="payments")
    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, null=True, related_name="payments")
    # Empty when the customer pays the whole invoice by Pay Now.
    payment_request = models.ForeignKey(
        PaymentRequest, on_delete=models.PROTECT, null=True, related_name="payments"
    )
    # Empty for an offline payment, which a member recorded.
    gateway_account = models.ForeignKey(
        GatewayAccount, on_delete=models.PROTECT, null=True, related_name="payments"
    )
    status = models.CharField(max_length=12, choices=PaymentStatus.choices, default=PaymentStatus.PENDING)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # Whether the document can take it: decided while a bank moves the money (P3), finally when it is booked.
    accepted = models.BooleanField(null=True)
    captured_minor = models.BigIntegerField(null=True)
    captured_currency = models.CharField(max_length=3, blank=True, default="")
    # The sum of its allocations, so that the database itself keeps a payment from being put in two places (M3).
    allocated_minor = models.BigIntegerField(default=0)
    # The sum of its refunds that are pending or succeeded, for the same reason (M5).
    refunded_minor = models.BigIntegerField(default=0)
    # The sum of its open disputes: their units stay where they are, but cannot be given back or spent (M3, M5).
    frozen_minor = models.BigIntegerField(default=0)
    # The sum of its lost disputes, as far as it had money for them: neither allocated nor credit any more.
    lost_minor = models.BigIntegerField(default=0)
    # Set for ever, also when the refund is reversed or the lost dispute is won: by then another payment may be the
    # deposit of the quote.
    deposit_given_back = models.BooleanField(default=False)
    checkout_ref = models.CharField(max_length=200, blank=True, default="")
    # The checkout's address is a payment link too: stored sealed, so that a dump of the database opens nothing (R8).
    sealed_checkout_url = models.TextField(blank=True, default="")
    method = models.CharField(max_length=40, blank=True, default="")
    failure_code = models.CharField(max_length=60, blank=True, default="")
    failure_message = models.CharField(max_length=300, blank=True, default="")
    # Of an offline payment: the check's number, …
    reference = models.CharField(max_length=120, blank=True, default="")
    note = models.CharField(max_length=400, blank=True, default="")
    paid_on = models.DateField(null=True)
    search_key = SearchKeyField("reference", "note")
    # The one-time key of the form it was recorded with, so that a double click records it once (DESIGN P8).
    idempotency_key = models.CharField(max_length=40, null=True)
    payer_ip = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    # When the gateway expects to know the outcome, once a bank moves the money; empty where it does not say.
    settles_by = models.DateTimeField(null=True)
    # When the authorization lapses unless it is captured; empty where the gateway does not say.
    authorized_until = models.DateTimeField(null=True)
    # When the worker fetches the payment next, and how many times it has.
    next_refresh_at = models.DateTimeField()
    refresh_count = models.PositiveIntegerField(default=0)

    amount = MoneyOf("amount_minor")  # the amount requested from the gateway

    searched_through: ClassVar = ("invoice", "quote")
    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"], name="payment_once_per_idempotency_key"
            ),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=UNDER_WAY,
                name="one_unsettled_payment_per_invoice",
            ),
            models.UniqueConstraint(
                fields=["quote"],
                condition=UNDER_WAY,
                name="one_unsettled_payment_per_quote",
            ),
            models.UniqueConstraint(
                fields=["quote"],
                condition=Q(status="succeeded", accepted=True, deposit_given_back=False),
                name="one_deposit_per_quote",
            ),
            models.CheckConstraint(
                condition=Q(deposit_given_back=False) | Q(quote__isnull=False, accepted=True),
                name="payment_given_back_was_deposit",
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, quote__isnull=True)
                | Q(invoice__isnull=True, quote__isnull=False, payment_request__isnull=True),
                name="payment_of_one_document",
            ),
            models.UniqueConstraint(
                fields=["gateway_account", "checkout_ref"],
                condition=~Q(checkout_ref=""),
                name="one_payment_per_checkout",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
            # Neither wanted nor unwanted would escape both P1 and the alert.
            models.CheckConstraint(
                condition=~Q(status="processing") | Q(accepted__isnull=False),
                name="payment_processing_is_decided",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=RECEIVED_STATUSES, captured_minor__isnull=False, settled_at__isnull=False
                )
                | (~Q(status__in=RECEIVED_STATUSES) & Q(captured_minor__isnull=True)),
                name="payment_captured_when_succeeded",
            ),
            parties_when("payment", issued=Q(status__in=RECEIVED_STATUSES)),
            models.CheckConstraint(
                condition=Q(allocated_minor=0, refunded_minor=0, lost_minor=0)
                | Q(
                    status="succeeded",
                    allocated_minor__gte=0,
                    refunded_minor__gte=0,
                    lost_minor__gte=0,
                    captured_minor__gte=F("allocated_minor") + F("refunded_minor") + F("lost_minor"),
                ),
                name="payment_allocated_within_captured",
            ),
            # Beside the one above: frozen units are allocated or unallocated, so they are not in that sum.
            models.CheckConstraint(
                condition=Q(frozen_minor=0)
                | Q(
                    status="succeeded",
                    frozen_minor__gte=0,
                    captured_minor__gte=F("frozen_minor") + F("refunded_minor") + F("lost_minor"),
                ),
                name="payment_frozen_within_captured",
            ),
            models.CheckConstraint(
                condition=~Q(status="reversed") | Q(gateway_account__isnull=True),
                name="payment_reversed_only_offline",
            ),
            fee_when("payment_fee_of_gateway", Q(gateway_account__isnull=False)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_refresh_at", "id"], condition=_IS_UNSETTLED, name="payment_to_check"),
            SearchIndex(name="payment_search"),
            models.Index(fields=["organization", "checkout_ref"], name="payment_by_checkout_ref"),
            models.Index(fields=["payer_ip", "created_at"], name="payment_by_address"),
            # The list of the API.
            models.Index(fields=["organization", "-created_at", "-id"], name="payment_newest"),
            # The list of payments: offline ones by the day that was typed, others by the moment that decides their day.
            models.Index(
                fields=["organization", "-paid_on", "-created_at", "-id"],
                condition=Q(paid_on__isnull=False),
                name="payment_by_paid_on",
            ),
            models.Index(
                F("organization"),
                Coalesce("settled_at", "created_at").desc(),
                F("id").desc(),
                condition=Q(paid_on__isnull=True),
                name="payment_by_moment",
            ),
            # All that the totals of the list read, and nothing else: with the id or the moment in it, SQLite would sort
            # this index instead of reading the one that is sorted.
            models.Index(
                fields=[
                    *("organization", "status", "currency", "captured_currency", "captured_minor", "paid_on"),
                    *("fee_minor", "fee_currency"),
                ],
                name="payment_figures",
            ),
            # Filters of the list.
            models.Index(fields=["organization", "method"], name="payment_by_method"),
            models.Index(
                fields=["organization", "captured_currency", "captured_minor"], name="payment_by_captured"
            ),
            models.Index(
                fields=["organization", "currency", "amount_minor"],
                condition=Q(captured_minor__isnull=True),
                name="payment_by_amount",
            ),
            models.Index(fields=["organization"], condition=HAS_GONE, name="payment_gone"),
            models.Index(
                fields=["organization"],
                condition=Q(paid_on__isnull=True, gateway_account__isnull=True),
                name="payment_without_gateway_day",
            ),
            # The few payments of which something is left, which is their customers' credit.
            models.Index(fields=["organization"], condition=_HAS_SPENDABLE, name="payment_with_credit"),
        ]

    def day(self, time_zone: str) -> date:
        """Returns the day on which it was paid in `time_zone`; of an attempt that took nothing, when it began."""
        return self.paid_on or clock.today(self.settled_at or self.created_at, time_zone)

    @property
    def document(self) -> Invoice | Quote:
        """The invoice, or the quote whose deposit it is."""
        document = self.invoice or self.quote
        assert document is not None, "the database holds payment_of_one_document"  # noqa: S101
        return document

    @document.setter
    def document(self, document: Invoice | Quote) -> None:
        """Replaces the related object, as by the same row read under its lock."""
        setattr(self, document.kind, document)

    @property
    def customer(self) -> Customer:
        """The customer of its document."""
        return self.document.customer

    @property
    def source(self) -> PaymentRequest | Invoice | Quote:
        """The request, invoice or quote whose link started it."""
        return self.payment_request or self.document

    @property
    def captured(self) -> Money | None:
        """The amount that the gateway says it took, or None while nothing was taken."""
        if self.captured_minor is None:
            return None
        return Money(self.captured_minor, self.captured_currency)

    @property
    def net(self) -> Money | None:
        """The captured amount less the fee; None while one of them is unknown, and where their currencies differ."""
        captured, fee = self.captured, self.fee
        if captured is None or fee is None or fee.currency != captured.currency:
            return None
        return captured - fee

    @property
    def held_minor(self) -> int:
        """The part that is here: neither given back nor lost in a dispute."""
        return (self.captured_minor or 0) - self.refunded_minor - self.lost_minor

    @property
    def refundable_minor(self) -> int:
        """The part that can be given back: held, and in no open dispute (DESIGN M5)."""
        return self.held_minor - self.frozen_minor

    @property
    def unallocated_minor(self) -> int:
        """The part that is here and on no invoice: credit, or a deposit that waits for its invoice."""
        return self.held_minor - self.allocated_minor

    @property
    def spendable_minor(self) -> int:
        """The unallocated part that no open dispute freezes, which takes of the unallocated part first."""
        return max(0, self.unallocated_minor - self.frozen_minor)

    @property
    def checkout_url(self) -> str:
        """The page of the gateway where the customer pays; empty until the checkout is open."""
        if not self.sealed_checkout_url:
            return ""
        return unseal(self.sealed_checkout_url, settings.PARTWAY_SECRET_KEYS)["url"]

    @checkout_url.setter
    def checkout_url(self, url: str) -> None:
        self.sealed_checkout_url = seal({"url": url}, settings.PARTWAY_SECRET_KEYS)

    @property
    def is_committed(self) -> bool:
        """Whether it holds money against its document."""
        return self.status == PaymentStatus.CAPTURING or bool(
            self.status == PaymentStatus.PROCESSING and self.accepted
        )

    @property
    def is_unwanted(self) -> bool:
        """Whether a bank moves the money although its document does not take it."""
        return self.status == PaymentStatus.PROCESSING and self.accepted is False

    @property
    def is_offline(self) -> bool:
        """Whether a member recorded it; then it has no gateway."""
        return self.gateway_account_id is None

    @property
    def is_deposit(self) -> bool:
        """Whether it is a quote's deposit that came in, was accepted, and was not given back."""
        is_accepted = bool(self.quote_id and self.status == PaymentStatus.SUCCEEDED and self.accepted)
        return is_accepted and not self.deposit_given_back

    @property
    def is_unsettled(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.status in UNSETTLED


class AllocationCause(models.TextChoices):
    """Why a part of a payment was allocated to an invoice, or deallocated."""

    PAYMENT = "payment", _("Payment")
    DEPOSIT = "deposit", _("Deposit of the quote")
    CREDIT = "credit", _("From credit")
    REVERSED = "reversed", _("Payment reversed")
    EDITED = "edited", _("The invoice was lowered")
    RELEASED = "released", _("Moved to credit")
    REFUNDED = "refunded", _("Given back")
    RESTORED = "restored", _("The refund failed")
    DISPUTED = "disputed", _("Dispute lost")
    REINSTATED = "reinstated", _("Lost dispute won after all")


ALLOCATING_CAUSES = ("payment", "deposit", "credit", "restored", "reinstated")
DEALLOCATING_CAUSES = ("reversed", "edited", "released", "refunded", "disputed")
_OF_REFUND, _OF_DISPUTE = Q(cause__in=("refunded", "restored")), Q(cause__in=("disputed", "reinstated"))


class Allocation(models.Model):
    """A part of a payment on an invoice; negative when it is deallocated. Never changed."""

    id = id_field("all")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    # The refund that took it off the invoice, or that failed and put it back there; few allocations have one.
    refund = models.ForeignKey(
        "Refund", on_delete=models.PROTECT, null=True, related_name="allocations", db_index=False
    )
    # The dispute that was lost, or was won after it had been lost.
    dispute = models.ForeignKey(
        "Dispute", on_delete=models.PROTECT, null=True, related_name="allocations", db_index=False
    )
    cause = models.CharField(max_length=10, choices=AllocationCause.choices, default=AllocationCause.PAYMENT)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(cause__in=ALLOCATING_CAUSES, amount_minor__gt=0)
                | Q(cause__in=DEALLOCATING_CAUSES, amount_minor__lt=0),
                name="allocation_sign_fits_cause",
            ),
            models.CheckConstraint(
                condition=_OF_REFUND & Q(refund__isnull=False) | ~_OF_REFUND & Q(refund__isnull=True),
                name="allocation_of_refund",
            ),
            models.CheckConstraint(
                condition=_OF_DISPUTE & Q(dispute__isnull=False) | ~_OF_DISPUTE & Q(dispute__isnull=True),
                name="allocation_of_dispute",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["refund"], condition=Q(refund__isnull=False), name="allocation_by_refund"),
            models.Index(
                fields=["dispute"], condition=Q(dispute__isnull=False), name="allocation_by_dispute"
            ),
        ]
