"""Writes, sends and voids invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from partway.accounts.models import Organization
from partway.lib.money import EXPONENTS, MAX_MINOR, Money

from . import amounts, checkouts, events, outbox, payment_requests
from .errors import Conflict, Invalid, InvoiceNotSent, PaymentInProgress, Stale
from .events import Actor
from .models import Customer, Event, Invoice, InvoiceLine, Payment
from .numbering import next_invoice_number
from .outbox import Envelope
from .states import move

MAX_LINES = 200
_FOUR_PLACES = Decimal("0.0001")
_MAX_QUANTITY = Decimal(10**8)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as typed: decimals of at most four places, the unit amount in minor units."""

    description: str
    quantity: Decimal
    unit_amount_minor: int
    tax_percent: Decimal


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
def create(organization: Organization, *, draft: Draft, by: Actor, now: datetime) -> Invoice:
    """Write a new draft; raises Invalid with the fields that are wrong, lines as `lines.0.quantity`."""
    _check(draft, organization)
    invoice = Invoice(organization=organization, created_at=now)
    _fill(invoice, draft)
    invoice.save(force_insert=True)
    _write_lines(invoice, draft)
    events.record("invoice.created", invoice, by=by, now=now, data=_figures(invoice))
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
    before = _figures(invoice)
    _fill(invoice, draft)
    invoice.version = version + 1
    invoice.save()
    invoice.lines.all().delete()
    _write_lines(invoice, draft)
    events.record("invoice.edited", invoice, by=by, now=now, data={**_figures(invoice), "before": before})
    return invoice


def _fill(invoice: Invoice, draft: Draft) -> None:
    sums = figures(draft)
    invoice.customer = draft.customer
    invoice.currency = draft.currency
    invoice.due_on = draft.due_on
    invoice.notes = draft.notes
    invoice.discount_kind = draft.discount_kind
    invoice.discount_percent = draft.discount_percent if draft.discount_kind == "percent" else Decimal(0)
    invoice.discount_amount_minor = draft.discount_amount_minor if draft.discount_kind == "amount" else 0
    invoice.subtotal_minor = sums.subtotal_minor
    invoice.discount_minor = sums.discount_minor
    invoice.tax_minor = sums.tax_minor
    invoice.total_minor = sums.total_minor


def figures(draft: Draft) -> amounts.Totals:
    """What a draft adds up to, in minor units."""
    lines = [
        amounts.LineAmount(amounts.line_amount(line.quantity, line.unit_amount_minor), line.tax_percent)
        for line in draft.lines
    ]
    subtotal = sum(line.amount_minor for line in lines)
    return amounts.totals(lines, discount_minor(draft, subtotal))


def discount_minor(draft: Draft, subtotal_minor: int) -> int:
    """The discount a draft gives on its subtotal, in minor units."""
    if draft.discount_kind == "percent":
        return amounts.percent_of(subtotal_minor, draft.discount_percent)
    return draft.discount_amount_minor if draft.discount_kind == "amount" else 0


def _write_lines(invoice: Invoice, draft: Draft) -> None:
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description,
            quantity=line.quantity,
            unit_amount_minor=line.unit_amount_minor,
            tax_percent=line.tax_percent,
            amount_minor=amounts.line_amount(line.quantity, line.unit_amount_minor),
        )
        for position, line in enumerate(draft.lines)
    )


def _figures(invoice: Invoice) -> dict[str, object]:
    return {
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
    }


def _check(draft: Draft, organization: Organization) -> None:
    wrong: dict[str, str] = {}
    if draft.customer.organization_id != organization.pk:
        wrong["customer"] = "Choose a customer."
    if draft.currency not in EXPONENTS:
        wrong["currency"] = "Write the three letters of a currency, like USD."
    if not 1 <= len(draft.lines) <= MAX_LINES:
        wrong["lines"] = f"Write between one and {MAX_LINES} lines."
    if len(draft.notes) > 2000:
        wrong["notes"] = "Use at most 2000 characters."
    for position, line in enumerate(draft.lines):
        wrong.update({f"lines.{position}.{field}": words for field, words in _wrong_line(line).items()})
    if not wrong:
        wrong = _wrong_sums(draft)
    if wrong:
        raise Invalid(wrong)


def _wrong_line(line: Line) -> dict[str, str]:
    wrong = {}
    if not line.description.strip() or len(line.description) > 300:
        wrong["description"] = "Say what this line is for, in at most 300 characters."
    if not _within(line.quantity, _MAX_QUANTITY) or line.quantity == 0:
        wrong["quantity"] = "Enter a quantity above zero, with at most four decimals."
    if not 0 <= line.unit_amount_minor <= MAX_MINOR:
        wrong["unit_amount"] = "Enter a price of zero or more."
    if not _within(line.tax_percent, 100):
        wrong["tax_percent"] = "Enter a percentage between 0 and 100, with at most four decimals."
    return wrong


def _four_places(value: Decimal) -> bool:
    return value == value.quantize(_FOUR_PLACES)


def _within(value: Decimal, most: Decimal | int) -> bool:
    """Between zero and `most`; what is no number at all is not (comparing a NaN raises)."""
    return value.is_finite() and 0 <= value <= most and _four_places(value)


def _wrong_sums(draft: Draft) -> dict[str, str]:
    if draft.discount_kind == "percent" and not _within(draft.discount_percent, 100):
        return {"discount_percent": "Enter a percentage between 0 and 100, with at most four decimals."}
    sums = figures(draft)
    if draft.discount_kind == "amount" and not 0 <= draft.discount_amount_minor <= sums.subtotal_minor:
        return {"discount_amount": "The discount cannot be more than the lines add up to."}
    if max(sums.subtotal_minor, sums.total_minor) > MAX_MINOR:  # a discount can hide a sum no column holds
        return {"lines": f"An invoice can be at most {Money(MAX_MINOR, draft.currency)}."}
    return {}


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
    _queue_mail(invoice, event)
    return invoice


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
        raise Conflict(
            f"{invoice.amount_paid} was paid on this invoice. Refund it before you void the invoice."
        )
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
    return invoice, to_close


@transaction.atomic(durable=True)
def mark_opened(invoice: Invoice, *, now: datetime) -> None:
    """Note the first time the customer's browser showed the invoice."""
    if Invoice.objects.filter(pk=invoice.pk, opened_at__isnull=True).update(opened_at=now):
        events.record("invoice.opened", invoice, by=events.customer_actor(invoice.customer), now=now)
