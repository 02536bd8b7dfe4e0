"""The filters of the list of invoices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Invoice, PaymentRequest
from partway.billing.models.invoices import InvoiceQuerySet
from partway.billing.models.search import AnyOf

from ..context import MemberContext
from ..keyset_pages import Order, few_values
from ..list_filters import (
    Filtered,
    InvalidFilter,
    Reader,
    apply_to,
    of_customers,
    of_words,
    range_label,
    read_range,
    shorten,
)

FilteredInvoices = Filtered[InvoiceQuerySet]
_DUE = ("due_from", "due_until")


def apply_filters(ctx: MemberContext) -> FilteredInvoices:
    """Applies every filter of the address that can be read to this organization's invoices."""
    return apply_to(Invoice.objects.filter(organization=ctx.organization), ctx, FILTERS)


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


def _read_status(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    if texts[0] not in STATES:
        raise InvalidFilter(
            gettext("There is no invoice status “%(status)s”.") % {"status": shorten(texts[0])}
        )
    label, select = STATES[texts[0]]
    return select(rows, ctx.today), str(label)


def _read_requested(
    rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]
) -> tuple[InvoiceQuerySet, str, InvoiceQuerySet | None]:
    if texts[0] != "yes":
        message = gettext("“%(text)s” is not a value of this filter. Write requested=yes.")
        raise InvalidFilter(message % {"text": shorten(texts[0])})
    requests = PaymentRequest.objects.for_organization(ctx.organization).filter(status="open")
    few = few_values(requests, "invoice")
    is_requested = Exists(requests.filter(invoice=OuterRef("pk"))) if few is None else AnyOf(F("pk"), few)
    # Only a sent invoice has an open request (DESIGN R2); saying so spares the database all others.
    requested = rows.due().filter(is_requested)
    return requested, gettext("Requested, not paid"), None if few is None else requested


def _due_within(rows: InvoiceQuerySet, first: date | None, last: date | None) -> InvoiceQuerySet:
    if first:
        rows = rows.filter(due_on__gte=first)
    return rows.filter(due_on__lte=last) if last else rows


def due_within(rows: InvoiceQuerySet, filtered: FilteredInvoices, order: Order) -> InvoiceQuerySet:
    """Narrows rows to the due dates that were filtered by, if they are read in the order of these."""
    if order.names[0] != "due_on":
        return rows
    return _due_within(rows, *read_range([filtered.query.get(name, "") for name in _DUE]))


def _read_due(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    first, last = read_range(texts)
    return _due_within(rows, first, last), gettext("Due %(range)s") % {"range": range_label(first, last)}


def _read_sent(rows: InvoiceQuerySet, ctx: MemberContext, texts: list[str]) -> tuple[InvoiceQuerySet, str]:
    """Sent on days of the organization's own calendar (DESIGN D7)."""
    first, last = read_range(texts)
    zone = ZoneInfo(ctx.organization.time_zone)
    if first:
        rows = rows.filter(sent_at__gte=datetime.combine(first, time.min, zone))
    if last:
        rows = rows.filter(sent_at__lt=datetime.combine(last + timedelta(days=1), time.min, zone))
    return rows, gettext("Sent %(range)s") % {"range": range_label(first, last)}


# The parts of the address that each filter is made of, and its reader.
FILTERS: dict[tuple[str, ...], Reader[InvoiceQuerySet]] = {
    ("q",): of_words(
        lambda search: search.among(Invoice.objects.all()),
        lambda search, found: found if search.finds_few(Invoice) else None,
    ),
    ("status",): _read_status,
    ("requested",): _read_requested,
    ("customer",): of_customers(lambda rows, customers: (rows.filter(customer__in=customers),) * 2),
    _DUE: _read_due,
    ("sent_from", "sent_until"): _read_sent,
}

_STORED = {"overdue": "sent", "partially_paid": "sent"}  # the status of what is derived
_INDEXED = {
    "overdue": "due_on",
    "partially_paid": "created_at",
}  # the order in which an index has what is derived


def stored_status(query: QueryDict) -> str:
    """Returns the stored status that all rows of these filters have; empty where it may be any."""
    status = query.get("status", "sent" if "requested" in query else "")
    return _STORED.get(status, status)


def is_indexed(query: QueryDict, order: Order) -> bool:
    """Returns whether an index has the rows of these filters in this order: all, or those of one status."""
    if query.keys() - {"status", "sort", "totals"}:
        return False
    return _INDEXED.get(query.get("status", ""), order.names[0]) == order.names[0]
