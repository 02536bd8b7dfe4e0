"""Sends money of an online payment back through its gateway, and brings a pending refund up to date (DESIGN M5, P4).

refund ──> row, allocations and amount due in one transaction ──┐
worker ──> fetch: is it listed, or disputed? ── no ─────────────┴─> call the gateway ──> refund_booking.apply (locked)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from partway.accounts.permissions import Permission, needs
from partway.gateways import protocol
from partway.gateways.protocol import OutcomeUnknown, Refused
from partway.lib.money import Money

from .. import events
from ..checkouts import gateway_calls
from ..checkouts.gateway_calls import FOLLOW_UP_DELAY, CallInProgress
from ..errors import Conflict, FieldError, Invalid, NotRefundable, Stale, field_error
from ..events import CLOCK, Actor
from ..models import Invoice, Payment, Refund
from ..models.refunds import RefundReason
from ..people.payment_modes import MAX_NOTE_LENGTH
from ..receivables import refund_effects
from ..receivables.offline_payments import lock_invoices
from ..receivables.refund_effects import refundable
from . import refund_booking
from .refresh import refresh_payment


@dataclass(frozen=True, slots=True)
class NewRefund:
    """A refund as a member asks for it: `reason` is a RefundReason, `note` is for colleagues.

    `reduces_invoice`: what it takes off an invoice is settled as goodwill there, instead of being due again (M2).
    """

    amount: Money
    reason: str
    note: str = ""
    reduces_invoice: bool = False
    idempotency_key: str | None = None


def unavailable_reason(payment: Payment) -> Conflict | None:
    """Returns the error that `refund` raises now for any amount, or None."""
    if payment.is_offline:
        return Conflict(reason="refund_without_gateway")
    if payment.status != "succeeded":
        return Conflict(reason="refund_without_money")
    return refund_effects.not_refundable(payment)


def field_errors(new_refund: NewRefund, payment: Payment) -> dict[str, FieldError | str]:
    """Returns the error of each wrong field, except for an amount beyond what is left."""
    errors: dict[str, FieldError | str] = {}
    if new_refund.amount.currency != payment.captured_currency:
        errors["amount"] = field_error("currency_mismatch", currency=payment.captured_currency)
    elif new_refund.amount.amount_minor <= 0:
        errors["amount"] = field_error("amount_too_small")
    elif new_refund.amount.amount_minor % (step := gateway_calls.step_of(payment)).amount_minor:
        errors["amount"] = field_error("refund_not_multiple", step=step)
    if new_refund.reason not in RefundReason.values:
        errors["reason"] = field_error("refund_reason_unknown")
    if len(new_refund.note) > MAX_NOTE_LENGTH:
        errors["note"] = field_error("too_many_characters", limit=MAX_NOTE_LENGTH)
    return errors


@needs(Permission.REFUND_PAYMENTS)
def refund(
    payment: Payment,
    *,
    new_refund: NewRefund,
    by: Actor,
    now: datetime,
    expected_standing: str = "",
) -> Refund:
    """Sends part or all of an online payment back; returns the refund: succeeded, failed, or pending (P5).

    It counts from the first moment: the payment's unallocated part goes first, then it is taken off its invoices, the
    latest first, where it is due again or settled as goodwill (M2). No request revives (R4). The same `idempotency_key`
    again returns the refund it began (P8), or raises Conflict when the content differs. Raises Invalid (with fields),
    NotRefundable with what is left, Conflict when the payment holds no money, and Stale when its money is elsewhere
    than the page showed by `refund_effects.standing` (D8).
    """
    row, is_new = _begin(payment, new_refund, by, now, expected_standing)
    if is_new:
        # A gateway that gives no answer leaves it pending, and the worker asks what became of it.
        with suppress(OutcomeUnknown, CallInProgress):
            send(row, now=now)
    return Refund.objects.get(pk=row.pk)


@transaction.atomic(durable=True)
def _begin(
    payment: Payment, new_refund: NewRefund, by: Actor, now: datetime, expected_standing: str = ""
) -> tuple[Refund, bool]:
    """Writes the refund as pending with all that follows from it; returns it, and whether it is new."""
    invoices = lock_invoices(payment)
    by_key = Refund.objects.filter(
        organization=payment.organization_id, idempotency_key=new_refund.idempotency_key
    )
    if new_refund.idempotency_key and (previous := by_key.first()):
        stored = (previous.payment_id, previous.amount, previous.reason, previous.note)
        typed = (payment.pk, new_refund.amount, new_refund.reason, new_refund.note)
        if (*stored, previous.reduces_invoice) != (*typed, new_refund.reduces_invoice):
            raise Conflict(reason="refund_form_used")
        return previous, False
    payment = Payment.objects.select_related("organization", "invoice", "quote").get(pk=payment.pk)
    if not_allowed := unavailable_reason(payment):
        raise not_allowed
    if errors := field_errors(new_refund, payment):
        raise Invalid(errors)
    if refundable(payment) < new_refund.amount:
        raise NotRefundable(left=refundable(payment))
    if expected_standing and expected_standing != refund_effects.standing(payment):
        raise Stale(reason="refund_source_changed")
    return write(payment, new_refund, invoices, by=by, now=now), True


def write(
    payment: Payment,
    new_refund: NewRefund,
    invoices: Mapping[str, Invoice],
    *,
    by: Actor,
    now: datetime,
    voided: Invoice | None = None,
) -> Refund:
    """Writes a checked refund as pending with all that follows from it, and returns it; `send` calls the gateway.

    The caller holds the locks of `lock_invoices`; `voided` as for `refund_effects.deduct`.
    """
    return refund_booking.begin(
        payment,
        new_refund.amount,
        invoices,
        next_refresh_at=now + FOLLOW_UP_DELAY,
        by=by,
        now=now,
        voided=voided,
        reason=new_refund.reason,
        note=new_refund.note,
        reduces_invoice=new_refund.reduces_invoice,
        idempotency_key=new_refund.idempotency_key,
    )


def refresh_refund(refund: Refund, *, now: datetime) -> Refund:
    """Asks the gateway what became of a pending refund, and sends it where it was never received; returns it fresh.

    One whose money was disputed before it was sent fails instead. Safe at any time and any number of times (DESIGN P6).
    Raises OutcomeUnknown when the gateway does not answer, Refused when it does not say.
    """
    # Fetch first: a call without a response may have sent the money (P4), and while one waited that was never sent, the
    # customer's bank may have asked for it.
    refresh_payment(refund.payment, now=now)
    refund = Refund.objects.select_related("payment").get(pk=refund.pk)
    if refund.status == "pending" and not refund.gateway_ref and not _fail_if_disputed(refund, now=now):
        with suppress(CallInProgress):
            send(refund, now=now)
    return Refund.objects.get(pk=refund.pk)


@transaction.atomic(durable=True)
def _fail_if_disputed(refund: Refund, *, now: datetime) -> bool:
    """Ends a refund that is not sent where disputes took beyond what it leaves of the payment; returns whether it did.

    Sent all the same, the customer would have the money twice (M5).
    """
    invoices = lock_invoices(refund.payment)
    fresh = Refund.objects.select_related("payment__organization", "payment__invoice", "payment__quote").get(
        pk=refund.pk
    )
    is_disputed = fresh.payment.disputes.counted().filter(lost_minor__gt=0).exists()
    if not is_disputed or fresh.status != "pending" or fresh.gateway_ref:
        return False
    last_call = fresh.gateway_calls.order_by("-attempt").first()
    if last_call is not None and gateway_calls.may_take_effect(last_call, now=now):
        return False  # nor is it sent again before the gateway can have listed it
    refund_booking.fail(fresh, invoices, code="disputed", message="", by=CLOCK, now=now)
    return True


def send(refund: Refund, *, now: datetime) -> None:
    """Calls the gateway and books its response. Raises OutcomeUnknown or CallInProgress, which leave it pending."""
    try:
        response = gateway_calls.refund(refund, now=now)
    except Refused as refusal:
        _book(refund, (), refusal, now)
    else:
        _book(refund, (response,), None, now)


@transaction.atomic(durable=True)
def _book(
    refund: Refund, reported: Sequence[protocol.Refund], refusal: Refused | None, now: datetime
) -> None:
    """Books a response under the locks of the payment; a callback may have booked the same before."""
    invoices = lock_invoices(refund.payment)
    rows = Payment.objects.select_related("gateway_account", "organization", "invoice", "quote")
    payment = rows.get(pk=refund.payment_id)
    by = events.gateway_actor(gateway_calls.gateway_account_for(payment).gateway)
    refund_booking.apply(payment, reported, invoices, by=by, now=now)
    if refusal is None:
        return
    fresh = Refund.objects.get(pk=refund.pk)
    if fresh.status == "pending" and not fresh.gateway_ref:
        fresh.payment = payment
        code, message = refusal.code, refusal.message[:300]
        refund_booking.fail(fresh, invoices, code=code, message=message, by=by, now=now)
