"""Writes, sends, accepts, declines and expires quotes, and makes the invoice of an accepted one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from partway.accounts.models import Organization
from partway.gateways.protocol import Gateway, OutcomeUnknown, Refused
from partway.lib import clock
from partway.lib.money import MAX_AMOUNT_MINOR, Money

from .. import events, outbox, preconditions
from ..checkouts import gateway_calls
from ..errors import Conflict, Invalid, Stale, TooLate
from ..events import CLOCK, Actor
from ..models import Customer, Event, Invoice, Payment, Quote, QuoteTerms
from ..models.quotes import DepositKind
from ..outbox import Recipients
from ..states import move
from . import amounts, drafts, invoices
from .deposits import cancel_checkout
from .drafts import Line
from .numbering import next_quote_number

__all__ = [
    "AcceptanceEvidence",
    "Line",
    "QuoteDraft",
    "accept",
    "change_terms",
    "create",
    "create_invoice",
    "decline",
    "default_deposit",
    "deposit_minor",
    "edit",
    "expire",
    "is_past_valid_until",
    "mark_opened",
    "quote_terms",
    "resend",
    "send",
]


@dataclass(frozen=True, slots=True)
class QuoteDraft:
    """A quote as a member writes it; the deposit is an amount in minor units, or a percentage of the total."""

    customer: Customer
    currency: str
    valid_until: date
    lines: tuple[Line, ...]
    discount_kind: str = ""
    discount_percent: Decimal = Decimal(0)
    discount_amount_minor: int = 0
    notes: str = ""
    deposit_kind: str = ""
    deposit_percent: Decimal = Decimal(0)
    deposit_amount_minor: int = 0


def quote_terms(organization: Organization) -> QuoteTerms:
    """How it numbers its quotes and which deposit it usually asks for; the plain terms when none were stored."""
    return QuoteTerms.objects.filter(pk=organization.pk).first() or QuoteTerms(organization=organization)


def default_deposit(organization: Organization, total: Money) -> tuple[str, Decimal, int]:
    """(kind, percent, amount in minor units) that the organization asks for on a quote of this total."""
    terms = quote_terms(organization)
    none = "", Decimal(0), 0
    same_currency = total.currency == organization.currency
    if same_currency and total.amount_minor < terms.deposit_threshold_minor:
        return none
    if terms.deposit_kind == "amount":
        most = min(terms.deposit_amount_minor, total.amount_minor)
        return ("amount", Decimal(0), most) if same_currency and most else none
    return terms.deposit_kind, terms.deposit_percent, 0


@transaction.atomic
def create(organization: Organization, *, draft: QuoteDraft, by: Actor, now: datetime) -> Quote:
    """Write a new draft; raises Invalid with the fields that are wrong."""
    _check(draft, organization)
    quote = Quote(organization=organization, created_at=now)
    _fill(quote, draft)
    quote.save(force_insert=True)
    drafts.write_lines(quote, draft)
    events.record("quote.created", quote, by=by, now=now, data=_figures(quote))
    return quote


@transaction.atomic
def edit(quote: Quote, *, draft: QuoteDraft, version: int, by: Actor, now: datetime) -> Quote:
    """Replace a draft's contents; raises Stale when somebody saved since `version` was read (DESIGN D8)."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "draft":
        raise Conflict("Only a draft can be edited. Write a new quote instead.")
    if quote.version != version:
        raise Stale()
    _check(draft, quote.organization)
    before = _figures(quote)
    _fill(quote, draft)
    quote.version = version + 1
    quote.save()
    drafts.write_lines(quote, draft)
    events.record("quote.edited", quote, by=by, now=now, data={**_figures(quote), "before": before})
    return quote


def _fill(quote: Quote, draft: QuoteDraft) -> None:
    drafts.fill(quote, draft)
    quote.valid_until = draft.valid_until
    quote.deposit_kind = draft.deposit_kind
    quote.deposit_percent = draft.deposit_percent if draft.deposit_kind == "percent" else Decimal(0)
    quote.deposit_amount_minor = draft.deposit_amount_minor if draft.deposit_kind == "amount" else 0
    quote.deposit_minor = deposit_minor(draft, quote.total_minor)


def deposit_minor(draft: QuoteDraft | Quote, total_minor: int) -> int:
    """What the deposit terms come to, in minor units: a percentage rounds half up and is at most the total (M1)."""
    if draft.deposit_kind == "percent":
        return min(amounts.percent_of(total_minor, draft.deposit_percent), total_minor)
    return draft.deposit_amount_minor if draft.deposit_kind == "amount" else 0


def _check(draft: QuoteDraft, organization: Organization) -> None:
    errors = drafts.field_errors(draft, organization) or _wrong_deposit(draft)
    if errors:
        raise Invalid(errors)


def _wrong_deposit(draft: QuoteDraft) -> dict[str, str]:
    total = drafts.compute_totals(draft).total_minor
    if draft.deposit_kind not in DepositKind.values:
        return {"deposit_kind": "Choose no deposit, a percentage or an amount."}
    if draft.deposit_kind == "percent" and not _is_share(draft.deposit_percent):
        return {"deposit_percent": "Enter a percentage above 0, at most 100, with at most four decimals."}
    if draft.deposit_kind == "amount" and not 0 < draft.deposit_amount_minor <= total:
        most = Money(total, draft.currency)
        return {"deposit_amount": f"Enter an amount above zero, at most the total of {most}."}
    return {}


def _is_share(percent: Decimal) -> bool:
    return drafts.is_percentage(percent) and percent > 0


def _figures(quote: Quote) -> dict[str, object]:
    return {
        "total_minor": quote.total_minor,
        "deposit_minor": quote.deposit_minor,
        "currency": quote.currency,
        "valid_until": quote.valid_until.isoformat(),
    }


@transaction.atomic
def send(quote: Quote, *, by: Actor, now: datetime, version: int | None = None) -> Quote:
    """Give a draft its number, freeze its deposit, and mail the customer the link to the quote page.

    Raises Conflict when it is not a draft any more, Stale when it is not the `version` that a page showed (DESIGN D8),
    Invalid when it offers nothing, its last day is over, or no checkout takes its deposit.
    """
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "draft":
        raise Conflict("This quote was already sent.")
    preconditions.check_version(quote, version)
    _check_sendable(quote, now)
    number = next_quote_number(quote.organization_id)
    data = {**_figures(quote), "number": number, "email": quote.customer.email}
    event = move(quote, "sent", by=by, now=now, data=data, number=number, sent_at=now)
    _queue_mail(quote, event)
    return quote


def _check_sendable(quote: Quote, now: datetime) -> None:
    if quote.total_minor == 0:
        raise Invalid({"lines": "This quote offers nothing. Add a line with a price before you send it."})
    if quote.valid_until < clock.today(now, quote.organization.time_zone):
        raise Invalid({"valid_until": "This day is over. Choose one that is still to come."})
    account = quote.organization.gateway_accounts.filter(is_current=True).first()
    if account is not None and quote.deposit_minor:
        # An account that cannot be opened takes nothing, so there is no rule that the deposit could break.
        with suppress(Refused, OutcomeUnknown):
            _check_takeable(quote, gateway_calls.gateway_for_account(account))


def _check_takeable(quote: Quote, gateway: Gateway) -> None:
    """A deposit that no checkout takes must not be frozen: it could never be paid online."""
    least = Money(gateway.minimum(quote.currency), quote.currency)
    step = Money(gateway.step(quote.currency), quote.currency)
    if quote.deposit < least:
        raise Invalid(
            {"deposit": f"A deposit of {quote.deposit} cannot be paid online; the least is {least}."}
        )
    if quote.deposit_minor % step.amount_minor:
        raise Invalid(
            {"deposit": f"{quote.deposit} cannot be paid online: make the deposit a multiple of {step}."}
        )


@transaction.atomic
def resend(quote: Quote, *, by: Actor, now: datetime) -> Quote:
    """Mail the link to the quote page again."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status == "draft":
        raise Conflict("Send the quote first; then its link can be mailed again.")
    if quote.status not in ("sent", "accepted"):
        raise TooLate(f"This quote is {quote.get_status_display().lower()}; its link is not mailed any more.")
    if quote.status == "sent" and is_past_valid_until(quote, now):
        raise TooLate("The last day of this quote is over; its link is not mailed any more.")
    event = events.record("quote.resent", quote, by=by, now=now, data={"email": quote.customer.email})
    _queue_mail(quote, event)
    return quote


def _queue_mail(quote: Quote, event: Event) -> None:
    outbox.queue("quote_sent", event, Recipients(to=[quote.customer.email], data=_figures(quote)))


# What the customer decides


@dataclass(frozen=True, slots=True)
class AcceptanceEvidence:
    """Who accepted, as typed, and from which address."""

    name: str
    address: str | None


@transaction.atomic
def accept(quote: Quote, *, evidence: AcceptanceEvidence, by: Actor, now: datetime) -> Quote:
    """The customer agrees; the name, the time and the address are kept. Raises TooLate when it ended before.

    Accepting what was accepted already is no error: two clicks are one decision.
    """
    quote = Quote.objects.locked(quote.pk)
    name = evidence.name.strip()
    if quote.status in ("accepted", "invoiced"):
        return quote
    if not 0 < len(name) <= 120:
        raise Invalid({"name": "Type your name to accept."})
    _check_open(quote, now)
    columns = {"accepted_by": name, "accepted_at": now, "accepted_ip": evidence.address}
    data = {**_figures(quote), "name": name, "address": evidence.address}
    event = move(quote, "accepted", by=by, now=now, data=data, **columns)
    to = [quote.organization.email]
    outbox.queue(
        "quote_accepted", event, Recipients(to=to, reply_to=quote.customer.email, data=_figures(quote))
    )
    return quote


@transaction.atomic
def decline(quote: Quote, *, reason: str, by: Actor, now: datetime) -> Quote:
    """The customer says no; raises TooLate when it was accepted or ended before."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status == "declined":
        return quote
    _check_open(quote, now)
    data = {**_figures(quote), "reason": reason.strip()[:1000]}
    event = move(quote, "declined", by=by, now=now, data=data)
    to = [quote.organization.email]
    outbox.queue("quote_declined", event, Recipients(to=to, reply_to=quote.customer.email, data=data))
    return quote


def _check_open(quote: Quote, now: datetime) -> None:
    if quote.status == "draft":
        raise Conflict("This quote was not sent yet.")
    if quote.status != "sent":
        raise TooLate(f"This quote is {quote.get_status_display().lower()} already.")
    if is_past_valid_until(quote, now):
        raise TooLate("This quote is no longer valid. Ask for a new one.")


def is_past_valid_until(quote: Quote, now: datetime) -> bool:
    """Whether its last day is over where the organization is (DESIGN D7)."""
    return quote.valid_until < clock.today(now, quote.organization.time_zone)


@transaction.atomic
def expire(quote: Quote, *, now: datetime) -> bool:
    """End a sent quote whose last day is over; True if it ended."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "sent" or not is_past_valid_until(quote, now):
        return False
    move(quote, "expired", by=CLOCK, now=now)
    return True


@transaction.atomic(durable=True)
def mark_opened(quote: Quote, *, now: datetime) -> None:
    """Note the first time the customer's browser showed the quote."""
    if Quote.objects.filter(pk=quote.pk, opened_at__isnull=True).update(opened_at=now):
        events.record("quote.opened", quote, by=events.customer_actor(quote.customer), now=now)


# The invoice


def create_invoice(quote: Quote, *, by: Actor, now: datetime, version: int | None = None) -> Invoice:
    """Turn an accepted quote into a draft invoice, once; its deposit stands on it when that is sent (DESIGN D2).

    Raises PaymentInProgress while the deposit's payment is committed, Conflict unless the quote is accepted, Stale when
    it is not the `version` that a page showed (DESIGN D8).
    """
    invoice, to_close = _make_invoice(quote, version, by, now)
    if to_close is not None:
        gateway_calls.close(to_close, now=now)
    return invoice


@transaction.atomic(durable=True)
def _make_invoice(
    quote: Quote, version: int | None, by: Actor, now: datetime
) -> tuple[Invoice, Payment | None]:
    quote = Quote.objects.locked(quote.pk)
    if quote.status == "invoiced":
        return Invoice.objects.get(quote=quote), None
    if quote.status != "accepted":
        raise Conflict("Only an accepted quote can be made into an invoice.")
    preconditions.check_version(quote, version)
    to_close = cancel_checkout(quote, by, now)
    today = clock.today(now, quote.organization.time_zone)
    draft = invoices.InvoiceDraft(
        customer=quote.customer,
        currency=quote.currency,
        due_on=today + timedelta(days=quote.organization.default_due_days),
        lines=tuple(_copied(quote)),
        discount_kind=quote.discount_kind,
        discount_percent=quote.discount_percent,
        discount_amount_minor=quote.discount_amount_minor,
        notes=quote.notes,
    )
    invoice = invoices.create(quote.organization, draft=draft, by=by, now=now, quote=quote)
    move(quote, "invoiced", by=by, now=now, data={"invoice": invoice.pk})
    return invoice, to_close


def _copied(quote: Quote) -> list[Line]:
    return [
        Line(line.description, line.quantity, line.unit_amount_minor, line.tax_percent)
        for line in quote.lines.all()
    ]


@transaction.atomic
def change_terms(organization: Organization, *, terms: QuoteTerms, by: Actor, now: datetime) -> QuoteTerms:
    """Store how an organization numbers its quotes and its usual deposit; quotes already written keep theirs."""
    errors = _wrong_terms(terms)
    if errors:
        raise Invalid(errors)
    before = _terms(quote_terms(organization))
    new = _terms(terms)
    # The counter of numbers is not ours to write: somebody may be sending a quote at this moment.
    stored, _ = QuoteTerms.objects.update_or_create(pk=organization.pk, defaults=new)
    if new != before:
        changed = {name: str(value) for name, value in before.items() if new[name] != value}
        data = {"before": changed}
        events.record("organization.quote_terms_changed", organization, by=by, now=now, data=data)
    return stored


def _terms(terms: QuoteTerms) -> dict[str, Any]:
    percent = terms.deposit_percent if terms.deposit_kind == "percent" else Decimal(0)
    amount = terms.deposit_amount_minor if terms.deposit_kind == "amount" else 0
    return {
        "prefix": terms.prefix,
        "deposit_kind": terms.deposit_kind,
        "deposit_percent": percent,
        "deposit_amount_minor": amount,
        "deposit_threshold_minor": terms.deposit_threshold_minor,
    }


def _wrong_terms(terms: QuoteTerms) -> dict[str, str]:
    errors = {}
    if terms.deposit_kind not in DepositKind.values:
        errors["deposit_kind"] = "Choose no deposit, a percentage or an amount."
    if terms.deposit_kind == "percent" and not _is_share(terms.deposit_percent):
        errors["deposit_percent"] = "Enter a percentage above 0, at most 100, with at most four decimals."
    if terms.deposit_kind == "amount" and not 0 < terms.deposit_amount_minor <= MAX_AMOUNT_MINOR:
        errors["deposit_amount"] = "Enter an amount above zero."
    if not 0 <= terms.deposit_threshold_minor <= MAX_AMOUNT_MINOR:
        errors["deposit_threshold"] = "Enter zero or more."
    if len(terms.prefix) > 12 or terms.prefix[-1:].isdigit():
        # Q1 and number 2 would look like Q and number 12, and no number may be given twice.
        errors["prefix"] = "Use at most 12 characters, and end with a letter or a mark, like QUO-."
    return errors
