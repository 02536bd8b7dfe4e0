"""Records a customer's yes or no that was given to a member, and withdraws quotes (DESIGN D10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from partway.accounts.permissions import Permission, needs
from partway.lib import clock

from .. import events, outbox
from ..checkouts.closing import closes_checkouts
from ..errors import Conflict, FieldError, Invalid, Stale, TooLate, field_error
from ..events import Actor
from ..models import Event, Quote
from ..outbox import Recipients
from ..states import move
from . import deposits, quotes

MAX_NOTE_LENGTH = 400


@dataclass(frozen=True, slots=True)
class SpokenDecision:
    """A yes or no by phone or on site: the name of the person, the day where the organization is, and a note.

    The same `idempotency_key` again records nothing more (P8).
    """

    name: str
    decided_on: date
    note: str = ""
    idempotency_key: str | None = None


@needs(Permission.RECORD_QUOTE_DECISIONS)
@transaction.atomic
def record_acceptance(quote: Quote, *, decision: SpokenDecision, by: Actor, now: datetime) -> Quote:
    """Records that the customer accepted, and mails them what was recorded, with the link to pay the deposit.

    From then on the quote is as if they had accepted on its page. Raises Invalid with the wrong fields, Conflict for a
    draft, TooLate when the quote was accepted already or has ended.
    """
    quote = Quote.objects.locked(quote.pk)
    if events.caused_by(quote.organization_id, decision.idempotency_key):
        return quote
    name, note = _checked(quote, decision, now)
    data = {**quotes.event_data(quote), "name": name, "on": decision.decided_on.isoformat(), "note": note}
    columns: dict[str, Any] = {"accepted_on": decision.decided_on, "acceptance_note": note}
    event = move(
        quote,
        "accepted",
        by=by,
        now=now,
        data=data,
        idempotency_key=decision.idempotency_key,
        accepted_by=name,
        accepted_at=now,
        acceptance_recorded_by=by.label,
        **columns,
    )
    _notify_organization("quote_accepted", quote, event)
    # The customer was not at the page that says it: they can object to what a member wrote, and pay the deposit.
    outbox.queue("quote_sent", event, Recipients(to=[quote.customer.email], data=quotes.event_data(quote)))
    return quote


@needs(Permission.RECORD_QUOTE_DECISIONS)
@transaction.atomic
def record_decline(quote: Quote, *, decision: SpokenDecision, by: Actor, now: datetime) -> Quote:
    """Records that the customer declined; the note is the reason. Raises as `record_acceptance`."""
    quote = Quote.objects.locked(quote.pk)
    if events.caused_by(quote.organization_id, decision.idempotency_key):
        return quote
    name, note = _checked(quote, decision, now)
    data = {**quotes.event_data(quote), "name": name, "on": decision.decided_on.isoformat(), "reason": note}
    event = move(quote, "declined", by=by, now=now, data=data, idempotency_key=decision.idempotency_key)
    _notify_organization("quote_declined", quote, event)
    return quote


def _checked(quote: Quote, decision: SpokenDecision, now: datetime) -> tuple[str, str]:
    """Returns the stripped name and note, or raises why the decision cannot be recorded; the quote is locked."""
    quotes.check_open(quote, now)
    zone = quote.organization.time_zone
    name, note = decision.name.strip(), decision.note.strip()
    errors: dict[str, FieldError | str] = {}
    if not 0 < len(name) <= quotes.MAX_NAME_LENGTH:
        errors["name"] = field_error("decision_name", limit=quotes.MAX_NAME_LENGTH)
    sent_on = clock.today(quote.sent_at or quote.created_at, zone)
    if not sent_on <= decision.decided_on <= clock.today(now, zone):
        errors["decided_on"] = field_error("decision_day", sent_on=sent_on)
    if len(note) > MAX_NOTE_LENGTH:
        errors["note"] = field_error("text_too_long", limit=MAX_NOTE_LENGTH)
    if errors:
        raise Invalid(errors)
    return name, note


def _notify_organization(kind: str, quote: Quote, event: Event) -> None:
    to, reply_to = [quote.organization.email], quote.customer.email
    outbox.queue(kind, event, Recipients(to=to, reply_to=reply_to, data=event.data))


def decision_unavailable_reason(quote: Quote, now: datetime) -> Conflict | None:
    """Returns the error that recording a decision raises now for any name and day, or None."""
    try:
        quotes.check_open(quote, now)
    except Conflict as error:
        return error
    return None


@needs(Permission.WITHDRAW_QUOTES)
@closes_checkouts
def withdraw(quote: Quote, *, by: Actor, now: datetime, expected_status: str | None = None) -> Quote:
    """Ends a quote that was sent: its link is dead at once, and a checkout of its deposit is closed.

    An accepted quote can be withdrawn until its deposit is paid or an invoice is made of it. Returns a quote that is
    withdrawn already unchanged. Raises PaymentInProgress while the deposit's payment is committed, Stale when the page
    showed another state, Conflict for a draft, TooLate when the quote has ended, is invoiced, or its deposit is paid.
    """
    quote = Quote.objects.locked(quote.pk)
    if quote.status == "withdrawn":
        return quote
    if not_allowed := withdraw_unavailable_reason(quote):
        raise not_allowed
    # The member saw an open offer; the customer's yes in the meantime makes it another decision.
    if expected_status is not None and quote.status != expected_status:
        raise Stale(reason="quote_decided")
    # Before the state changes: a committed payment raises here, and then the quote is not withdrawn.
    deposits.cancel_checkout(quote, by=by, now=now)
    move(quote, "withdrawn", by=by, now=now, data=quotes.event_data(quote))
    return quote


def withdraw_unavailable_reason(quote: Quote) -> Conflict | None:
    """Returns the error that `withdraw` raises now whatever payment is under way, or None."""
    if quote.status == "draft":
        return Conflict(reason="withdraw_draft_quote")
    if quote.status not in ("sent", "accepted"):
        return TooLate(reason=f"withdraw_{quote.status}_quote")
    if deposits.waiting_deposit(quote) is not None:
        return TooLate(reason="withdraw_paid_deposit", deposit=quote.deposit)
    return None
