"""Writes, sends and voids invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from partway.accounts.models import Organization
from partway.lib.money import Money

from .. import events, outbox, preconditions
from ..alerts import raise_for_payment
from ..checkouts import gateway_calls
from ..errors import Conflict, Invalid, InvoiceNotSent, Stale
from ..events import Actor
from ..ledger import allocations
from ..models import Customer, Event, Invoice, Payment, Quote
from ..outbox import Recipients
from ..receivables import amount_due
from ..states import move
from . import drafts, versions
from .drafts import Line
from .numbering import next_invoice_number

__all__ = [
    "InvoiceDraft",
    "Line",
    "create",
    "edit",
    "mark_opened",
    "reopen",
    "resend",
    "send",
    "void",
    "write_off",
]


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
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
    organization: Organization, *, draft: InvoiceDraft, by: Actor, now: datetime, quote: Quote | None = None
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


def edit(
    invoice: Invoice,
    *,
    draft: InvoiceDraft,
    version: int,
    by: Actor,
    now: datetime,
    paid: Money | None = None,
    notify_customer: bool = False,
) -> Invoice:
    """Replace what an invoice says; the event keeps all that it said before.

    One that was sent keeps its customer and currency, and what is due changes with its total: a request or a checkout
    that no longer fits ends (R7), and what was paid beyond the new total becomes credit (M2). `tell_customer` mails how
    it stands now. Raises Invalid with the fields that are wrong, Stale when somebody saved since `version` was read
    (DESIGN D8), or when more than `paid` came in since and some of it would become credit that nobody expects;
    Conflict when it has ended, PaymentInProgress when a payment under way would no longer fit.
    """
    seen = EditPreconditions(version, paid)
    invoice, to_close = _edit(invoice, draft, seen, notify_customer=notify_customer, by=by, now=now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return invoice


@dataclass(frozen=True, slots=True)
class EditPreconditions:
    """How the invoice stood before the eyes of whoever edits it; nobody looked at what was paid of a draft."""

    version: int
    paid: Money | None = None


@transaction.atomic(durable=True)
def _edit(
    invoice: Invoice,
    draft: InvoiceDraft,
    seen: EditPreconditions,
    *,
    notify_customer: bool,
    by: Actor,
    now: datetime,
) -> tuple[Invoice, Payment | None]:
    # First the customer, as whoever spends credit does: what is taken off here may be spent there.
    Customer.objects.locked(invoice.customer_id)
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status in _NOT_EDITABLE:
        raise Conflict(_NOT_EDITABLE[invoice.status])
    if invoice.version != seen.version:
        raise Stale()
    _check(draft, invoice.organization)
    _check_kept(invoice, draft)
    _check_credit_expected(invoice, draft, seen)
    before = versions.snapshot(invoice)
    credited = _make_room(invoice, drafts.compute_totals(draft).total_minor, now)
    drafts.fill(invoice, draft)
    invoice.due_on = draft.due_on
    invoice.version += 1
    invoice.save()
    drafts.write_lines(invoice, draft)
    data = {**_figures(invoice), "before": before, "credited_minor": credited}
    event = events.record("invoice.edited", invoice, by=by, now=now, data=data)
    if invoice.status == "draft":
        return invoice, None
    to_close = amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now)
    if notify_customer:
        _queue_mail(invoice, event, changed=True)
    return invoice, to_close


_NOT_EDITABLE = {
    "void": "This invoice is void. Write a new one instead.",
    "written_off": "This invoice was written off. Reopen it before you change it.",
}


def _check_credit_expected(invoice: Invoice, draft: InvoiceDraft, seen: EditPreconditions) -> None:
    """A payment alone makes no edit stale: it overwrites nothing. Turning it into credit unseen would."""
    if seen.paid is None:
        return
    came = invoice.amount_paid - seen.paid
    excess = invoice.amount_paid - Money(drafts.compute_totals(draft).total_minor, invoice.currency)
    if came.amount_minor > 0 and excess.amount_minor > 0:
        raise Stale(
            f"{came} was paid in the meantime. If you save this, {excess} of what was paid becomes the customer's "
            "credit. Look again before you do."
        )


def _make_room(invoice: Invoice, total_minor: int, now: datetime) -> int:
    """What was paid beyond the new total is taken off again, the latest payment first: it becomes credit (M2).

    Answers how much, in minor units.
    """
    excess = left = max(0, invoice.amount_paid_minor - total_minor)
    for payment, standing in allocations.payments_on_invoice(invoice) if left else ():
        part = min(left, standing)
        allocations.deallocate(payment, invoice, part, cause="edited", now=now)
        left -= part
    return excess


def _check(draft: InvoiceDraft, organization: Organization) -> None:
    errors = drafts.field_errors(draft, organization)
    if errors:
        raise Invalid(errors)


def _check_kept(invoice: Invoice, draft: InvoiceDraft) -> None:
    """What was sent is known to its customer, and what was made of a quote takes over its deposit."""
    if invoice.quote_id is None and invoice.status == "draft":
        return
    why = "was made of a quote" if invoice.status == "draft" else "was sent"
    errors = {}
    if draft.customer.pk != invoice.customer_id:
        errors["customer"] = f"This invoice {why}, so it stays with that customer."
    if draft.currency != invoice.currency:
        errors["currency"] = f"This invoice {why}, so it keeps that currency."
    if invoice.status != "draft" and drafts.compute_totals(draft).total_minor == 0:
        errors["lines"] = "Nothing would be due on this invoice. Void it instead."
    if errors:
        raise Invalid(errors)


def _figures(invoice: Invoice) -> dict[str, object]:
    return {
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
    }


@transaction.atomic
def send(invoice: Invoice, *, by: Actor, now: datetime, version: int | None = None) -> Invoice:
    """Give a draft its number and mail the customer the link to the invoice page.

    Raises Conflict when it is not a draft any more, Stale when it is not the `version` that a page showed (DESIGN D8),
    Invalid when nothing is due on it.
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status != "draft":
        raise Conflict("This invoice was already sent.")
    preconditions.check_version(invoice, version)
    if invoice.total_minor == 0:
        raise Invalid(
            {"lines": "Nothing is due on this invoice. Add a line with a price before you send it."}
        )
    number = next_invoice_number(invoice.organization_id)
    data = {**_figures(invoice), "number": number, "email": invoice.customer.email}
    # Whoever still edits the draft must learn that it was sent before they change it (D8).
    columns = {"number": number, "sent_at": now, "version": invoice.version + 1}
    event = move(invoice, "sent", by=by, now=now, data=data, **columns)
    if invoice.quote_id is not None:
        _take_over_deposit(invoice, by, now)
    _queue_mail(invoice, event)
    return invoice


def _take_over_deposit(invoice: Invoice, by: Actor, now: datetime) -> None:
    """The deposit paid on the quote stands on its first invoice; what is too much stays credit (DESIGN D2)."""
    payment = Payment.objects.deposits().filter(quote=invoice.quote_id).select_related("quote").first()
    unallocated = allocations.unallocated(payment) if payment else None
    if payment is None or unallocated is None:
        return
    allocated = allocations.allocatable(invoice, unallocated)
    allocations.allocate(payment, invoice, allocated, cause="deposit", now=now)
    _note_deposit(invoice, payment, Money(allocated, invoice.currency), by, now)
    left = Money(unallocated.amount_minor - allocated, unallocated.currency)
    if left:
        message = f"{left} of the deposit of {payment.document.number} found no room on {invoice.number}. "
        raise_for_payment(
            "deposit_unallocated", payment, message=f"{message}It is the customer's credit.", now=now
        )
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


def _queue_mail(invoice: Invoice, event: Event, *, changed: bool = False) -> None:
    data = {"amount_due_minor": invoice.amount_due_minor, "currency": invoice.currency}
    if changed:
        data["changed"] = True
    outbox.queue("invoice_sent", event, Recipients(to=[invoice.customer.email], data=data))


def void(invoice: Invoice, *, by: Actor, now: datetime, version: int | None = None) -> Invoice:
    """End an unpaid invoice: its open request is canceled and its checkout closed (DESIGN D3).

    Raises PaymentInProgress while a payment is committed, Conflict when money is allocated or it has ended already,
    Stale when it is not the `version` that a page showed (DESIGN D8).
    """
    invoice, to_close = _void(invoice, version, by, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return invoice


@transaction.atomic(durable=True)
def _void(invoice: Invoice, version: int | None, by: Actor, now: datetime) -> tuple[Invoice, Payment | None]:
    invoice = Invoice.objects.locked(invoice.pk)
    unavailable_reason = void_unavailable_reason(invoice)
    if unavailable_reason:
        raise Conflict(unavailable_reason)
    preconditions.check_version(invoice, version)
    to_close = amount_due.cancel_collection(invoice, reason="invoice_voided", by=by, now=now)
    move(invoice, "void", by=by, now=now, version=invoice.version + 1)
    _flag_lost_deposit(invoice, now)
    return invoice, to_close


def void_unavailable_reason(invoice: Invoice) -> str:
    """What keeps it from being voided whatever is under way, and the way out; empty when nothing does (D2, D3)."""
    if invoice.status not in ("draft", "sent"):
        return f"This invoice is {_named(invoice)} and cannot be voided."
    if not invoice.amount_paid_minor:
        return ""
    stands = f"{invoice.amount_paid} was paid on this invoice."
    if invoice.quote is not None and all(
        payment.quote_id for payment, _ in allocations.payments_on_invoice(invoice)
    ):
        stands = f"The deposit of {invoice.quote.number}, {invoice.amount_paid}, stands on this invoice."
    return f"{stands} Move it to the customer's credit first; then the invoice can be voided."


def _flag_lost_deposit(invoice: Invoice, now: datetime) -> None:
    """A draft that is voided will never take over its quote's deposit, and no second invoice is made."""
    deposit = Payment.objects.deposits().filter(quote=invoice.quote_id).select_related("quote").first()
    unallocated = allocations.unallocated(deposit) if deposit and invoice.quote_id else None
    if deposit is not None and unallocated:
        message = f"The invoice that was to take the deposit of {deposit.document.number} is void. "
        raise_for_payment(
            "deposit_unallocated",
            deposit,
            message=f"{message}{unallocated} is the customer's credit.",
            now=now,
        )


def write_off(
    invoice: Invoice, *, by: Actor, now: datetime, version: int | None = None, due: Money | None = None
) -> Invoice:
    """Give up on what is still due: nobody is asked for it any more, and what was paid stays where it is.

    Raises PaymentInProgress while a payment is committed, Conflict unless the invoice is in Sent status, Stale when it
    is not the `version` that a page showed, or not what was `due` there (DESIGN D8): a payment alone changes that.
    """
    invoice, to_close = _write_off(invoice, WriteOffPreconditions(version, due), by, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return invoice


@dataclass(frozen=True, slots=True)
class WriteOffPreconditions:
    """How the invoice stood on the page of whoever writes it off; nothing where there was no page."""

    version: int | None
    due: Money | None


@transaction.atomic(durable=True)
def _write_off(
    invoice: Invoice, page: WriteOffPreconditions, by: Actor, now: datetime
) -> tuple[Invoice, Payment | None]:
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status != "sent":
        raise InvoiceNotSent(f"This invoice is {_named(invoice)}, so there is nothing to write off.")
    preconditions.check_version(invoice, page.version)
    preconditions.check_due(invoice, page.due)
    to_close = amount_due.cancel_collection(invoice, reason="invoice_written_off", by=by, now=now)
    data = {"amount_minor": invoice.amount_due_minor, "currency": invoice.currency}
    move(invoice, "written_off", by=by, now=now, data=data, version=invoice.version + 1)
    return invoice, to_close


@transaction.atomic(durable=True)
def reopen(invoice: Invoice, *, by: Actor, now: datetime, version: int | None = None) -> Invoice:
    """Take a write-off back: what is due can be asked for and paid again. No request that ended revives (R4).

    Raises Conflict unless it is written off, Stale when it is not the `version` that a page showed (DESIGN D8).
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status != "written_off":
        raise Conflict(f"This invoice is {_named(invoice)}; only one that was written off can be reopened.")
    preconditions.check_version(invoice, version)
    move(invoice, "sent", by=by, now=now, version=invoice.version + 1)
    return invoice


def _named(invoice: Invoice) -> str:
    return str(invoice.get_status_display()).lower()


@transaction.atomic(durable=True)
def mark_opened(invoice: Invoice, *, now: datetime) -> None:
    """Note the first time the customer's browser showed the invoice."""
    if Invoice.objects.filter(pk=invoice.pk, opened_at__isnull=True).update(opened_at=now):
        events.record("invoice.opened", invoice, by=events.customer_actor(invoice.customer), now=now)
