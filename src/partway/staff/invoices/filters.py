"""The filters of the list of invoices: each is read from the address, applied to the rows, and named in a chip.

A filter that cannot be read is left out and reported; nothing in an address can make the list fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Customer, Invoice, PaymentRequest
from partway.billing.models.invoices import InvoiceQuerySet
from partway.billing.models.text_keys import is_text
from partway.delivery.formats import format_date

from ..context import MemberContext
from ..forms import MAX_SEARCH_LENGTH, MAX_YEAR, MIN_YEAR, parse_day, strip_nul

_MAX_SAME_NAME = 100


class InvalidFilter(ValueError):
    """A filter that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class FilterChip:
    """The label of one filter, and the parts of the address that it is made of."""

    message: str
    names: tuple[str, ...]


@dataclass(slots=True)
class FilteredInvoices:
    """The invoices that an address selects; `query` holds only the filters that were applied, in one order."""

    rows: InvoiceQuerySet
    query: QueryDict = field(default_factory=lambda: QueryDict(mutable=True))
    chips: list[FilterChip] = field(default_factory=list)
    filter_errors: list[str] = field(default_factory=list)


def apply_filters(ctx: MemberContext) -> FilteredInvoices:
    """Applies every filter of the address that can be read to this organization's invoices."""
    result = FilteredInvoices(Invoice.objects.filter(organization=ctx.organization))
    for names, read in FILTERS.items():
        texts = [strip_nul(ctx.request.GET.get(name, "")).strip() for name in names]
        if not any(texts):
            continue
        try:
            if any(len(text) > MAX_SEARCH_LENGTH for text in texts):
                raise InvalidFilter(
                    gettext("A filter has more than %(limit)s letters.") % {"limit": MAX_SEARCH_LENGTH}
                )
            result.rows, message = read(result.rows, ctx, texts)
        except InvalidFilter as error:
            result.filter_errors.append(str(error))
        else:
            result.chips.append(FilterChip(message, names))
            result.query.update({name: text for name, text in zip(names, texts, strict=True) if text})
    return result


# The states, stored and derived, as the tabs name them.
STATES: dict[str, tuple[str | Promise, Callable[[InvoiceQuerySet, date], InvoiceQuerySet]]] = {
    "draft": (_("Draft"), lambda rows, today: rows.filter(status="draft")),
    "sent": (_("Sent"), lambda rows, today: rows.due()),
    "overdue": (_("Overdue"), lambda rows, today: rows.overdue(today)),
    "partially_paid": (_("Partially paid"), lambda rows, today: rows.partially_paid()),
    "paid": (_("Paid"), lambda rows, today: rows.filter(status="paid")),
    "void": (_("Void"), lambda rows, today: rows.filter(status="void")),
    "written_off": (_("Written off"), lambda rows, today: rows.filter(status="written_off")),
}

# Reads the texts of one filter; returns the rows that it selects and the label of its chip.
Reader = Callable[[InvoiceQuerySet, MemberContext, list[str]], tuple[InvoiceQuerySet, str]]


def _read_status(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    if texts[0] not in STATES:
        raise InvalidFilter(
            gettext("There is no invoice status “%(status)s”.") % {"status": _short(texts[0])}
        )
    label, select = STATES[texts[0]]
    return select(rows, ctx.today), str(label)


def _read_search(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    return rows.search(texts[0], ctx.organization), f"“{_short(texts[0])}”"


def _read_customer(
    rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]
) -> tuple[InvoiceQuerySet, str]:
    """By id, as a link has it, or by the whole name or address, as a member types it."""
    text, mine = texts[0], Customer.objects.for_organization(ctx.organization)
    named = Q(pk=text) if text.startswith("cus_") else is_text(text)
    found = dict(mine.filter(named).values_list("pk", "name")[:_MAX_SAME_NAME])
    if not found:
        message = gettext("There is no customer “%(text)s”. The search field finds parts of names.")
        raise InvalidFilter(message % {"text": _short(text)})
    label = next(iter(found.values()))
    if len(found) > 1:
        label = gettext("%(name)s (%(count)s customers)") % {"name": label, "count": len(found)}
    return rows.filter(customer__in=list(found)), label


def _read_requested(
    rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]
) -> tuple[InvoiceQuerySet, str]:
    if texts[0] != "yes":
        message = gettext("“%(text)s” is not a value of this filter. Write requested=yes.")
        raise InvalidFilter(message % {"text": _short(texts[0])})
    # Only a sent invoice has an open request (DESIGN R2); saying so spares the database all others.
    requested = PaymentRequest.objects.open().values("invoice")
    return rows.due().filter(pk__in=requested), gettext("Requested, not paid")


def _read_due(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    first, last = _read_range(texts)
    if first:
        rows = rows.filter(due_on__gte=first)
    if last:
        rows = rows.filter(due_on__lte=last)
    return rows, gettext("Due %(range)s") % {"range": _range_label(first, last)}


def _read_sent(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    """Sent on days of the organization's own calendar (DESIGN D7)."""
    first, last = _read_range(texts)
    zone = ZoneInfo(ctx.organization.time_zone)
    if first:
        rows = rows.filter(sent_at__gte=datetime.combine(first, time.min, zone))
    if last:
        rows = rows.filter(sent_at__lt=datetime.combine(last + timedelta(days=1), time.min, zone))
    return rows, gettext("Sent %(range)s") % {"range": _range_label(first, last)}


def _read_range(texts: list[str]) -> tuple[date | None, date | None]:
    days: list[date | None] = []
    for text in texts:
        try:
            day = parse_day(text) if text else None
        except ValueError:
            message = gettext("“%(text)s” is not a date. Write it like 2026-11-30.")
            raise InvalidFilter(message % {"text": _short(text)}) from None
        if day and not MIN_YEAR <= day.year <= MAX_YEAR:
            message = gettext("Choose a date between %(first)s and %(last)s.")
            raise InvalidFilter(message % {"first": MIN_YEAR, "last": MAX_YEAR})
        days.append(day)
    first, last = days
    if first and last and last < first:
        message = gettext("%(last)s is before %(first)s: swap the two dates.")
        raise InvalidFilter(message % {"last": format_date(last), "first": format_date(first)})
    return first, last


def _range_label(first: date | None, last: date | None) -> str:
    days = {"first": format_date(first) if first else "", "last": format_date(last) if last else ""}
    if first and last:
        return (f"{days['first']} – {days['last']}") if first != last else gettext("on %(first)s") % days
    return (gettext("from %(first)s") if first else gettext("until %(last)s")) % days


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


# The parts of the address that each filter is made of, and its reader.
FILTERS: dict[tuple[str, ...], Reader] = {
    ("status",): _read_status,
    ("requested",): _read_requested,
    ("customer",): _read_customer,
    ("due_from", "due_until"): _read_due,
    ("sent_from", "sent_until"): _read_sent,
    ("q",): _read_search,
}
