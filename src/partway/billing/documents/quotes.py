"""Creates, edits, deletes, sends, accepts, declines and expires quotes, and makes the invoice of an accepted one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib import clock
from partway.lib.money import Money

from .. import events, external_fields, outbox, parties, preconditions
from ..checkouts import online_amounts
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, FieldError, Invalid, Stale, TooLate, field_error
from ..events import CLOCK, Actor
from ..models import Customer, Event, Invoice, Quote
from ..models.quotes import DepositKind
from ..outbox import Recipients
from ..states import move
from . import amounts, deposits, drafts, invoices, quote_terms
from .drafts import LineDraft
from .numbering import next_quote_number
from .versions import line_data

MAX_NAME_LENGTH = 120
MAX_DECLINE_REASON_LENGTH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDraft(drafts.DocumentContent):
    """The content of a quote as a member writes it; its deposit is an amount in minor units or a percentage."""

    valid_until: date
    deposit_kind: str = ""
    deposit_percent: Decimal = Decimal(0)
    deposit_amount_minor: int = 0


@needs(Permission.EDIT_QUOTES)
@transaction.atomic
def create(
    organization: Organization,
    *,
    draft: QuoteDraft,
    by: Actor,
    now: datetime,
    idempotency_key: str | None = None,
) -> Quote:
    """Creates a draft quote; the same `idempotency_key` again returns the quote it created (P8).

    Raises Invalid with the wrong fields, lines as `lines.0.quantity`; ExternalReferenceTaken.
    """
    if previous := events.by_idempotency_key(organization, idempotency_key):
        if previous.quote:
            return previous.quote
        idempotency_key = None  # that draft was deleted, so this writes another
    _check(draft, organization, now)
    draft = drafts.with_stored_customer(draft, organization, by=by, now=now)
    quote = Quote(organization=organization, created_at=now)
    _fill(quote, draft)
    external_fields.insert(quote, draft.external)
    drafts.write_lines(quote, draft)
    data = event_data(quote)
    events.record("quote.created", quote, by=by, now=now, data=data, idempotency_key=idempotency_key)
    return quote


@needs(Permission.EDIT_QUOTES)
@transaction.atomic
def edit(quote: Quote, *, draft: QuoteDraft, expected_version: int, by: Actor, now: datetime) -> Quote:
    """Replaces the content of a draft quote.

    Raises Conflict when it is not a draft, Stale when it has another version than expected (DESIGN D8), Invalid with
    the wrong fields.
    """
    # Locks the customer first, as a change of their name does, which writes their quotes.
    Customer.objects.locked(quote.customer_id)
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "draft":
        raise Conflict(reason="edit_sent_quote")
    if quote.version != expected_version:
        raise Stale()
    _check(draft, quote.organization, now, stored_day=quote.valid_until)
    before = event_data(quote)
    external_fields.change(quote, draft.external, by=by, now=now)
    draft = drafts.with_stored_customer(draft, quote.organization, by=by, now=now)
    _fill(quote, draft)
    quote.version = expected_version + 1
    quote.save()
    drafts.write_lines(quote, draft)
    events.record("quote.edited", quote, by=by, now=now, data={**event_data(quote), "before": before})
    return quote


@needs(Permission.EDIT_QUOTES)
@transaction.atomic
def delete_draft(quote: Quote, *, by: Actor, now: datetime, expected_version: int | None = None) -> None:
    """Deletes a draft, which never had a number; raises Conflict once it was sent, Stale as `invoices.delete_draft`."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "draft":
        raise Conflict(reason="delete_sent_quote")
    preconditions.check_version(quote, expected_version)
    data = {**event_data(quote), "quote": quote.pk, "notes": quote.notes, "lines": line_data(quote)}
    events.record("quote.deleted", quote.customer, by=by, now=now, data=data)
    quote.delete()


def _check(
    draft: QuoteDraft, organization: Organization, now: datetime, *, stored_day: date | None = None
) -> None:
    errors = drafts.field_errors(draft, organization) or _deposit_errors(draft)
    if error := drafts.day_error(draft.valid_until, organization, now, stored=stored_day):
        errors["valid_until"] = error
    if errors:
        raise Invalid(errors)


def _deposit_errors(draft: QuoteDraft) -> dict[str, FieldError]:
    total = Money(drafts.compute_totals(draft).total_minor, draft.currency)
    if draft.deposit_kind not in DepositKind.values:
        return {"deposit_kind": field_error("deposit_kind")}
    if draft.deposit_kind == "percent" and not quote_terms.is_deposit_percentage(draft.deposit_percent):
        return {"deposit_percent": field_error("deposit_percent")}
    if draft.deposit_kind == "amount" and not 0 < draft.deposit_amount_minor <= total.amount_minor:
        return {"deposit_amount": field_error("deposit_amount", total=total)}
    return {}


def _fill(quote: Quote, draft: QuoteDraft) -> None:
    drafts.fill(quote, draft)
    quote.valid_until = draft.valid_until
    quote.deposit_kind = draft.deposit_kind
    quote.deposit_percent = draft.deposit_percent if draft.deposit_kind == "percent" else Decimal(0)
    quote.deposit_amount_minor = draft.deposit_amount_minor if draft.deposit_kind == "amount" else 0
    # Stored, not derived: the customer pays the amount that was on the quote they accepted (D1).
    quote.deposit_minor = deposit_minor(draft, quote.total_minor)


def deposit_minor(draft: QuoteDraft | Quote, total_minor: int) -> int:
    """Returns the deposit in minor units: a percentage is rounded half up and is at most the total (DESIGN M1)."""
    if draft.deposit_kind == "percent":
        return min(amounts.percent_of(total_minor, draft.deposit_percent), total_minor)
    return draft.deposit_amount_minor if draft.deposit_kind == "amount" else 0


def with_default_deposit(draft: QuoteDraft, organization: Organization) -> QuoteDraft:
    """Returns the draft with the usual deposit on its total."""
    total = Money(drafts.compute_totals(draft).total_minor, draft.currency)
    kind, percent, amount_minor = quote_terms.default_deposit(organization, total)
    return replace(draft, deposit_kind=kind, deposit_percent=percent, deposit_amount_minor=amount_minor)


def event_data(quote: Quote) -> dict[str, object]:
    """Returns what the events and mails of a quote say about its offer."""
    return {
        "total_minor": quote.total_minor,
        "deposit_minor": quote.deposit_minor,
        "currency": quote.currency,
        "valid_until": quote.valid_until.isoformat(),
    }


@needs(Permission.SEND_QUOTES)
@transaction.atomic
def send(
    quote: Quote,
    *,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
    idempotency_key: str | None = None,
) -> Quote:
    """Numbers a draft quote, freezes its deposit and its parties (DESIGN D9), and mails the customer its link.

    The same `idempotency_key` again changes nothing (P8). Raises Conflict when it is not a draft, Stale when it has
    another version than expected (DESIGN D8), Invalid when its total is zero, its last day is over, or the gateway
    takes no payment of its deposit.
    """
    quote = Quote.objects.locked(quote.pk)
    if events.caused_by(quote.organization_id, idempotency_key):
        return quote
    if quote.status != "draft":
        raise Conflict(reason="quote_already_sent")
    preconditions.check_version(quote, expected_version)
    if quote.total_minor == 0:
        raise Invalid({"lines": field_error("quote_without_total")})
    if is_past_valid_until(quote, now):
        raise Invalid({"valid_until": field_error("valid_until_in_past")})
    if error := deposit_error(quote.organization, quote.deposit):
        raise Invalid({"deposit": error})
    issued = parties.freeze(quote.organization, quote.customer)
    number = next_quote_number(quote.organization_id)
    data = {**event_data(quote), "number": number, "email": quote.customer.email}
    data |= parties.event_data(issued)
    columns: dict[str, Any] = {**issued, "number": number, "sent_at": now}
    event = move(quote, "sent", by=by, now=now, data=data, idempotency_key=idempotency_key, **columns)
    _queue_mail(quote, event)
    return quote


def deposit_error(organization: Organization, deposit: Money) -> FieldError | None:
    """Returns why the current gateway takes no payment of this deposit, which `send` refuses; None when it does."""
    online = online_amounts.of_organization(organization, deposit.currency)
    if online is None or not deposit or online.accepts(deposit):
        return None
    if deposit < online.minimum:
        return field_error("deposit_below_minimum", deposit=deposit, minimum=online.minimum)
    return field_error("deposit_not_multiple", deposit=deposit, step=online.step)


@needs(Permission.SEND_QUOTES)
@transaction.atomic
def resend(quote: Quote, *, by: Actor, now: datetime, idempotency_key: str | None = None) -> Quote:
    """Mails the link to the quote page again, once for each `idempotency_key` (P8).

    Raises Conflict for a draft, TooLate once the quote has ended.
    """
    quote = Quote.objects.locked(quote.pk)
    if events.by_idempotency_key(quote.organization, idempotency_key):
        return quote
    if quote.status == "draft":
        raise Conflict(reason="resend_draft_quote")
    if quote.status not in ("sent", "accepted"):
        raise TooLate(reason=f"resend_{quote.status}_quote")
    if quote.status == "sent" and is_past_valid_until(quote, now):
        raise TooLate(reason="resend_past_valid_until")
    data = {"email": quote.customer.email}
    event = events.record("quote.resent", quote, by=by, now=now, data=data, idempotency_key=idempotency_key)
    _queue_mail(quote, event)
    return quote


def _queue_mail(quote: Quote, event: Event) -> None:
    outbox.queue("quote_sent", event, Recipients(to=[quote.customer.email], data=event_data(quote)))


# The customer's decision


@dataclass(frozen=True, slots=True)
class AcceptanceEvidence:
    """The name that the customer typed to accept, and the IP address it came from."""

    name: str
    address: str | None


@transaction.atomic
def accept(quote: Quote, *, evidence: AcceptanceEvidence, by: Actor, now: datetime) -> Quote:
    """Records that the customer accepts, with name, time and IP address.

    Returns a quote that is accepted already unchanged: two clicks are one decision. Raises Invalid without a name,
    TooLate when the quote has ended.
    """
    quote = Quote.objects.locked(quote.pk)
    # The first acceptance is evidence, and a later name or address does not replace it.
    if quote.status in ("accepted", "invoiced"):
        return quote
    name = evidence.name.strip()
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise Invalid({"name": field_error("acceptance_name")})
    check_open(quote, now)
    data = {**event_data(quote), "name": name, "address": evidence.address}
    columns: dict[str, Any] = {"accepted_by": name, "accepted_at": now, "accepted_ip": evidence.address}
    event = move(quote, "accepted", by=by, now=now, data=data, **columns)
    to, reply_to = [quote.organization.email], quote.customer.email
    outbox.queue("quote_accepted", event, Recipients(to=to, reply_to=reply_to, data=event_data(quote)))
    return quote


@transaction.atomic
def decline(quote: Quote, *, reason: str, by: Actor, now: datetime) -> Quote:
    """Records that the customer declines; raises TooLate when the quote was accepted or has ended."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status == "declined":
        return quote
    check_open(quote, now)
    data = {**event_data(quote), "reason": reason.strip()[:MAX_DECLINE_REASON_LENGTH]}
    event = move(quote, "declined", by=by, now=now, data=data)
    to, reply_to = [quote.organization.email], quote.customer.email
    outbox.queue("quote_declined", event, Recipients(to=to, reply_to=reply_to, data=data))
    return quote


def check_open(quote: Quote, now: datetime) -> None:
    """Returns while the customer can accept or decline; raises Conflict for a draft, TooLate once it has ended."""
    if quote.status == "draft":
        raise Conflict(reason="quote_not_sent")
    if quote.status != "sent":
        raise TooLate(reason=f"quote_{quote.status}")
    if is_past_valid_until(quote, now):
        raise TooLate(reason="quote_past_valid_until")


def is_past_valid_until(quote: Quote, now: datetime) -> bool:
    """Returns whether the quote's last day is over in the organization's time zone (DESIGN D7)."""
    return quote.valid_until < clock.today(now, quote.organization.time_zone)


@transaction.atomic
def expire(quote: Quote, *, now: datetime) -> bool:
    """Expires a sent quote whose last day is over; returns whether it expired now."""
    quote = Quote.objects.locked(quote.pk)
    # Asked again under the lock: the customer may have accepted since the worker read the list.
    if quote.status != "sent" or not is_past_valid_until(quote, now):
        return False
    move(quote, "expired", by=CLOCK, now=now)
    return True


@transaction.atomic(durable=True)
def mark_opened(quote: Quote, *, now: datetime) -> None:
    """Records the first time that the customer's browser showed the quote."""
    if Quote.objects.filter(pk=quote.pk, opened_at__isnull=True).update(opened_at=now):
        events.record("quote.opened", quote, by=events.customer_actor(quote.customer), now=now)


# The invoice


@needs(Permission.INVOICE_QUOTES)
@closes_checkouts
def create_invoice(
    quote: Quote,
    *,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
    idempotency_key: str | None = None,
) -> Invoice:
    """Makes a draft invoice of an accepted quote, once; sending it allocates the deposit to it (DESIGN D2).

    After that invoice was voided, the quote is accepted again and another one can be made of it. Returns the invoice of
    a quote that is invoiced already; the same `idempotency_key` again returns the one it made, which may be void by
    then (P8). Raises PaymentInProgress while the deposit's payment is committed, Conflict unless
    the quote is accepted, Stale when it has another version than expected (DESIGN D8).
    """
    Customer.objects.locked(quote.customer_id)  # before the quote, as a change of their name does
    quote = Quote.objects.locked(quote.pk)
    if previous := events.caused_by(quote.organization_id, idempotency_key):
        if made := Invoice.objects.filter(pk=previous.data["invoice"]).first():
            return made
        idempotency_key = None  # that draft was deleted, so this makes another
    if quote.status == "invoiced":
        return Invoice.objects.of_quote(quote).get()
    if quote.status != "accepted":
        raise Conflict(reason="invoice_before_acceptance")
    preconditions.check_version(quote, expected_version)
    # An invoiced quote takes no deposit any more, so a checkout that waits for its customer ends here (D2).
    deposits.cancel_checkout(quote, by=by, now=now)
    draft = invoices.InvoiceDraft(
        customer=quote.customer,
        currency=quote.currency,
        due_days=quote.organization.default_due_days,
        lines=tuple(
            LineDraft(line.description, line.quantity, line.unit_amount_minor, line.tax_percent)
            for line in quote.lines.all()
        ),
        discount_kind=quote.discount_kind,
        discount_percent=quote.discount_percent,
        discount_amount_minor=quote.discount_amount_minor,
        notes=quote.notes,
    )
    invoice = invoices.create(quote.organization, draft=draft, by=by, now=now, quote=quote)
    data = {"invoice": invoice.pk}
    move(quote, "invoiced", by=by, now=now, data=data, idempotency_key=idempotency_key)
    return invoice
