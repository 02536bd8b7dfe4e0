"""Records payments that came by cash, check or transfer, and takes back one whose check bounced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from partway.accounts.models import Organization
from partway.lib import clock
from partway.lib.money import Money

from .. import events, outbox
from ..checkouts import gateway_calls
from ..errors import Conflict, Invalid, InvoiceNotSent, TooLate
from ..events import Actor
from ..ledger import allocations
from ..models import Customer, Event, Invoice, Payment, Quote
from ..outbox import Recipients
from ..people import payment_modes
from ..states import move
from . import amount_due

MAX_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class OfflinePayment:
    """A payment as a member records it; what is above the amount due is taken only as the customer's credit."""

    amount: Money
    method: str
    paid_on: date
    reference: str = ""
    note: str = ""
    send_receipt: bool = False
    keep_rest_as_credit: bool = False
    idempotency_key: str | None = None


_NOT_OWED = {
    "draft": "Send the invoice first; then a payment can be recorded on it.",
    "paid": "This invoice is paid. A further payment belongs on another one.",
    "void": "This invoice is void. No payment can be recorded on it.",
}


def record(invoice: Invoice, *, offline: OfflinePayment, by: Actor, now: datetime) -> Payment:
    """Book a payment that a member took in; an open request that no longer fits is canceled (DESIGN R7).

    The same `idempotency_key` again answers with the payment it recorded (P8). Raises Invalid (with fields), InvoiceNotSent,
    TooLate when the invoice is paid, PaymentInProgress when an online payment under way would no longer fit.
    """
    payment, to_close = _record(invoice, offline, by, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return payment


@transaction.atomic(durable=True)
def _record(
    invoice: Invoice, offline: OfflinePayment, by: Actor, now: datetime
) -> tuple[Payment, Payment | None]:
    invoice = Invoice.objects.locked(invoice.pk)
    key, owner = offline.idempotency_key, invoice.organization_id
    made = key and Payment.objects.filter(organization=owner, idempotency_key=key).first()
    if made:
        return _same(made, invoice, offline), None
    _check_moment(invoice)
    _check_typed(invoice, offline, now)
    before = invoice.amount_paid_minor
    fits = allocations.allocatable(invoice, offline.amount)
    payment = _written(invoice, offline, fits, now)
    allocations.record_allocation(payment, invoice, fits, cause="payment", now=now)
    stages = {
        "total_minor": invoice.total_minor,
        "paid_before_minor": before,
        "allocated_minor": fits,
        "amount_due_minor": invoice.amount_due_minor,
    }
    event = _note_recorded(payment, stages, by, now)
    if offline.send_receipt:
        outbox.queue("receipt", event, _to_customer(invoice, stages))
    return payment, amount_due.apply_effects(invoice, reason="offline_payment", by=by, now=now)


def _same(made: Payment, invoice: Invoice, offline: OfflinePayment) -> Payment:
    """A form sent twice has recorded its payment already; the same key with another content is refused."""
    typed = (invoice.pk, offline.amount, offline.method, offline.paid_on, offline.reference, offline.note)
    stored = (made.invoice_id, made.amount, made.method, made.paid_on, made.reference, made.note)
    if typed != stored or made.status != "succeeded":
        raise Conflict(
            f"This form has already recorded {made.amount}. Open it again to record another payment."
        )
    return made


def _check_moment(invoice: Invoice) -> None:
    if invoice.status == "paid":
        raise TooLate(_NOT_OWED["paid"])
    if invoice.status in _NOT_OWED:
        raise InvoiceNotSent(_NOT_OWED[invoice.status])


def unavailable_reason(invoice: Invoice) -> str:
    """What stands in the way of recording a payment now, in words; empty when nothing does."""
    return _NOT_OWED.get(invoice.status, "")


def _check_typed(invoice: Invoice, offline: OfflinePayment, now: datetime) -> None:
    today = clock.today(now, invoice.organization.time_zone)
    errors = detail_errors(offline, invoice.organization, today)
    code, message = _wrong_amount(invoice, offline)
    if message:
        errors["amount"] = message
    if errors:
        raise Invalid(errors, code=code if set(errors) == {"amount"} else "invalid")


def _wrong_amount(invoice: Invoice, offline: OfflinePayment) -> tuple[str, str]:
    """(code, words) of what is wrong with the amount; two empty strings when it is right."""
    amount, due = offline.amount, invoice.amount_due
    if amount.currency != invoice.currency:
        return "invalid", f"This invoice is in {invoice.currency}."
    if amount.amount_minor <= 0:
        return "amount_too_small", "Enter an amount above zero."
    if due < amount and not offline.keep_rest_as_credit:
        message = (
            f"{due} is due, so {amount - due} would be too much. Enter less, or keep the rest as credit."
        )
        return "amount_exceeds_due", message
    return "", ""


def detail_errors(offline: OfflinePayment, organization: Organization, today: date) -> dict[str, str]:
    """What is wrong besides the amount, by field."""
    typed = {name: getattr(offline, name) for name in ("method", "paid_on", "reference", "note")}
    return payment_modes.detail_errors(organization, today=today, **typed)


def _written(invoice: Invoice, offline: OfflinePayment, fits: int, now: datetime) -> Payment:
    return Payment.objects.create(
        organization=invoice.organization,
        invoice=invoice,
        status="succeeded",
        accepted=True,
        amount_minor=offline.amount.amount_minor,
        currency=offline.amount.currency,
        captured_minor=offline.amount.amount_minor,
        captured_currency=offline.amount.currency,
        allocated_minor=fits,
        method=offline.method,
        paid_on=offline.paid_on,
        reference=offline.reference,
        note=offline.note,
        idempotency_key=offline.idempotency_key,
        created_at=now,
        settled_at=now,
        next_refresh_at=now,
    )


def _note_recorded(payment: Payment, stages: dict[str, int], by: Actor, now: datetime) -> Event:
    figures = {"amount_minor": payment.amount_minor, "currency": payment.currency, "method": payment.method}
    data = {**figures, **stages, "from": "pending", "to": "succeeded"}
    return events.record("payment.recorded", payment, by=by, now=now, data=data)


def _to_customer(invoice: Invoice, stages: dict[str, int]) -> Recipients:
    return Recipients(to=[invoice.customer.email], reply_to=invoice.organization.email, data=dict(stages))


# Taking it back


def reverse(payment: Payment, *, reason: str, by: Actor, now: datetime) -> Payment:
    """An offline payment turns out to be none, as a check that bounced: it is taken off wherever it stands (M2).

    What it paid is due again; no request revives (R4). Raises Conflict unless it is an offline payment that stands,
    Invalid without a reason, and answers quietly when it was reversed before.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON_LENGTH:
        raise Invalid({"reason": f"Say why, in at most {MAX_REASON_LENGTH} characters."})
    return _reverse(payment, reason, by, now)


@transaction.atomic(durable=True)
def _reverse(payment: Payment, reason: str, by: Actor, now: datetime) -> Payment:
    invoices = _locked_with(payment)
    payment = Payment.objects.select_related("organization", "invoice", "quote").get(pk=payment.pk)
    if payment.status == "reversed":
        return payment
    if not payment.is_offline or payment.status != "succeeded":
        raise Conflict("Only a payment that was recorded by hand can be reversed. Refund this one instead.")
    for invoice_id, amount_minor in allocations.amounts_by_invoice(payment).items():
        invoice = invoices[invoice_id]
        allocations.deallocate(payment, invoice, amount_minor, cause="reversed", now=now)
    data = {"amount_minor": payment.amount_minor, "currency": payment.currency, "reason": reason}
    columns = {"failure_code": "reversed", "failure_message": reason}
    move(payment, "reversed", by=by, now=now, data={**data, "invoices": sorted(invoices)}, **columns)
    for invoice in invoices.values():
        amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now)
    return payment


def _locked_with(payment: Payment) -> dict[str, Invoice]:
    """Every invoice this payment stands on or could be put on, locked; after the customer and before the payment.

    The customer's lock keeps credit of this payment from being put on yet another invoice meanwhile; an invoice made of
    the quote whose deposit it is takes the deposit when it is sent, so it is held too.
    """
    Customer.objects.locked(payment.document.customer_id)
    if payment.quote_id is not None:
        Quote.objects.locked(payment.quote_id)
    made = Invoice.objects.filter(quote=payment.quote_id, quote__isnull=False).values_list("pk", flat=True)
    held = {*allocations.amounts_by_invoice(payment), *made, *_own(payment)}
    return {pk: Invoice.objects.locked(pk) for pk in sorted(held)}


def _own(payment: Payment) -> Iterable[str]:
    return [payment.invoice_id] if payment.invoice_id else []
