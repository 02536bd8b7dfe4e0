"""The list of invoices: filters, order and page are in its address, so that a member can share what is shown."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, IntegerField, OrderBy, QuerySet, Sum, When
from django.db.models.expressions import Combinable
from django.http import HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Invoice
from partway.billing.models.invoices import AMOUNT_DUE_MINOR
from partway.lib.money import Money

from ..context import MemberContext
from ..forms import query_text
from ..invoice_rows import PAGE_ROWS, with_open_requests
from ..list_filters import customer_suggestions, without_empty_fields
from .filters import STATES, FilteredInvoices, apply_filters

# Nothing is due on a draft, a void or a written-off invoice, whatever it comes to.
_DUE = Case(When(status="sent", then=AMOUNT_DUE_MINOR), default=0)
# Invoices that need an act come first. Overdue is left to the due date, which follows.
_RANK = Case(
    *(When(status=status, then=rank) for rank, status in enumerate(("sent", "draft", "paid", "written_off"))),
    default=9,
    output_field=IntegerField(),
)

_Order = tuple[str | Combinable | OrderBy, ...]
_NEWEST: _Order = ("-created_at", "-id")
# Amounts of different currencies do not compare, so the rows are grouped by currency.
SORT_COLUMNS: dict[str, _Order] = {
    "number": ("number_key", "id"),
    "customer": ("customer__sort_key", "customer_id", "-created_at", "-id"),
    "status": (_RANK, "due_on", "id"),
    "due_on": ("due_on", "id"),
    "amount_due": ("currency", _DUE, "id"),
    "total": ("currency", "total_minor", "id"),
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
    rows = apply_sort(filtered, ctx)
    totals = _totals(filtered, ctx)
    page = InvoicePaginator(rows, sum(each.count for each in totals)).get_page(ctx.request.GET.get("page"))
    context = {
        "page": page,
        "totals": totals,
        "query": filtered.query,
        "chips": filtered.chips,
        "filter_errors": filtered.filter_errors,
        "states": [("", gettext("All")), *((key, label) for key, (label, _select) in STATES.items())],
        "customer_suggestions": customer_suggestions(ctx),
        "orders": SORT_CHOICES,
        "has_none_yet": not page.object_list
        and not Invoice.objects.for_organization(ctx.organization).exists(),
    }
    return ctx.render("staff/invoices/index.html", context)


def apply_sort(filtered: FilteredInvoices, ctx: MemberContext) -> QuerySet[Invoice]:
    """Sorts the rows as the address says, by default the newest first."""
    sort = query_text(ctx.request.GET, "sort")
    column = sort.removeprefix("-")
    if sort and column not in SORT_COLUMNS:
        filtered.filter_errors.append(
            gettext("There is no column “%(column)s” to sort by.") % {"column": sort[:40]}
        )
    if column not in SORT_COLUMNS:
        return filtered.rows.order_by(*_NEWEST)
    filtered.query["sort"] = sort
    rows = filtered.rows.order_by(*SORT_COLUMNS[column])
    return rows.reverse() if sort.startswith("-") else rows


def _totals(filtered: FilteredInvoices, ctx: MemberContext) -> list[CurrencyTotals]:
    """All totals and the count in one query; the organization's own currency first."""
    found = (
        filtered.rows.order_by()
        .values("currency")
        .annotate(
            count=Count("*"),
            total_sum=Sum("total_minor"),
            paid_sum=Sum("amount_paid_minor"),
            due_sum=Sum(_DUE),
        )
    )
    own = ctx.organization.currency
    return [
        CurrencyTotals(
            row["count"],
            *(Money(row[name], row["currency"]) for name in ("total_sum", "paid_sum", "due_sum")),
        )
        for row in sorted(found, key=lambda row: (row["currency"] != own, row["currency"]))
    ]


class InvoicePaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a list whose length is known; each reads its ids first, from the nearer end, and then only its rows."""

    def __init__(self, rows: QuerySet[Invoice], count: int) -> None:
        super().__init__(rows, PAGE_ROWS)
        self._rows, self._count = rows, count

    @cached_property
    def count(self) -> int:
        """The length of the list; the query of the totals has counted it already."""
        return self._count

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """Returns that page; raises InvalidPage."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        rows = self._rows.values_list("pk", flat=True)
        if first <= self.count // 2:
            ids = list(rows[first:last])
        else:  # read from the end, which is nearer
            ids = list(rows.reverse()[self.count - last : self.count - first])[::-1]
        found = {row.pk: row for row in with_open_requests(Invoice.objects.filter(pk__in=ids))}
        return Page([found[pk] for pk in ids if pk in found], number, self)
