"""What an address asks of the list of invoices: each filter read, narrowed by, and told in words.

A filter that cannot be read is left out and said so; nothing in an address can make the list fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import QueryDict

from partway.billing.models import Customer, Invoice, PaymentRequest
from partway.billing.models.invoices import InvoiceQuerySet

from ..context import MemberContext
from ..forms import MAX_YEAR, MIN_YEAR, strip_nul

MAX_LENGTH = 200  # of a value; longer ones were not typed by a person, and SQLite refuses very long patterns
_MAX_SAME_NAME = 100


class InvalidFilter(ValueError):
    """A filter that means nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class FilterChip:
    """One filter in words, and the parts of the address that it stands in."""

    message: str
    names: tuple[str, ...]


@dataclass(slots=True)
class FilteredInvoices:
    """The invoices an address asks for; `query` holds only what counted, in one order, so that it can be shared."""

    rows: InvoiceQuerySet
    query: QueryDict = field(default_factory=lambda: QueryDict(mutable=True))
    chips: list[FilterChip] = field(default_factory=list)
    filter_errors: list[str] = field(default_factory=list)


def apply_filters(ctx: MemberContext) -> FilteredInvoices:
    """This organization's invoices, narrowed by every filter of the address that can be read."""
    result = FilteredInvoices(Invoice.objects.filter(organization=ctx.organization))
    for names, read in FILTERS.items():
        texts = [strip_nul(ctx.request.GET.get(name, "")).strip() for name in names]
        if any(texts):
            _apply(result, ctx, names, read, texts)
    return result


def _apply(
    result: FilteredInvoices, ctx: MemberContext, names: tuple[str, ...], read: Reader, texts: list[str]
) -> None:
    try:
        if any(len(text) > MAX_LENGTH for text in texts):
            raise InvalidFilter(f"A filter has more than {MAX_LENGTH} letters.")
        result.rows, message = read(result.rows, ctx, texts)
    except InvalidFilter as form_error:
        result.filter_errors.append(str(form_error))
        return
    result.chips.append(FilterChip(message, names))
    for name, text in zip(names, texts, strict=True):
        if text:
            result.query[name] = text


# The states, stored and derived, as a person has them in mind.

STATES: dict[str, tuple[str, Callable[[InvoiceQuerySet, date], InvoiceQuerySet]]] = {
    "draft": ("InvoiceDraft", lambda rows, today: rows.filter(status="draft")),
    "sent": ("Sent", lambda rows, today: rows.due()),
    "overdue": ("Overdue", lambda rows, today: rows.overdue(today)),
    "partially_paid": ("Partially paid", lambda rows, today: rows.partially_paid()),
    "paid": ("Paid", lambda rows, today: rows.filter(status="paid")),
    "void": ("Void", lambda rows, today: rows.filter(status="void")),
    "written_off": ("Written off", lambda rows, today: rows.filter(status="written_off")),
}

Reader = Callable[[InvoiceQuerySet, MemberContext, list[str]], tuple[InvoiceQuerySet, str]]


def _state(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    if texts[0] not in STATES:
        raise InvalidFilter(f"An invoice is never “{_short(texts[0])}”.")
    message, narrow_by = STATES[texts[0]]
    return narrow_by(rows, ctx.today), message


def _search(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    # The customers first, on their own: a join would look at each invoice's customer anew.
    q = texts[0]
    owes = Customer.objects.for_organization(ctx.organization).filter(
        Q(name__icontains=q) | Q(email__iexact=q)
    )
    return rows.filter(Q(number__icontains=q) | Q(customer__in=owes.values("pk"))), f"“{_short(q)}”"


def _customer(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    """By id, as a link has it, or by the whole name or address, as a person types it."""
    text, mine = texts[0], Customer.objects.for_organization(ctx.organization)
    named = Q(pk=text) if text.startswith("cus_") else Q(name__iexact=text) | Q(email__iexact=text)
    found = dict(mine.filter(named).values_list("pk", "name")[:_MAX_SAME_NAME])
    if not found:
        raise InvalidFilter(f"There is no customer “{_short(text)}”. The search field finds parts of names.")
    same = f" ({len(found)} customers)" if len(found) > 1 else ""
    return rows.filter(customer__in=list(found)), f"{next(iter(found.values()))}{same}"


def _requested(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    if texts[0] != "yes":
        raise InvalidFilter(f"“{_short(texts[0])}” says nothing about requests; write requested=yes.")
    # Only a sent invoice has an open request (DESIGN R2); saying so spares the database all others.
    asked = PaymentRequest.objects.open().values("invoice")
    return rows.due().filter(pk__in=asked), "Requested, not paid"


def _due(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    first, last = _range(texts)
    if first:
        rows = rows.filter(due_on__gte=first)
    if last:
        rows = rows.filter(due_on__lte=last)
    return rows, f"Due {_told(first, last)}"


def _sent(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    """Sent on days of the organization's own calendar (DESIGN D7)."""
    first, last = _range(texts)
    zone = ZoneInfo(ctx.organization.time_zone)
    if first:
        rows = rows.filter(sent_at__gte=datetime.combine(first, time.min, zone))
    if last:
        rows = rows.filter(sent_at__lt=datetime.combine(last + timedelta(days=1), time.min, zone))
    return rows, f"Sent {_told(first, last)}"


def _range(texts: list[str]) -> tuple[date | None, date | None]:
    first, last = (_day(text) if text else None for text in texts)
    if first and last and last < first:
        raise InvalidFilter(f"{_words(last)} is before {_words(first)}: turn the two dates around.")
    return first, last


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidFilter(f"“{_short(text)}” is not a date. Write it like 2026-11-30.") from None
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        raise InvalidFilter(f"Choose a date between {MIN_YEAR} and {MAX_YEAR}.")
    return day


def _told(first: date | None, last: date | None) -> str:
    if first and last:
        return f"{_words(first)} – {_words(last)}" if first != last else f"on {_words(first)}"
    return f"from {_words(first)}" if first else f"until {_words(last)}"


def _words(day: date | None) -> str:
    return f"{day:%b} {day.day}, {day.year}" if day else ""


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


# The parts of the address that a filter stands in, and how it is read.
FILTERS: dict[tuple[str, ...], Reader] = {
    ("status",): _state,
    ("requested",): _requested,
    ("customer",): _customer,
    ("due_from", "due_until"): _due,
    ("sent_from", "sent_until"): _sent,
    ("q",): _search,
}
