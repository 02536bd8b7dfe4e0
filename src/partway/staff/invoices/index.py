"""The list of invoices: filters, order and page are in its address, so that a member can share what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, F, IntegerField, QuerySet, When
from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Invoice
from partway.billing.models.invoices import AMOUNT_DUE_MINOR
from partway.billing.models.search import AnyOf
from partway.billing.snapshots import snapshot
from partway.lib.money import Money

from ..context import MemberContext
from ..forms import query_text
from ..invoice_rows import page_rows
from ..keyset_pages import MAX_COUNTED, Order, Readable, Stream, few_ids, read_page, walk
from ..list_filters import customer_suggestions, without_empty_fields
from .filters import STATES, FilteredInvoices, apply_filters, due_within, is_indexed, stored_status

# The statuses in the order of a list by status: invoices that need an act come first. Overdue is left to the due date.
_RANKS = {"sent": 0, "draft": 1, "paid": 2, "written_off": 3, "void": 4}

_NEWEST = Order(("-created_at", "-id"), is_whole=True)
# Amounts of different currencies do not compare, so the rows are grouped by currency.
SORT_COLUMNS = {
    "number": Order(("number_key", "id"), is_whole=True),
    "customer": Order(("customer_key", "-id")),
    "status": Order(("rank", "due_on", "id")),
    "due_on": Order(("due_on", "id"), is_whole=True),
    "amount_due": Order(("currency", "receivable_minor", "id")),
    "total": Order(("currency", "total_minor", "id")),
}
# The same for phones, where the table has no headers.
SORT_CHOICES = (
    ("number", _("Number, first to last")),
    ("-number", _("Number, last to first")),
    ("customer", _("Customer, A to Z")),
    ("-customer", _("Customer, Z to A")),
    ("status", _("Status, open first")),
    ("-status", _("Status, open last")),
    ("due_on", _("Due on, earliest first")),
    ("-due_on", _("Due on, latest first")),
    ("amount_due", _("Amount due, smallest first")),
    ("-amount_due", _("Amount due, largest first")),
    ("total", _("Total, smallest first")),
    ("-total", _("Total, largest first")),
)


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """The totals of the whole filtered list in one currency."""

    count: int
    total: Money
    paid: Money
    due: Money


def index(ctx: MemberContext) -> HttpResponse:
    """Filters, searches, sorts, adds up and paginates."""
    if redirected := without_empty_fields(ctx):
        return redirected
    filtered = apply_filters(ctx)
    order = read_order(filtered, ctx)
    limit: int | None = MAX_COUNTED
    if ctx.request.GET.get("totals") == "all":
        limit, filtered.query["totals"] = None, "all"  # also on the next page
    with snapshot():  # the totals are of the rows that are shown
        streams, counted = _streams(filtered, order, ctx)
        totals = _totals(filtered.rows if limit is None else counted, ctx, limit=limit)
        page = read_page(
            ctx.request,
            streams,
            order,
            count=None if totals is None else sum(each.count for each in totals),
            fetch=page_rows,
        )
    context = {
        "page": page,
        "totals": totals,
        "max_counted": None if counted is None else MAX_COUNTED,
        "query": filtered.query,
        "chips": filtered.chips,
        "filter_errors": filtered.filter_errors,
        "states": [("", gettext("All")), *((key, label) for key, (label, _select) in STATES.items())],
        "customer_suggestions": customer_suggestions(ctx),
        "orders": SORT_CHOICES,
        "has_none_yet": not page.entries and not Invoice.objects.for_organization(ctx.organization).exists(),
    }
    return ctx.render("staff/invoices/index.html", context)


def read_order(filtered: FilteredInvoices, ctx: MemberContext) -> Order:
    """Returns the order that the address names, by default the newest first."""
    sort = query_text(ctx.request.GET, "sort")
    column = sort.removeprefix("-")
    if sort and column not in SORT_COLUMNS:
        filtered.filter_errors.append(
            gettext("There is no column “%(column)s” to sort by.") % {"column": sort[:40]}
        )
    if column not in SORT_COLUMNS:
        # Of overdue invoices those that have waited longest come first; an index has them in this order.
        return SORT_COLUMNS["due_on"] if filtered.query.get("status") == "overdue" else _NEWEST
    filtered.query["sort"] = sort
    return SORT_COLUMNS[column].reversed() if sort.startswith("-") else SORT_COLUMNS[column]


def apply_order(rows: QuerySet[Invoice], order: Order) -> QuerySet[Invoice]:
    """Sorts all rows, as a file has them."""
    ranks = (When(status=status, then=rank) for status, rank in _RANKS.items())
    return rows.alias(rank=Case(*ranks, output_field=IntegerField())).order_by(*order.columns)


def _streams(
    filtered: FilteredInvoices, order: Order, ctx: MemberContext
) -> tuple[Sequence[Readable], QuerySet[Invoice] | None]:
    """Returns the rows as they are read in this order, and to be counted; None where that would read all others."""
    mine = Invoice.objects.filter(organization=ctx.organization)
    status = stored_status(filtered.query)
    if is_indexed(filtered.query, order):
        return _ordered(filtered.rows, order, status), filtered.rows
    ids = few_ids(filtered.rows, [*filtered.selections, mine])
    if ids is not None:
        few = Invoice.objects.filter(AnyOf(F("pk"), ids))
        return (_ordered(few, order, status) if "rank" in order.names else [Stream(few)]), few
    return walk(_ordered(due_within(mine, filtered, order), order, status), filtered.rows), None


def _ordered(rows: QuerySet[Invoice], order: Order, status: str) -> list[Stream]:
    """Returns the rows as an index has them in this order: all, or those of each status, or of the only one."""
    has_rank = "rank" in order.names
    if order.is_whole and not status:
        return [Stream(rows)]
    ranks = {status: _RANKS[status]} if status else _RANKS
    return [Stream(rows.filter(status=each), (rank,)[:has_rank]) for each, rank in ranks.items()]


def _totals(
    rows: QuerySet[Invoice] | None, ctx: MemberContext, *, limit: int | None
) -> list[CurrencyTotals] | None:
    """Returns all totals and the count, the organization's own currency first; None of more rows than the limit."""
    if rows is None:
        return None
    # Not `receivable_minor`: SQLite would read the table for a computed column, and not the index alone.
    due = Case(When(status="sent", then=AMOUNT_DUE_MINOR), default=0)
    columns = ("currency", "total_minor", "amount_paid_minor")
    figures = rows.order_by().annotate(due_minor=due).values(*columns, "due_minor")[: limit and limit + 1]
    try:
        sql, params = figures.query.sql_with_params()
    except EmptyResultSet:  # a search for nothing
        return []
    with connection.cursor() as cursor:
        # The rows of a limited query can be grouped only in a query around it, which Django does not write.
        cursor.execute(
            "SELECT currency, COUNT(*), SUM(total_minor), SUM(amount_paid_minor), SUM(due_minor) "  # noqa: S608
            f"FROM ({sql}) AS counted GROUP BY currency",
            params,
        )
        found = cursor.fetchall()
    if limit is not None and sum(count for _currency, count, *_sums in found) > limit:
        return None
    own = ctx.organization.currency
    return [
        CurrencyTotals(count, *(Money(int(minor), currency) for minor in minors))
        for currency, count, *minors in sorted(found, key=lambda row: (row[0] != own, row[0]))
    ]
