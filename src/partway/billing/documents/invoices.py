"""Creates, edits, sends, resends and voids invoices, and deletes drafts of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib import clock
from partway.lib.money import Money

from .. import events, external_fields, outbox, parties, preconditions
from ..alerts import raise_for_payment
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, FieldError, Invalid, InvoiceNotSent, Stale, field_error
from ..events import Actor
from ..ledger import adjustments, allocations
from ..models import Customer, Event, Invoice, Payment, Quote
from ..outbox import Recipients
from ..receivables import amount_due
from ..states import move
from . import drafts, versions
from .numbering import next_invoice_number

MAX_DUE_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraft(drafts.DocumentContent):
    """The content of an invoice as a member writes it.

    A draft with `due_days` is due so many days after it is sent, and `due_on` is not read; of a sent invoice
    `due_days` is not read.
    """

    due_on: date | None = None
    due_days: int | None = None


@needs(Permission.EDIT_INVOICES)
@transaction.atomic
def create(
    organization: Organization,
    *,
    draft: InvoiceDraft,
    by: Actor,
    now: datetime,
    quote: Quote | None = None,
    idempotency_key: str | None = None,
) -> Invoice:
    """Creates a draft invoice; the same `idempotency_key` again returns the invoice it created (P8).

    Raises Invalid with the wrong fields, lines as `lines.0.quantity`; ExternalReferenceTaken.
    """
    if previous := events.by_idempotency_key(organization, idempotency_key):
        if previous.invoice:
            return previous.invoice
        idempotency_key = None  # that draft was deleted, so this writes another
    invoice = Invoice(organization=organization, created_at=now, quote=quote)
    errors = drafts.field_errors(draft, organization) | _due_errors(invoice, draft, now)
    if errors:
        raise Invalid(errors)
    draft = drafts.with_stored_customer(draft, organization, by=by, now=now)
    drafts.fill(invoice, draft)
    _fill_due(invoice, draft, now)
    external_fields.insert(invoice, draft.external)
    drafts.write_lines(invoice, draft)
    data = {**_event_data(invoice), **({"quote": quote.pk, "number": quote.number} if quote else {})}
    events.record("invoice.created", invoice, by=by, now=now, data=data, idempotency_key=idempotency_key)
    return invoice


@needs(Permission.EDIT_INVOICES)
@closes_checkouts
def edit(
    invoice: Invoice,
    *,
    draft: InvoiceDraft,
    expected_version: int,
    by: Actor,
    now: datetime,
    expected_amount_paid: Money | None = None,
    notify_customer: bool = False,
) -> Invoice:
    """Replaces the content of an invoice; the event keeps the version before.

    A sent invoice keeps its customer and currency, and its amount due changes with its total: a request or a checkout
    that no longer fits ends (R7), and what was paid beyond the new total becomes credit (M2). `notify_customer` mails
    the invoice. Raises Invalid; Stale when the version is not the expected one (D8), or more was paid than expected and
    would become credit; Conflict when it has ended; PaymentInProgress when a committed payment would not fit.
    """
    # Locks the customer first, as acts that spend credit do: the payments deallocated here may be spent there.
    Customer.objects.locked(invoice.customer_id)
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status in ("void", "written_off"):
        raise Conflict(reason=f"edit_{invoice.status}")
    if invoice.version != expected_version:
        raise Stale()
    errors = drafts.field_errors(draft, invoice.organization) or _fixed_field_errors(invoice, draft)
    if errors := errors | _due_errors(invoice, draft, now):
        raise Invalid(errors)
    total = Money(drafts.compute_totals(draft).total_minor, invoice.currency)
    excess_minor = max(0, invoice.amount_paid_minor - total.amount_minor)
    # A payment alone makes no edit stale: the edit overwrites nothing of it. Turning it into credit unseen would.
    if expected_amount_paid is not None and excess_minor and expected_amount_paid < invoice.amount_paid:
        raise Stale(
            reason="payment_becomes_credit",
            paid=invoice.amount_paid - expected_amount_paid,
            credit=invoice.amount_paid - total,
        )
    # Payments come off before the total is lowered: the database refuses, at each statement, more paid than the total.
    before = versions.snapshot(invoice)
    # What was settled without money goes first, so that no payment becomes credit while a rest is still given away.
    excess_settled = max(0, invoice.amount_paid_minor + invoice.adjusted_minor - total.amount_minor)
    adjustments.take_back(invoice, cause="invoice_changed", by=by, now=now, at_most_minor=excess_settled)
    left_minor = excess_minor
    for payment, allocated_minor in allocations.payments_on_invoice(invoice) if left_minor else ():
        part_minor = min(left_minor, allocated_minor)
        allocations.deallocate(payment, invoice, part_minor, cause="edited", now=now)
        left_minor -= part_minor
    external_fields.change(invoice, draft.external, by=by, now=now)
    draft = drafts.with_stored_customer(draft, invoice.organization, by=by, now=now)
    drafts.fill(invoice, draft)
    _fill_due(invoice, draft, now)
    invoice.version += 1
    invoice.save()
    drafts.write_lines(invoice, draft)
    data = {**_event_data(invoice), "before": before, "credited_minor": excess_minor}
    event = events.record("invoice.edited", invoice, by=by, now=now, data=data)
    if invoice.status != "draft":
        amount_due.apply_effects(invoice, reason="invoice_changed", by=by, now=now)
        if notify_customer:
            _queue_mail(invoice, event, changed=True)
    return invoice


def _fixed_field_errors(invoice: Invoice, draft: InvoiceDraft) -> dict[str, FieldError]:
    """Returns the errors of fields that a sent invoice keeps, and one made of a quote, whose deposit it takes over."""
    if invoice.quote_id is None and invoice.status == "draft":
        return {}
    why = "from_quote" if invoice.status == "draft" else "sent"
    errors = {}
    if draft.new_customer is not None or draft.customer.pk != invoice.customer_id:
        errors["customer"] = field_error(f"customer_fixed.{why}")
    if draft.currency != invoice.currency:
        errors["currency"] = field_error(f"currency_fixed.{why}")
    if invoice.status != "draft" and drafts.compute_totals(draft).total_minor == 0:
        errors["lines"] = field_error("nothing_due.sent")
    return errors


def _due_errors(invoice: Invoice, draft: InvoiceDraft, now: datetime) -> dict[str, FieldError]:
    if invoice.status == "draft" and draft.due_days is not None:
        in_range = 0 <= draft.due_days <= MAX_DUE_DAYS
        return {} if in_range else {"due_days": field_error("due_days", limit=MAX_DUE_DAYS)}
    if draft.due_on is None:
        return {"due_on": field_error("due_on_missing")}
    error = drafts.day_error(draft.due_on, invoice.organization, now, stored=invoice.due_on)
    return {"due_on": error} if error else {}


def _fill_due(invoice: Invoice, draft: InvoiceDraft, now: datetime) -> None:
    if invoice.status == "draft" and draft.due_days is not None:
        invoice.due_days = draft.due_days
        invoice.due_on = due_on_if_sent(invoice, now)
    elif draft.due_on is not None:
        invoice.due_days, invoice.due_on = None, draft.due_on


def due_on_if_sent(invoice: Invoice, now: datetime) -> date:
    """Returns the day on which a draft is due if it is sent now, where the organization is (DESIGN D7)."""
    if invoice.due_days is None:
        return invoice.due_on
    return clock.today(now, invoice.organization.time_zone) + timedelta(days=invoice.due_days)


def is_overdue_if_sent(invoice: Invoice, now: datetime) -> bool:
    """Returns whether the due date of a draft has passed, so that it would be overdue at once."""
    return due_on_if_sent(invoice, now) < clock.today(now, invoice.organization.time_zone)


def _event_data(invoice: Invoice) -> dict[str, object]:
    return {
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
    }


@needs(Permission.SEND_INVOICES)
@transaction.atomic
def send(
    invoice: Invoice,
    *,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
    allow_overdue: bool = False,
    idempotency_key: str | None = None,
    sends_mail: bool = True,
) -> Invoice:
    """Numbers a draft invoice, freezes its parties (DESIGN D9), and mails the customer the link to its page.

    Terms in days are counted from today. Without `sends_mail` the customer hears nothing, as of one that is imported:
    they have it already. The same `idempotency_key` again changes nothing (P8). Raises Conflict when it is not a draft,
    Stale when it has another version than expected (DESIGN D8), Invalid when nothing is due on it, or when its due date
    has passed and `allow_overdue` does not say that this is meant.
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if events.caused_by(invoice.organization_id, idempotency_key):
        return invoice
    if invoice.status != "draft":
        raise Conflict(reason="invoice_already_sent")
    preconditions.check_version(invoice, expected_version)
    if invoice.total_minor == 0:
        raise Invalid({"lines": field_error("nothing_due.draft")})
    if is_overdue_if_sent(invoice, now) and not allow_overdue:
        raise Invalid({"due_on": field_error("due_on_in_past", due_on=invoice.due_on)})
    # Terms in days count from now, not from the day on which the draft was written.
    invoice.due_on = due_on_if_sent(invoice, now)
    issued = parties.freeze(invoice.organization, invoice.customer)
    # After every check: it locks the organization's row until the commit, and all other sends wait for that (D4).
    number = next_invoice_number(invoice.organization_id)
    data = {**_event_data(invoice), "number": number, "email": invoice.customer.email}
    data |= {**parties.event_data(issued), **({} if sends_mail else {"not_mailed": True})}
    # The new version makes an open edit of the draft stale, so that it does not change the sent invoice (D8).
    columns: dict[str, Any] = {**issued, "number": number, "sent_at": now}
    columns |= {"due_on": invoice.due_on, "due_days": None, "version": invoice.version + 1}
    event = move(invoice, "sent", by=by, now=now, data=data, idempotency_key=idempotency_key, **columns)
    if invoice.quote_id is not None:
        _allocate_deposit(invoice, by, now)
    if sends_mail:
        _queue_mail(invoice, event)
    return invoice


def _allocate_deposit(invoice: Invoice, by: Actor, now: datetime) -> None:
    """Allocates the deposit paid on the quote to the invoice made of it; the rest becomes credit (DESIGN D2)."""
    # Once (D2): a deposit that an earlier invoice took, which is void now, is credit.
    unused = Payment.objects.deposits().exclude(allocations__cause="deposit")
    payment = unused.filter(quote=invoice.quote_id).select_related("quote").first()
    unallocated = allocations.unallocated(payment) if payment else None
    if payment is None or unallocated is None:
        return
    number = payment.document.number
    allocated = Money(allocations.allocatable(invoice, unallocated), invoice.currency)
    allocations.allocate(payment, invoice, allocated.amount_minor, cause="deposit", now=now)
    if allocated:
        data = {"amount_minor": allocated.amount_minor, "currency": allocated.currency}
        data |= {"quote": payment.quote_id, "number": number}
        events.record("invoice.deposit_allocated", invoice, by=by, now=now, data=data)
    left = Money(unallocated.amount_minor - allocated.amount_minor, unallocated.currency)
    if left:
        raise_for_payment(
            "deposit_unallocated",
            payment,
            now=now,
            reason="exceeds_invoice",
            left=left,
            quote=number,
            invoice=invoice.number,
        )
    # No effects to apply: a draft had neither a request nor a checkout.
    if invoice.amount_due_minor == 0:
        move(invoice, "paid", by=by, now=now, paid_at=now)


@needs(Permission.CORRECT_PARTIES)
@transaction.atomic
def correct_parties(
    invoice: Invoice, *, columns: Collection[str], expected_version: int, by: Actor, now: datetime
) -> Invoice:
    """Replaces parties of a sent invoice by what they are now, as a new version; the event keeps the version before.

    `columns` names which: issued_by, issued_to. The customer's link shows the new version at once; no mail is sent.
    Raises Conflict unless the invoice is sent or paid, and when the columns would stay as they are; Stale when the
    version is not the expected one (DESIGN D8).
    """
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status not in ("sent", "paid"):
        raise Conflict(reason=f"correct_{invoice.status}_invoice")
    preconditions.check_version(invoice, expected_version)
    before = versions.snapshot(invoice)
    present = parties.freeze(invoice.organization, invoice.customer)
    replaced = {name: party for name, party in present.items() if name in columns}
    if all(before[name] == party.pk for name, party in replaced.items()):
        raise Conflict(reason="parties_unchanged")
    for name, party in replaced.items():
        setattr(invoice, name, party)
    invoice.version += 1
    invoice.save(update_fields=["version", *replaced])
    data = {"issued_by": invoice.issued_by_id, "issued_to": invoice.issued_to_id, "before": before}
    events.record("invoice.parties_corrected", invoice, by=by, now=now, data=data)
    return invoice


@needs(Permission.SEND_INVOICES)
@transaction.atomic
def resend(invoice: Invoice, *, by: Actor, now: datetime, idempotency_key: str | None = None) -> Invoice:
    """Mails the link to the invoice page again, once for each `idempotency_key` (P8); raises InvoiceNotSent."""
    invoice = Invoice.objects.locked(invoice.pk)
    if events.by_idempotency_key(invoice.organization, idempotency_key):
        return invoice
    if invoice.status not in ("sent", "paid"):
        raise InvoiceNotSent()
    data = {"email": invoice.customer.email}
    event = events.record(
        "invoice.resent", invoice, by=by, now=now, data=data, idempotency_key=idempotency_key
    )
    _queue_mail(invoice, event)
    return invoice


def _queue_mail(invoice: Invoice, event: Event, *, changed: bool = False) -> None:
    data = {"amount_due_minor": invoice.amount_due_minor, "currency": invoice.currency}
    if changed:
        data["changed"] = True
    outbox.queue("invoice_sent", event, Recipients(to=[invoice.customer.email], data=data))


@needs(Permission.VOID_INVOICES)
@closes_checkouts
def void(
    invoice: Invoice,
    *,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
    idempotency_key: str | None = None,
) -> Invoice:
    """Ends an unpaid invoice: cancels its open request and its checkout (DESIGN D3).

    The quote that it was made of is accepted again, so that another invoice can be made of it. The same
    `idempotency_key` again changes nothing (P8). Raises PaymentInProgress while a payment is committed, Conflict when
    payments are allocated or it has ended already, Stale when it has another version than expected (DESIGN D8). See
    `voiding.void_paid` for an invoice that was paid.
    """
    # The quote before its invoice, as acts on its deposit lock them; the other way round the two could deadlock.
    quote = Quote.objects.locked(invoice.quote_id) if invoice.quote_id is not None else None
    invoice = Invoice.objects.locked(invoice.pk)
    if events.caused_by(invoice.organization_id, idempotency_key):
        return invoice
    if not_allowed := void_unavailable_reason(invoice):
        raise not_allowed
    preconditions.check_version(invoice, expected_version)
    # Before the state changes: a committed payment raises here, and then the invoice is not void (D3).
    amount_due.cancel_collection(invoice, reason="invoice_voided", by=by, now=now)
    end_as_void(invoice, quote, by=by, now=now, idempotency_key=idempotency_key)
    return invoice


def end_as_void(
    invoice: Invoice,
    quote: Quote | None,
    *,
    by: Actor,
    now: datetime,
    data: dict[str, object] | None = None,
    idempotency_key: str | None = None,
) -> None:
    """Voids a locked invoice on which no payment is any more and nothing is collected; `quote` is its locked quote.

    What was settled is taken back, and the quote is accepted again. data, idempotency_key: those of the event.
    """
    adjustments.take_back(invoice, cause="invoice_voided", by=by, now=now)
    if invoice.status == "paid":
        # All that was paid or settled is gone, so this opens it again; only an open invoice can be voided.
        amount_due.apply_effects(invoice, reason="invoice_voided", by=by, now=now)
    version = invoice.version + 1
    move(invoice, "void", by=by, now=now, data=data, idempotency_key=idempotency_key, version=version)
    if quote is None:
        return
    move(quote, "accepted", by=by, now=now, data={"invoice": invoice.pk, "number": invoice.number or ""})
    # A deposit that no invoice has taken yet waits for the next one. One that had been on this invoice does not come
    # back to the quote (D2): it is credit, and a member decides where it goes.
    deposits = Payment.objects.deposits().without_waiting_deposits().filter(quote=quote)
    deposit = deposits.select_related("quote").first()
    if deposit is not None and (unallocated := allocations.unallocated(deposit)):
        raise_for_payment(
            "deposit_unallocated",
            deposit,
            now=now,
            reason="invoice_voided",
            left=unallocated,
            quote=deposit.document.number,
        )


@needs(Permission.EDIT_INVOICES)
@transaction.atomic
def delete_draft(invoice: Invoice, *, by: Actor, now: datetime, expected_version: int | None = None) -> None:
    """Deletes a draft, which never had a number; the event of it keeps the content whole.

    The quote that it was made of is accepted again. Raises Conflict once it was sent, Stale when it has another version
    than expected (DESIGN D8).
    """
    quote = Quote.objects.locked(invoice.quote_id) if invoice.quote_id is not None else None
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.status != "draft":
        raise Conflict(reason="delete_sent_invoice")
    preconditions.check_version(invoice, expected_version)
    data = {**_event_data(invoice), "invoice": invoice.pk, "before": versions.snapshot(invoice)}
    # About the customer, because no row of the invoice is left that it could be about.
    events.record("invoice.deleted", invoice.customer, by=by, now=now, data=data)
    if quote is not None:
        move(quote, "accepted", by=by, now=now, data={"invoice": invoice.pk, "number": "", "deleted": True})
    # The database refuses it while anything but lines and events belongs to the draft.
    invoice.delete()


def void_unavailable_reason(invoice: Invoice) -> Conflict | None:
    """Returns the error that `void` raises for any version and whatever payment is under way, or None (D2, D3)."""
    if invoice.status not in ("draft", "sent"):
        return Conflict(reason=f"void_{invoice.status}")
    if not invoice.amount_paid_minor:
        return None
    payments = allocations.payments_on_invoice(invoice)
    if invoice.quote is not None and all(payment.quote_id for payment, _ in payments):
        return Conflict(reason="void_with_deposit", quote=invoice.quote.number, paid=invoice.amount_paid)
    return Conflict(reason="void_with_payments", paid=invoice.amount_paid)


@transaction.atomic(durable=True)
def mark_opened(invoice: Invoice, *, now: datetime) -> None:
    """Records the first time that the customer's browser showed the invoice."""
    # The condition lets one of two tabs record it, without a lock that a payment would wait for.
    if Invoice.objects.filter(pk=invoice.pk, opened_at__isnull=True).update(opened_at=now):
        events.record("invoice.opened", invoice, by=events.customer_actor(invoice.customer), now=now)
