"""Writes, sends and voids invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from partway.accounts.models import Organization
from partway.lib.money import Money

from . import allocations, checkouts, drafts, events, outbox, payment_requests
from .drafts import Line
from .errors import Conflict, Invalid, InvoiceNotSent, PaymentInProgress, Stale
from .events import Actor
from .flags import raise_flag
from .models import Customer, Event, Invoice, Payment, Quote
from .numbering import next_invoice_number
from .outbox import Envelope
from .states import move

__all__ = ["Draft", "Line", "create", "edit", "mark_opened", "resend", "send", "void"]


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice as a member writes it."""

    customer: Customer
    currency: str
    due_on: date
    lines: tuple[Line, ...]
    discount_kind: str = ""
    discount_percent: Decimal = Decimal(0)
    discount_amount_minor: int = 0
    notes: str = ""


@transaction.atomic
def create(
    organization: Organization, *, draft: Draft, by: Actor, now: datetime, quote: Quote | None = None
) -> Invoice:
    """Write a new draft; raises Invalid with the fields that are wrong, lines as `lines.0.quantity`."""
    _check(draft, organization)
    invoice = Invoice(organization=organization, created_at=now, due_on=draft.due_on, quote=quote)
    drafts.fill(invoice, draft)
    invoice.save(force_insert=True)
    drafts.write_lines(invoice, draft)
    data = {**_figures(invoice), **({"quote": quote.pk, "number": quote.number} if quote else {})}
    events.record("invoice.created", invoice, by=by, now=now, data=data)
    return invoice


@transaction.atomic
def edit(invoice: Invoice, *, draft: Draft, version: int, by: Actor, now: datetime) -> Invoice:
    """Replace a draft's contents; raises Stale when somebody saved since `version` was read (DESIGN D8)."""
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status != "draft":
        raise Conflict("Only a draft can be edited. Void this invoice and write a new one.")
    if invoice.version != version:
        raise Stale()
    _check(draft, invoice.organization)
    _check_same_quote(invoice, draft)
    before = _figures(invoice)
    drafts.fill(invoice, draft)
    invoice.due_on = draft.due_on
    invoice.version = version + 1
    invoice.save()
    drafts.write_lines(invoice, draft)
    events.record("invoice.edited", invoice, by=by, now=now, data={**_figures(invoice), "before": before})
    return invoice


def _check(draft: Draft, organization: Organization) -> None:
    wrong = drafts.wrong_fields(draft, organization)
    if wrong:
        raise Invalid(wrong)


def _check_same_quote(invoice: Invoice, draft: Draft) -> None:
    """What was made of a quote takes over its deposit, so it stays that customer's, in that currency."""
    if invoice.quote_id is None:
        return
    wrong = {}
    if draft.customer.pk != invoice.customer_id:
        wrong["customer"] = "This invoice was made of a quote, so it stays with that customer."
    if draft.currency != invoice.currency:
        wrong["currency"] = "This invoice was made of a quote, so it keeps that currency."
    if wrong:
        raise Invalid(wrong)


def _figures(invoice: Invoice) -> dict[str, object]:
    return {
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
    }


@transaction.atomic
def send(invoice: Invoice, *, by: Actor, now: datetime) -> Invoice:
    """Give a draft its number and mail the customer the link to the invoice page.

    Raises Conflict when it is not a draft any more, Invalid when nothing is due on it.
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status != "draft":
        raise Conflict("This invoice was already sent.")
    if invoice.total_minor == 0:
        raise Invalid(
            {"lines": "Nothing is due on this invoice. Add a line with a price before you send it."}
        )
    number = next_invoice_number(invoice.organization_id)
    data = {**_figures(invoice), "number": number, "email": invoice.customer.email}
    event = move(invoice, "sent", by=by, now=now, data=data, number=number, sent_at=now)
    if invoice.quote_id is not None:
        _take_over_deposit(invoice, by, now)
    _queue_mail(invoice, event)
    return invoice


def _take_over_deposit(invoice: Invoice, by: Actor, now: datetime) -> None:
    """The deposit paid on the quote stands on its first invoice; what is too much stays credit (DESIGN D2)."""
    payment = Payment.objects.deposits().filter(quote=invoice.quote_id).select_related("quote").first()
    free = allocations.free(payment) if payment else None
    if payment is None or free is None:
        return
    allocated = allocations.allocate(payment, invoice, captured=free, now=now)
    _note_deposit(invoice, payment, Money(allocated, invoice.currency), by, now)
    left = Money(free.amount_minor - allocated, free.currency)
    if left:
        words = f"{left} of the deposit of {payment.document.number} found no room on {invoice.number}. "
        raise_flag("deposit_left_over", payment, words=f"{words}It is the customer's credit.", now=now)
    if invoice.amount_due_minor == 0:
        move(invoice, "paid", by=by, now=now, paid_at=now)


def _note_deposit(invoice: Invoice, payment: Payment, amount: Money, by: Actor, now: datetime) -> None:
    if amount:
        data = {"amount_minor": amount.amount_minor, "currency": amount.currency, "quote": payment.quote_id}
        data["number"] = payment.document.number
        events.record("invoice.deposit_allocated", invoice, by=by, now=now, data=data)


@transaction.atomic
def resend(invoice: Invoice, *, by: Actor, now: datetime) -> Invoice:
    """Mail the link to the invoice page again."""
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status not in ("sent", "paid"):
        raise InvoiceNotSent()
    event = events.record("invoice.resent", invoice, by=by, now=now, data={"email": invoice.customer.email})
    _queue_mail(invoice, event)
    return invoice


def _queue_mail(invoice: Invoice, event: Event) -> None:
    data = {"amount_due_minor": invoice.amount_due_minor, "currency": invoice.currency}
    outbox.queue("invoice_sent", event, Envelope(to=[invoice.customer.email], data=data))


def void(invoice: Invoice, *, by: Actor, now: datetime) -> Invoice:
    """End an unpaid invoice: its open request is canceled and its checkout closed (DESIGN D3).

    Raises PaymentInProgress while a payment is committed, Conflict when money is allocated or it has ended already.
    """
    invoice, to_close = _void(invoice, by, now)
    if to_close is not None:
        checkouts.close(to_close, now=now)
    return invoice


@transaction.atomic(durable=True)
def _void(invoice: Invoice, by: Actor, now: datetime) -> tuple[Invoice, Payment | None]:
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status not in ("draft", "sent"):
        raise Conflict(f"This invoice is {invoice.get_status_display().lower()} and cannot be voided.")
    if invoice.amount_paid_minor:
        raise Conflict(f"{invoice.amount_paid} was paid on this invoice, so it can no longer be voided.")
    payment = invoice.payments.unsettled().select_related("gateway_account").first()
    if payment is not None and payment.is_committed:
        raise PaymentInProgress()
    request = payment_requests.current(invoice)
    if request is not None:
        payment_requests.end(request, "canceled", reason="invoice_voided", by=by, now=now)
    to_close = None
    if payment is not None:
        payment.refresh_from_db(fields=["status"])  # ending the request may have moved it
        to_close = payment if checkouts.withdraw(payment, by=by, now=now) else None
    move(invoice, "void", by=by, now=now, version=invoice.version + 1)
    _flag_lost_deposit(invoice, now)
    return invoice, to_close


def _flag_lost_deposit(invoice: Invoice, now: datetime) -> None:
    """A draft that is voided will never take over its quote's deposit, and no second invoice is made."""
    deposit = Payment.objects.deposits().filter(quote=invoice.quote_id).select_related("quote").first()
    free = allocations.free(deposit) if deposit and invoice.quote_id else None
    if deposit is not None and free:
        words = f"The invoice that was to take the deposit of {deposit.document.number} is void. "
        raise_flag("deposit_left_over", deposit, words=f"{words}{free} is the customer's credit.", now=now)


@transaction.atomic(durable=True)
def mark_opened(invoice: Invoice, *, now: datetime) -> None:
    """Note the first time the customer's browser showed the invoice."""
    if Invoice.objects.filter(pk=invoice.pk, opened_at__isnull=True).update(opened_at=now):
        events.record("invoice.opened", invoice, by=events.customer_actor(invoice.customer), now=now)
