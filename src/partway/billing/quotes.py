"""Writes, sends, accepts, declines and expires quotes; takes their deposit in full; makes the invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from partway.accounts.models import Organization
from partway.lib import clock
from partway.lib.money import Money

from . import amounts, checkouts, drafts, events, invoices, outbox
from .drafts import Line
from .errors import Conflict, Invalid, PaymentInProgress, Stale, TooLate
from .events import CLOCK, Actor
from .models import Customer, Event, Invoice, Payment, Quote, QuoteTerms
from .numbering import next_quote_number
from .outbox import Envelope
from .states import move

_USUAL_TERM = timedelta(days=14)
OFFLINE_METHODS = ("cash", "check", "bank transfer", "card terminal", "other")


@dataclass(frozen=True, slots=True)
class Offer:
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


def usual_deposit(organization: Organization, total: Money) -> tuple[str, Decimal, int]:
    """(kind, percent, amount in minor units) that the organization asks for on a quote of this total."""
    terms = QuoteTerms.objects.filter(pk=organization.pk).first()
    same_currency = total.currency == organization.currency
    if terms is None or (same_currency and total.amount_minor < terms.deposit_threshold_minor):
        return "", Decimal(0), 0
    if terms.deposit_kind == "amount" and not same_currency:
        return "", Decimal(0), 0
    return terms.deposit_kind, terms.deposit_percent, terms.deposit_amount_minor


@transaction.atomic
def create(organization: Organization, *, offer: Offer, by: Actor, now: datetime) -> Quote:
    """Write a new draft; raises Invalid with the fields that are wrong."""
    _check(offer, organization)
    quote = Quote(organization=organization, created_at=now)
    _fill(quote, offer)
    quote.save(force_insert=True)
    drafts.write_lines(quote, offer)
    events.record("quote.created", quote, by=by, now=now, data=_figures(quote))
    return quote


@transaction.atomic
def edit(quote: Quote, *, offer: Offer, version: int, by: Actor, now: datetime) -> Quote:
    """Replace a draft's contents; raises Stale when somebody saved since `version` was read (DESIGN D8)."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "draft":
        raise Conflict("Only a draft can be edited. Write a new quote instead.")
    if quote.version != version:
        raise Stale()
    _check(offer, quote.organization)
    before = _figures(quote)
    _fill(quote, offer)
    quote.version = version + 1
    quote.save()
    drafts.write_lines(quote, offer)
    events.record("quote.edited", quote, by=by, now=now, data={**_figures(quote), "before": before})
    return quote


def _fill(quote: Quote, offer: Offer) -> None:
    drafts.fill(quote, offer)
    quote.valid_until = offer.valid_until
    quote.deposit_kind = offer.deposit_kind
    quote.deposit_percent = offer.deposit_percent if offer.deposit_kind == "percent" else Decimal(0)
    quote.deposit_amount_minor = offer.deposit_amount_minor if offer.deposit_kind == "amount" else 0
    quote.deposit_minor = deposit_minor(offer, quote.total_minor)


def deposit_minor(offer: Offer | Quote, total_minor: int) -> int:
    """What the deposit terms come to, in minor units: a percentage rounds half up and is at most the total (M1)."""
    if offer.deposit_kind == "percent":
        return min(amounts.percent_of(total_minor, offer.deposit_percent), total_minor)
    return offer.deposit_amount_minor if offer.deposit_kind == "amount" else 0


def _check(offer: Offer, organization: Organization) -> None:
    wrong = drafts.wrong_fields(offer, organization) or _wrong_deposit(offer)
    if wrong:
        raise Invalid(wrong)


def _wrong_deposit(offer: Offer) -> dict[str, str]:
    total = drafts.figures(offer).total_minor
    if offer.deposit_kind == "percent" and not drafts.is_percentage(offer.deposit_percent):
        return {"deposit_percent": "Enter a percentage between 0 and 100, with at most four decimals."}
    if offer.deposit_kind == "amount" and not 0 < offer.deposit_amount_minor <= total:
        most = Money(total, offer.currency)
        return {"deposit_amount": f"Enter an amount above zero, at most the total of {most}."}
    return {}


def _figures(quote: Quote) -> dict[str, object]:
    return {
        "total_minor": quote.total_minor,
        "deposit_minor": quote.deposit_minor,
        "currency": quote.currency,
        "valid_until": quote.valid_until.isoformat(),
    }


@transaction.atomic
def send(quote: Quote, *, by: Actor, now: datetime) -> Quote:
    """Give a draft its number, freeze its deposit, and mail the customer the link to the quote page."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "draft":
        raise Conflict("This quote was already sent.")
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
    least = checkouts.gateway_of(account).minimum(quote.currency) if account else 0
    if 0 < quote.deposit_minor < least:
        words = f"A deposit of {quote.deposit} cannot be paid online; the least is {Money(least, quote.currency)}."
        raise Invalid({"deposit": words})


@transaction.atomic
def resend(quote: Quote, *, by: Actor, now: datetime) -> Quote:
    """Mail the link to the quote page again."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status not in ("sent", "accepted"):
        raise TooLate(f"This quote is {quote.get_status_display().lower()}; its link is not mailed any more.")
    event = events.record("quote.resent", quote, by=by, now=now, data={"email": quote.customer.email})
    _queue_mail(quote, event)
    return quote


def _queue_mail(quote: Quote, event: Event) -> None:
    outbox.queue("quote_sent", event, Envelope(to=[quote.customer.email], data=_figures(quote)))


# What the customer decides


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who accepted, as typed, and from which address."""

    name: str
    address: str | None


@transaction.atomic
def accept(quote: Quote, *, evidence: Evidence, by: Actor, now: datetime) -> Quote:
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
    columns = {"accepted_by": name, "accepted_at": now, "accepted_from": evidence.address}
    data = {**_figures(quote), "name": name, "address": evidence.address}
    event = move(quote, "accepted", by=by, now=now, data=data, **columns)
    to = [quote.organization.email]
    outbox.queue(
        "quote_accepted", event, Envelope(to=to, reply_to=quote.customer.email, data=_figures(quote))
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
    outbox.queue("quote_declined", event, Envelope(to=to, reply_to=quote.customer.email, data=data))
    return quote


def _check_open(quote: Quote, now: datetime) -> None:
    if quote.status != "sent":
        raise TooLate(f"This quote is {quote.get_status_display().lower()} already.")
    if has_outlived(quote, now):
        raise TooLate("This quote is no longer valid. Ask for a new one.")


def has_outlived(quote: Quote, now: datetime) -> bool:
    """Whether its last day is over where the organization is (DESIGN D7)."""
    return quote.valid_until < clock.today(now, quote.organization.time_zone)


@transaction.atomic
def expire(quote: Quote, *, now: datetime) -> bool:
    """End a sent quote whose last day is over; True if it ended."""
    quote = Quote.objects.locked(quote.pk)
    if quote.status != "sent" or not has_outlived(quote, now):
        return False
    move(quote, "expired", by=CLOCK, now=now)
    return True


@transaction.atomic(durable=True)
def mark_opened(quote: Quote, *, now: datetime) -> None:
    """Note the first time the customer's browser showed the quote."""
    if Quote.objects.filter(pk=quote.pk, opened_at__isnull=True).update(opened_at=now):
        events.record("quote.opened", quote, by=events.customer_actor(quote.customer), now=now)


# The deposit


def deposit_status(quote: Quote) -> str:
    """Derived: none, due, processing or paid."""
    if quote.deposit_minor == 0:
        return "none"
    if quote.payments.succeeded().exists():
        return "paid"
    return "processing" if quote.payments.committed().exists() else "due"


@dataclass(frozen=True, slots=True)
class OfflineDeposit:
    """A deposit that came by cash, check or transfer, as a member records it; always the whole of it."""

    method: str
    paid_on: date
    reference: str = ""
    remarks: str = ""


def record_deposit(quote: Quote, *, deposit: OfflineDeposit, by: Actor, now: datetime) -> Payment:
    """Book a deposit paid offline, in full; an open checkout for it is closed.

    Raises Invalid, PaymentInProgress while an online payment is committed, TooLate when it was paid already.
    """
    payment, to_close = _record_deposit(quote, deposit, by, now)
    if to_close is not None:
        checkouts.close(to_close, now=now)
    return payment


@transaction.atomic(durable=True)
def _record_deposit(
    quote: Quote, deposit: OfflineDeposit, by: Actor, now: datetime
) -> tuple[Payment, Payment | None]:
    quote = Quote.objects.locked(quote.pk)
    _check_recordable(quote, deposit, now)
    to_close = _withdraw_checkout(quote, by, now)
    payment = Payment(
        organization=quote.organization,
        quote=quote,
        status="succeeded",
        amount_minor=quote.deposit_minor,
        currency=quote.currency,
        captured_minor=quote.deposit_minor,
        captured_currency=quote.currency,
        method=deposit.method,
        paid_on=deposit.paid_on,
        reference=deposit.reference,
        remarks=deposit.remarks,
        created_at=now,
        settled_at=now,
        check_at=now,
    )
    payment.save(force_insert=True)
    stages = {"total_minor": quote.total_minor, "paid_before_minor": 0, "allocated_minor": 0}
    stages["deposit_minor"] = quote.deposit_minor
    data = {
        "from": "pending",
        "to": "succeeded",
        "amount_minor": quote.deposit_minor,
        "currency": quote.currency,
    }
    event = events.record("payment.recorded", payment, by=by, now=now, data={**data, **stages})
    outbox.queue_receipt(payment, event, stages)
    return payment, to_close


def _check_recordable(quote: Quote, deposit: OfflineDeposit, now: datetime) -> None:
    if quote.payments.succeeded().exists():
        raise TooLate("This deposit was already paid.")
    if quote.status != "accepted" or quote.deposit_minor == 0:
        raise Conflict("A deposit can be recorded once the quote is accepted.")
    if deposit.method not in OFFLINE_METHODS:
        raise Invalid({"method": "Choose how it was paid."})
    if deposit.paid_on > clock.today(now, quote.organization.time_zone):
        raise Invalid({"paid_on": "Choose a day that has come."})
    if len(deposit.reference) > 120 or len(deposit.remarks) > 400:
        raise Invalid({"reference": "Use at most 120 characters, and 400 for the remarks."})


def _withdraw_checkout(quote: Quote, by: Actor, now: datetime) -> Payment | None:
    """Under the quote's lock: refuse while a payment is committed, else end the one that only waits."""
    payment = quote.payments.unsettled().select_related("gateway_account").first()
    if payment is None:
        return None
    if payment.is_committed:
        raise PaymentInProgress(
            "The deposit is being paid right now. Wait until that is settled, then try again."
        )
    return payment if checkouts.withdraw(payment, by=by, now=now) else None


# The invoice


def make_invoice(quote: Quote, *, by: Actor, now: datetime) -> Invoice:
    """Turn an accepted quote into a draft invoice, once; its deposit stands on it when that is sent (DESIGN D2).

    Raises PaymentInProgress while the deposit's payment is committed, Conflict unless the quote is accepted.
    """
    invoice, to_close = _make_invoice(quote, by, now)
    if to_close is not None:
        checkouts.close(to_close, now=now)
    return invoice


@transaction.atomic(durable=True)
def _make_invoice(quote: Quote, by: Actor, now: datetime) -> tuple[Invoice, Payment | None]:
    quote = Quote.objects.locked(quote.pk)
    if quote.status == "invoiced":
        return Invoice.objects.get(quote=quote), None
    if quote.status != "accepted":
        raise Conflict("Only an accepted quote can be made into an invoice.")
    to_close = _withdraw_checkout(quote, by, now)
    today = clock.today(now, quote.organization.time_zone)
    draft = invoices.Draft(
        customer=quote.customer,
        currency=quote.currency,
        due_on=today + _USUAL_TERM,
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
    """Store how an organization numbers its quotes and which deposit it usually asks for."""
    wrong = _wrong_terms(terms)
    if wrong:
        raise Invalid(wrong)
    stored = QuoteTerms.objects.filter(pk=organization.pk).first()
    terms.organization = organization
    terms.next_number = stored.next_number if stored else 1
    terms.save()
    data = {"deposit_kind": terms.deposit_kind, "prefix": terms.prefix}
    events.record("organization.quote_terms_changed", organization, by=by, now=now, data=data)
    return terms


def _wrong_terms(terms: QuoteTerms) -> dict[str, str]:
    wrong = {}
    if terms.deposit_kind not in ("", "percent", "amount"):
        wrong["deposit_kind"] = "Choose how the deposit is reckoned."
    if terms.deposit_kind == "percent" and not drafts.is_percentage(terms.deposit_percent):
        wrong["deposit_percent"] = "Enter a percentage above 0, at most 100."
    if terms.deposit_kind == "amount" and terms.deposit_amount_minor <= 0:
        wrong["deposit_amount"] = "Enter an amount above zero."
    if terms.deposit_threshold_minor < 0:
        wrong["deposit_threshold"] = "Enter zero or more."
    if len(terms.prefix) > 12:
        wrong["prefix"] = "Use at most 12 characters."
    return wrong
