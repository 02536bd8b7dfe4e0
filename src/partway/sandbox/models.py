"""The tables of the sandbox.

An Account belongs to a merchant. It has Checkouts, each paid at most once; a Checkout has Refunds and Disputes. Every
change of a Checkout stores a Callback in the same transaction. A BalanceEntry is money that the account has earned or
lost, and a Payout sends some of them to its bank. An IdempotentResponse is stored per idempotency key. A Fault happens
a given number of times. Amounts are integer minor units.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import F, Q

from partway.lib.clock import now
from partway.lib.ids import new_id
from partway.lib.links import make_token

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


def api_key() -> str:
    """Returns a new API key, as `sk_sandbox_…`."""
    return f"sk_sandbox_{secrets.token_urlsafe(24)}"


def signing_secret() -> str:
    """Returns a new secret, as `whsec_…`, the form of the Standard Webhooks specification."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


class Account(models.Model):
    """A merchant's account. The key is stored in the clear: it opens play money only."""

    objects: ClassVar[models.Manager[Account]] = models.Manager()
    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "acct"))
    name = models.CharField(max_length=200)
    callback_url = models.URLField(max_length=500)
    api_key = models.CharField(max_length=60, unique=True, default=api_key)
    signing_secret = models.CharField(max_length=60, default=signing_secret)
    charges_enabled = models.BooleanField(default=True)  # False while the company restricts the account
    has_faults = models.BooleanField(default=False)  # False spares each act a look into the table of faults


class Checkout(models.Model):
    """An amount to be paid once."""

    objects: ClassVar[models.Manager[Checkout]] = models.Manager()
    sent_back: RelatedManager[Refund]
    disputed: RelatedManager[Dispute]
    account_id: str

    class Status(models.TextChoices):
        """Open and authorized can still be closed; the last three are final."""

        OPEN = "open"
        AUTHORIZED = "authorized"
        PROCESSING = "processing"
        CAPTURED = "captured"
        CLOSED = "closed"
        FAILED = "failed"

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "co"))
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=500, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    return_url = models.URLField(max_length=1000)
    callback_url = models.URLField(max_length=500)
    methods = models.JSONField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=now)
    changed_at = models.DateTimeField(default=now)
    method = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=200, blank=True)
    confirmation = models.CharField(max_length=40, blank=True)  # of a card that is to be confirmed
    declines = models.PositiveSmallIntegerField(default=0)
    lapses = models.BooleanField(default=False)  # the authorization lapses when it is captured
    refunds = models.CharField(max_length=10, blank=True)  # how they go: of the card that paid
    disputes = models.CharField(max_length=10, blank=True)  # whether it is disputed: of what paid
    disputed_at = models.DateTimeField(null=True)  # when that begins
    settles_at = models.DateTimeField(null=True)
    settle_outcome = models.CharField(max_length=10, blank=True)
    settle_message = models.CharField(max_length=200, blank=True)  # of a debit that will fail
    authorized_minor = models.PositiveBigIntegerField(null=True)
    captured_minor = models.PositiveBigIntegerField(null=True)
    captured_currency = models.CharField(
        max_length=3, blank=True
    )  # as requested, except with the fault wrong_currency
    fee_minor = models.BigIntegerField(
        null=True
    )  # null until the money is captured; in the captured currency
    refunded_minor = models.PositiveBigIntegerField(default=0)
    captures = models.PositiveSmallIntegerField(default=0)  # how often money was taken, for the ledger

    class Meta:
        indexes = (
            models.Index(fields=["account", "changed_at", "id"], name="checkout_changed"),
            models.Index(fields=["expires_at"], condition=Q(status="open"), name="checkout_expiring"),
            models.Index(fields=["settles_at"], condition=Q(status="processing"), name="checkout_settling"),
            models.Index(
                fields=["disputed_at"], condition=Q(disputed_at__isnull=False), name="checkout_disputed"
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(captures__lte=1), name="captured_at_most_once"),
            models.CheckConstraint(
                condition=Q(refunded_minor=0) | Q(refunded_minor__lte=F("captured_minor")),
                name="refunded_at_most_captured",
            ),
        )

    @property
    def page(self) -> str:
        """The last part of its page's address: more than the id, which merchants store in the clear."""
        return make_token(self.id, self.account.signing_secret)

    @property
    def settles_by(self) -> datetime | None:
        """When a bank debit that is processing has its outcome; None in every other status."""
        return self.settles_at if self.status == self.Status.PROCESSING else None


class Refund(models.Model):
    """A refund of part or all of a captured amount."""

    objects: ClassVar[models.Manager[Refund]] = models.Manager()
    checkout_id: str
    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "re"))
    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="sent_back")
    amount_minor = models.PositiveBigIntegerField()
    reference = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, default="succeeded")
    created_at = models.DateTimeField(default=now)
    settles_at = models.DateTimeField(null=True)  # null when nothing changes any more by itself
    settle_outcome = models.CharField(max_length=10, blank=True)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (
            models.Index(
                fields=["settles_at"], condition=Q(settles_at__isnull=False), name="refund_settling"
            ),
        )


class Dispute(models.Model):
    """A dispute of part or all of a captured amount."""

    objects: ClassVar[models.Manager[Dispute]] = models.Manager()
    checkout_id: str
    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "dp"))
    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="disputed")
    status = models.CharField(max_length=10, default="open")
    amount_minor = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=40)
    evidence_due_at = models.DateTimeField(null=True)
    fee_minor = models.PositiveBigIntegerField(default=0)  # in the currency of the captured amount
    created_at = models.DateTimeField(default=now)
    settles_at = models.DateTimeField(null=True)  # null when nothing changes any more by itself
    settle_outcome = models.CharField(max_length=10, blank=True)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (
            models.Index(
                fields=["settles_at"], condition=Q(settles_at__isnull=False), name="dispute_settling"
            ),
        )


class Payout(models.Model):
    """Money sent to the merchant's bank account; `amount_minor` is the sum of its entries."""

    objects: ClassVar[models.Manager[Payout]] = models.Manager()
    account_id: str
    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "pout"))
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, default="pending")  # pending, paid, failed
    arrives_on = models.DateField()
    created_at = models.DateTimeField(default=now)
    changed_at = models.DateTimeField(default=now)
    settles_at = models.DateTimeField(null=True)  # null when nothing changes any more by itself

    class Meta:
        indexes = (
            models.Index(fields=["account", "changed_at", "id"], name="payout_changed"),
            models.Index(
                fields=["settles_at"], condition=Q(settles_at__isnull=False), name="payout_settling"
            ),
        )


class BalanceEntry(models.Model):
    """Money that was added to the account's balance, or taken from it when negative; in the next payout once."""

    objects: ClassVar[models.Manager[BalanceEntry]] = models.Manager()
    checkout_id: str | None
    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "be"))
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, null=True)
    kind = models.CharField(max_length=10)  # payment, refund, dispute, fee, other
    source = models.CharField(max_length=40, blank=True)  # the id of the refund or the dispute
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    payout = models.ForeignKey(Payout, on_delete=models.CASCADE, null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (
            models.Index(
                fields=["account", "currency"], condition=Q(payout__isnull=True), name="entry_waiting"
            ),
        )


class Callback(models.Model):
    """A call to the merchant about a checkout or a payout; its id is the event's."""

    objects: ClassVar[models.Manager[Callback]] = models.Manager()
    checkout_id: str | None
    payout_id: str | None

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "evt"))
    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, null=True)
    payout = models.ForeignKey(Payout, on_delete=models.CASCADE, null=True)
    kind = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField(null=True)  # null when it was sent or has failed permanently
    attempts = models.PositiveSmallIntegerField(default=0)
    deliveries = models.PositiveSmallIntegerField(default=1)
    held_for_reordering = models.BooleanField(default=False)  # the fault callback_out_of_order
    reported_checkout_id = models.CharField(
        max_length=40, blank=True
    )  # one that does not exist: the fault callback_unknown

    class Meta:
        indexes = (models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="callback_due"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(checkout__isnull=False, payout__isnull=True)
                | Q(checkout__isnull=True, payout__isnull=False),
                name="callback_about_one",
            ),
        )

    @property
    def about(self) -> Checkout | Payout:
        """The checkout or the payout."""
        found: Checkout | Payout | None = self.checkout or self.payout
        assert found is not None, "the database holds callback_about_one"  # noqa: S101
        return found

    @property
    def url(self) -> str:
        """Where it is sent: a checkout names its own address."""
        return str(self.checkout.callback_url if self.checkout else self.about.account.callback_url)


class IdempotentResponse(models.Model):
    """The response to an idempotency key, to be sent again."""

    objects: ClassVar[models.Manager[IdempotentResponse]] = models.Manager()
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)  # of method, path and body
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "key"], name="one_answer_per_key"),)


class Fault(models.Model):
    """A fault that happens `left` more times."""

    objects: ClassVar[models.Manager[Fault]] = models.Manager()
    id: int
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    kind = models.CharField(max_length=40)
    act = models.CharField(max_length=10, blank=True)  # empty: any act
    left = models.PositiveSmallIntegerField(default=1)
    delay = models.FloatField(default=3)  # seconds, for callback_late and hang
    delta = models.BigIntegerField(default=-1)  # minor units, for wrong_amount
    currency = models.CharField(max_length=3, default="CAD")  # for wrong_currency
