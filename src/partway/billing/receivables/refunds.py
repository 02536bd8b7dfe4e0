"""Records money that was given back by hand, in cash or by transfer (DESIGN M8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter

from django.db import transaction

from partway.accounts.permissions import Permission, needs
from partway.lib import clock
from partway.lib.money import Money

from .. import events
from ..errors import Conflict, FieldError, Invalid, Stale, field_error
from ..events import Actor
from ..models import Customer, Invoice, Payment, Refund
from ..models.payments import PaymentQuerySet
from ..people import payment_modes
from ..states import move
from . import credit, deductions, refund_effects
from .offline_payments import lock_invoices
from .refund_effects import refundable

MAX_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class OutsideRefund:
    """Money given back as a member records it; `method` is a payment mode.

    `reduces_invoice`: what it takes off an invoice is settled as goodwill there, instead of being due again (M2).
    """

    amount: Money
    method: str
    refunded_on: date
    reference: str = ""
    note: str = ""
    reduces_invoice: bool = False
    idempotency_key: str | None = None
    reason: str = ""


def unavailable_reason(payment: Payment) -> Conflict | None:
    """Returns the error that `record` raises now for any refund of this payment, or None."""
    if payment.status != "succeeded":
        return Conflict(reason="refund_without_money")
    return refund_effects.not_refundable(payment)


def detail_errors(
    refund: OutsideRefund,
    customer: Customer,
    payment: Payment | None,
    today: date,
    *,
    voided: Invoice | None = None,
) -> dict[str, FieldError | str]:
    """Returns the error of each wrong field besides the amount; `voided` as for `refund_effects.deduct`."""
    errors = payment_modes.detail_errors(
        customer.organization,
        today=today,
        method=refund.method,
        paid_on=refund.refunded_on,
        reference=refund.reference,
        note=refund.note,
    )
    if "paid_on" in errors:
        errors["refunded_on"] = errors.pop("paid_on")
        return errors
    if refund.refunded_on == today:
        return errors
    minor = refund.amount.amount_minor
    # No money can have been given back before it was there: of credit the latest of its payments decides.
    if payment is None:
        sources = [(source, [("", part)]) for source, part in credit_parts(customer, refund.amount)]
    else:
        sources = [(payment, [(voided.pk, minor)] if voided else deductions.parts(payment, minor))]
    zone, first = customer.organization.time_zone, refund.refunded_on
    paid_on = max((source.day(zone) for source, _parts in sources), default=first)
    since = max((refund_effects.earliest_day(source, parts) for source, parts in sources), default=first)
    if first < paid_on:
        errors["refunded_on"] = field_error("refund_before_payment", paid_on=paid_on)
    elif first < since:
        errors["refunded_on"] = field_error("refund_before_credit", since=since)
    return errors


@needs(Permission.REFUND_PAYMENTS)
@transaction.atomic(durable=True)
def record(
    customer: Customer,
    *,
    refund: OutsideRefund,
    by: Actor,
    now: datetime,
    payment: Payment | None = None,
    expected_standing: str = "",
) -> list[Refund]:
    """Records what was given back of a payment, or without one of the customer's credit, the oldest first.

    Of a payment its credit goes first; what still stands on invoices is taken off them, the latest first, and is due
    again there, or settled as goodwill. A deposit that waits for its invoice is none any more, since it is always paid
    in full (D1): what is kept of it is credit, and while its quote is accepted the deposit is due again. The same
    `idempotency_key` again returns the refunds it recorded (P8), or raises Conflict when the content differs. Raises
    Invalid (with fields) when more is given back than is left, Conflict when the payment holds no money, and Stale when
    the money is elsewhere than the page showed by `standing` (D8).
    """
    # Locks the customer first: no other act may spend or free the same money at the same moment.
    customer = Customer.objects.locked(customer.pk)
    by_key = Refund.objects.filter(
        organization=customer.organization_id, idempotency_key=refund.idempotency_key
    )
    if refund.idempotency_key and (previous := list(by_key.order_by("pk"))):
        if not _is_same(previous, customer, refund, payment):
            raise Conflict(reason="refund_form_used")
        return previous
    invoices: dict[str, Invoice] = {}
    if payment is not None:
        # Its quote too, and the invoice that takes a deposit when it is sent: whether it waits is decided once.
        invoices = lock_invoices(payment)
        payment = Payment.objects.select_related("invoice", "quote").get(pk=payment.pk)
        if not_allowed := unavailable_reason(payment):
            raise not_allowed
    errors = detail_errors(refund, customer, payment, clock.today(now, customer.organization.time_zone))
    if wrong := _amount_error(refund.amount, customer, payment):
        errors["amount"] = wrong
    if errors:
        raise Invalid(errors)
    if expected_standing and expected_standing != standing(customer, refund.amount.currency, payment):
        raise Stale(reason="refund_source_changed")
    parts = [(payment, refund.amount.amount_minor)] if payment else credit_parts(customer, refund.amount)
    return [write(source, refund, minor, invoices, by=by, now=now) for source, minor in parts]


def standing(customer: Customer, currency: str, payment: Payment | None) -> str:
    """Returns where the money of a payment is, or which payments the customer's credit is from, as one text.

    It is another once any of it has moved.
    """
    if payment is not None:
        return refund_effects.standing(payment)
    return " ".join(f"{each.pk}:{each.spendable_minor}" for each in _credit(customer, currency))


def credit_parts(customer: Customer, amount: Money) -> list[tuple[Payment, int]]:
    """Returns the payments that so much of the customer's credit is taken of, the oldest first, with minor units."""
    left, parts = amount.amount_minor, []
    for source in _credit(customer, amount.currency):
        if part := min(left, source.spendable_minor):
            parts.append((source, part))
            left -= part
    return parts


def _credit(customer: Customer, currency: str) -> PaymentQuerySet:
    return credit.payments_with_credit(customer).filter(captured_currency=currency)


def _is_same(
    previous: list[Refund], customer: Customer, refund: OutsideRefund, payment: Payment | None
) -> bool:
    first = previous[0]
    content = attrgetter("method", "refunded_on", "reference", "note", "reduces_invoice", "reason")
    amount = Money(sum(row.amount_minor for row in previous), first.currency)
    of = {row.payment.document.customer_id for row in previous}
    same_payment = payment is None or [row.payment_id for row in previous] == [payment.pk]
    stands = all(row.status == "succeeded" for row in previous)
    same_content = (amount, content(first)) == (refund.amount, content(refund))
    return stands and same_payment and of == {customer.pk} and same_content


def _amount_error(amount: Money, customer: Customer, payment: Payment | None) -> FieldError | None:
    if payment is None:
        left = Money(
            sum(each.spendable_minor for each in _credit(customer, amount.currency)), amount.currency
        )
    else:
        left = refundable(payment)
    if amount.currency != left.currency:
        return field_error("currency_mismatch", currency=left.currency)
    if amount.amount_minor <= 0:
        return field_error("amount_too_small")
    if left < amount:
        code = "amount_exceeds_credit" if payment is None else "amount_exceeds_payment"
        return field_error(code, credit=left)
    return None


def write(
    payment: Payment,
    refund: OutsideRefund,
    part_minor: int,
    invoices: Mapping[str, Invoice],
    *,
    by: Actor,
    now: datetime,
    voided: Invoice | None = None,
) -> Refund:
    """Writes so much of a checked refund as one of this payment, with all that follows from it, and returns it.

    The caller holds the locks of `lock_invoices`; `voided` as for `refund_effects.deduct`.
    """
    row = Refund.objects.create(
        organization_id=payment.organization_id,
        payment=payment,
        status="succeeded",
        mode="offline",
        amount_minor=part_minor,
        currency=payment.captured_currency,
        method=refund.method,
        refunded_on=refund.refunded_on,
        reference=refund.reference,
        note=refund.note,
        reduces_invoice=refund.reduces_invoice,
        reason=refund.reason,
        idempotency_key=refund.idempotency_key,
        created_at=now,
    )
    data = {
        **refund_effects.deduct(row, invoices, by=by, now=now, voided=voided),
        "method": row.method,
        "refunded_on": row.refunded_on.isoformat(),
        "from": "pending",
        "to": "succeeded",
    }
    events.record("refund.succeeded", row, by=by, now=now, data=data)
    return row


@needs(Permission.REFUND_PAYMENTS)
@transaction.atomic(durable=True)
def reverse(refund: Refund, *, reason: str, by: Actor, now: datetime) -> Refund:
    """Takes back a refund that was recorded by mistake: the money is the customer's credit.

    It does not return to an invoice by itself, because another payment may be there by now. Returns a refund that is
    reversed already unchanged. Raises Conflict for one at the gateway, Invalid without a reason.
    """
    if refund.mode != "offline":
        raise Conflict(reason="reverse_gateway_refund")
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON_LENGTH:
        raise Invalid({"reason": field_error("reversal_reason", limit=MAX_REASON_LENGTH)})
    refund = Refund.objects.select_related("payment__invoice", "payment__quote").get(pk=refund.pk)
    Customer.objects.locked(refund.payment.document.customer_id)
    refund.refresh_from_db(fields=["status"])
    if refund.status == "reversed":
        return refund
    move(refund, "reversed", by=by, now=now, data={**refund.event_data, "reason": reason})
    # Its units are credit, which covers a loss before any invoice does, so that none has to be locked.
    refund_effects.restore(refund, {}, puts_back=False, by=by, now=now)
    return refund
