"""Sends the receipt of a payment again."""

from __future__ import annotations

from datetime import datetime
from itertools import chain

from django.db import transaction

from partway.accounts.permissions import Permission, needs

from .. import events, outbox
from ..errors import BillingError, Conflict
from ..events import Actor
from ..models import Mail, Payment

# The figures of a receipt in the event of its booking, of which each kind of payment has some (minor units).
_STAGES = (
    *("total_minor", "paid_before_minor", "allocated_minor"),
    *("adjusted_minor", "amount_due_minor", "deposit_minor"),
)


def unavailable_reason(payment: Payment) -> BillingError | None:
    """Returns the error that `resend` raises now, or None."""
    if payment.status == "succeeded":
        return None
    return Conflict(reason="receipt_reversed" if payment.status == "reversed" else "receipt_without_money")


@needs(Permission.SEND_RECEIPTS)
@transaction.atomic(durable=True)
def resend(payment: Payment, *, by: Actor, now: datetime, idempotency_key: str | None = None) -> Mail:
    """Queues the receipt to those who would get it now; it says what it said, however much came or went since.

    Once for each `idempotency_key` (P8): again, it returns the mail of the first time. Raises Conflict
    for a payment that took no money or was reversed, RateLimited.
    """
    if previous := events.by_idempotency_key(payment.organization, idempotency_key):
        return previous.mails.get()
    # No lock: a payment that is reversed meanwhile has no valid receipt when the mail leaves, and it is dropped.
    payment = Payment.objects.select_related("invoice", "quote", "payment_request").get(pk=payment.pk)
    if not_allowed := unavailable_reason(payment):
        raise not_allowed
    booked = payment.events.filter(type__in=("payment.succeeded", "payment.recorded"))
    data = booked.values_list("data", flat=True).get()
    to = list(chain(*outbox.receipt_recipients(payment.document, payment.payment_request)))
    event = events.record(
        "payment.receipt_resent", payment, by=by, now=now, data={"to": to}, idempotency_key=idempotency_key
    )
    return outbox.queue_receipt(payment, event, {name: data[name] for name in _STAGES if name in data})
