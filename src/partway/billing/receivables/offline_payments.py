"""Records payments by cash, check or transfer, and reverses one that bounced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib import clock
from partway.lib.money import Money

from .. import events, outbox, parties
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, FieldError, Invalid, InvoiceNotSent, TooLate, field_error
from ..events import Actor
from ..ledger import adjustments, allocations
from ..models import Customer, Event, Invoice, Payment, Quote
from ..people import payment_modes
from ..states import move
from . import amount_due, settlements
from .settlements import Settlement

MAX_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class OfflineDetails:
    """How and when a payment came in by cash, check or transfer, as a member records it.

    A day before the invoice was issued, or the quote was sent, is accepted only with `paid_before_issue`.
    """

    method: str
    paid_on: date
    reference: str = ""
    note: str = ""
    idempotency_key: str | None = None
    paid_before_issue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflinePayment(OfflineDetails):
    """A payment on an invoice; more than is due is accepted only with `keep_rest_as_credit`.

    `settlement`: settles what is due after it, as a fee that the bank kept, and the invoice is paid.
    """

    amount: Money
    send_receipt: bool = False
    keep_rest_as_credit: bool = False
    settlement: Settlement | None = None


def unavailable_reason(invoice: Invoice) -> InvoiceNotSent | TooLate | None:
    """Returns the error that `record` raises now for any payment, or None."""
    if invoice.status in allocations.ALLOCATABLE_STATUSES:
        return None
    error = TooLate if invoice.status == "paid" else InvoiceNotSent
    return error(reason=f"payment_on_{invoice.status}")


def detail_errors(
    details: OfflineDetails, organization: Organization, today: date
) -> dict[str, FieldError | str]:
    """Returns the error of each wrong field besides the amount."""
    return {
        **payment_modes.detail_errors(
            organization,
            today=today,
            method=details.method,
            paid_on=details.paid_on,
            reference=details.reference,
            note=details.note,
        )
    }


def write_received(
    document: Invoice | Quote,
    details: OfflineDetails,
    amount: Money,
    *,
    stages: dict[str, int],
    by: Actor,
    now: datetime,
    told: Mapping[str, object] = MappingProxyType({}),
) -> tuple[Payment, Event]:
    """Writes a payment that a member received, settled at once, with the parties of its receipt (D9), and its event.

    stages: the figures of its receipt in minor units; the caller allocates `allocated_minor` of them.
    told: what the event says besides.
    """
    issued = parties.freeze(document.organization, document.customer)
    payment = document.payments.create(
        organization=document.organization,
        status="succeeded",
        accepted=True,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        captured_minor=amount.amount_minor,
        captured_currency=amount.currency,
        allocated_minor=stages["allocated_minor"],
        method=details.method,
        paid_on=details.paid_on,
        reference=details.reference,
        note=details.note,
        idempotency_key=details.idempotency_key,
        created_at=now,
        settled_at=now,
        next_refresh_at=now,
        **issued,
    )
    data = {"amount_minor": amount.amount_minor, "currency": amount.currency, "method": details.method}
    data |= {**stages, **told, **parties.event_data(issued), "from": "pending", "to": "succeeded"}
    event = events.record("payment.recorded", payment, by=by, now=now, data=data)
    return payment, event


def previous_payment(offline: OfflineDetails, organization: Organization) -> Payment | None:
    """Returns the payment that was recorded with the key of this form, if any.

    Asked under the document's lock, so that the second of two clicks waits and finds the payment of the first (P8).
    """
    if not offline.idempotency_key:
        return None
    return Payment.objects.filter(organization=organization, idempotency_key=offline.idempotency_key).first()


@needs(Permission.RECORD_PAYMENTS)
@closes_checkouts
def record(invoice: Invoice, *, offline: OfflinePayment, by: Actor, now: datetime) -> Payment:
    """Books a payment that a member received, and cancels an open request that no longer fits (DESIGN R7).

    The same `idempotency_key` again returns the payment it recorded (P8), or raises Conflict when the content differs.
    Raises Invalid (with fields), InvoiceNotSent, TooLate when the invoice is paid, PaymentInProgress when a committed
    online payment would no longer fit.
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if previous := previous_payment(offline, invoice.organization):
        if previous.status != "succeeded" or not _is_same(previous, invoice, offline):
            raise Conflict(reason="payment_form_used", amount=previous.amount)
        return previous
    if not_allowed := unavailable_reason(invoice):
        raise not_allowed
    if errors := _field_errors(invoice, offline, now):
        raise Invalid(errors)
    allocated_minor = allocations.allocatable(invoice, offline.amount)
    settlement = offline.settlement
    rest_minor = invoice.amount_due_minor - allocated_minor if settlement else 0
    stages = {
        "total_minor": invoice.total_minor,
        "paid_before_minor": invoice.amount_paid_minor,
        "allocated_minor": allocated_minor,
        "adjusted_minor": invoice.adjusted_minor + rest_minor,
        "amount_due_minor": invoice.amount_due_minor - allocated_minor - rest_minor,
    }
    told = {"settlement": settlement.event_data} if settlement else {}
    payment, event = write_received(
        invoice, offline, offline.amount, stages=stages, told=told, by=by, now=now
    )
    allocations.record_allocation(payment, invoice, allocated_minor, cause="payment", now=now)
    if settlement and rest_minor:
        adjustments.settle(
            invoice,
            rest_minor,
            reason=settlement.reason,
            note=settlement.note,
            by=by,
            now=now,
            idempotency_key=offline.idempotency_key,
        )
    if offline.send_receipt:
        outbox.queue_receipt(payment, event, stages)
    # Raises when a committed online payment no longer fits, which rolls back all of the above (R7).
    amount_due.apply_effects(invoice, reason="offline_payment", by=by, now=now)
    return payment


def _field_errors(invoice: Invoice, offline: OfflinePayment, now: datetime) -> dict[str, FieldError | str]:
    """Returns what is wrong with the fields of the form, by field."""
    time_zone = invoice.organization.time_zone
    errors = detail_errors(offline, invoice.organization, clock.today(now, time_zone))
    if wrong := _amount_error(invoice, offline):
        errors["amount"] = wrong
    elif offline.settlement and offline.amount < invoice.amount_due:
        rest = invoice.amount_due - offline.amount
        errors |= settlements.field_errors(offline.settlement, rest, invoice.total)
    issued_on = clock.today(invoice.sent_at or invoice.created_at, time_zone)
    if not errors and offline.paid_on < issued_on and not offline.paid_before_issue:
        # Asked when all else is right: a payment in advance is rare, another year or month is an easy slip.
        errors["paid_on"] = field_error("paid_before_issue.invoice", issued_on=issued_on)
    return errors


def _is_same(payment: Payment, invoice: Invoice, offline: OfflinePayment) -> bool:
    stored = (payment.amount, payment.method, payment.paid_on, payment.reference, payment.note)
    typed = (offline.amount, offline.method, offline.paid_on, offline.reference, offline.note)
    settled = payment.events.get(type="payment.recorded").data.get("settlement")
    return (
        payment.invoice_id == invoice.pk
        and stored == typed
        and settled == (offline.settlement.event_data if offline.settlement else None)
    )


def _amount_error(invoice: Invoice, offline: OfflinePayment) -> FieldError | None:
    amount, due = offline.amount, invoice.amount_due
    if amount.currency != invoice.currency:
        return field_error("currency_mismatch", currency=invoice.currency)
    if amount.amount_minor <= 0:
        return field_error("amount_too_small")
    if due < amount and not offline.keep_rest_as_credit:
        return field_error("amount_exceeds_due.keep_as_credit", due=due, excess=amount - due)
    return None


@needs(Permission.REVERSE_PAYMENTS)
@transaction.atomic(durable=True)
def reverse(payment: Payment, *, reason: str, by: Actor, now: datetime) -> Payment:
    """Deallocates an offline payment that bounced from every invoice and marks it reversed (M2).

    What it paid is due again; no request revives (R4), and an invoice that was written off before it was paid is
    written off again. Returns a payment that is reversed already unchanged. Raises
    Conflict unless it is a succeeded offline payment, Invalid without a reason.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON_LENGTH:
        raise Invalid({"reason": field_error("reversal_reason", limit=MAX_REASON_LENGTH)})
    invoices = lock_invoices(payment)
    # Read after the locks: credit of it may have been applied elsewhere while this waited.
    payment = Payment.objects.select_related("organization", "invoice", "quote").get(pk=payment.pk)
    if payment.status == "reversed":
        return payment
    if not payment.is_offline or payment.status != "succeeded":
        raise Conflict(reason="not_offline")
    if payment.refunded_minor:
        raise Conflict(reason="reverse_refunded", refunded=Money(payment.refunded_minor, payment.currency))
    for invoice_id, amount_minor in allocations.amounts_by_invoice(payment).items():
        allocations.deallocate(payment, invoices[invoice_id], amount_minor, cause="reversed", now=now)
        # A rest was settled because the payments beside it counted: without one of them it is no small rest.
        adjustments.take_back(invoices[invoice_id], cause="payment_reversed", by=by, now=now)
    data = {
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "reason": reason,
        "invoices": sorted(invoices),
    }
    columns = {"failure_code": "reversed", "failure_message": reason}
    move(payment, "reversed", by=by, now=now, data=data, **columns)
    for invoice in invoices.values():
        amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now, restores_write_off=True)
    return payment


def lock_invoices(payment: Payment) -> dict[str, Invoice]:
    """Locks each invoice that this payment is, was or could be on, after the customer and before the payment.

    The customer's lock keeps credit of this payment from being applied to yet another invoice meanwhile; an invoice
    made of the quote whose deposit it is takes the deposit when it is sent, so it is locked too. One that a refund
    took it off gets it back when that fails.
    """
    Customer.objects.locked(payment.document.customer_id)
    ids = {payment.invoice_id} if payment.invoice_id is not None else set()
    if payment.quote_id is not None:
        Quote.objects.locked(payment.quote_id)
        ids.update(Invoice.objects.filter(quote=payment.quote_id).values_list("pk", flat=True))
    ids.update(payment.allocations.values_list("invoice", flat=True))
    return {pk: Invoice.objects.locked(pk) for pk in sorted(ids)}
