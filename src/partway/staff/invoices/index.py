"""The list of invoices: filters, order and page live in its address, so that what is shown can be shared."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, IntegerField, OrderBy, QuerySet, Sum, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Length
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property

from partway.billing.models import Customer, Invoice
from partway.lib.money import Money

from ..context import MemberContext
from ..forms import strip_nul
from .detail import PAGE_ROWS, with_open_requests
from .filters import STATES, FilteredInvoices, apply_filters

_MAX_SUGGESTIONS = 50  # customers; an organization with more types the whole name

# Nothing is due on a draft, a void or a written-off invoice, whatever it comes to.
_DUE = Case(When(status="sent", then=F("total_minor") - F("amount_paid_minor")), default=0)
# What waits for somebody first. Overdue is left to the due date, which follows.
_RANK = Case(
    *(When(status=status, then=rank) for rank, status in enumerate(("sent", "draft", "paid", "written_off"))),
    default=9,
    output_field=IntegerField(),
)

_Order = tuple[str | Combinable | OrderBy, ...]
_NEWEST: _Order = ("-created_at", "-id")
# A longer number is a later one: as text, INV-10000 would come before INV-9999. Drafts have none and come last.
_NUMBER: _Order = (Length("number").asc(nulls_last=True), F("number").asc(nulls_last=True), "id")
# Amounts of different currencies do not compare, so each currency stands alone.
SORT_COLUMNS: dict[str, _Order] = {
    "number": _NUMBER,
    "customer": ("customer__name", "customer_id", "-created_at", "-id"),
    "status": (_RANK, "due_on", "id"),
    "due_on": ("due_on", "id"),
    "amount_due": ("currency", _DUE, "id"),
    "total": ("currency", "total_minor", "id"),
}
# The same for a phone, where the rows have no headers to press.
SORT_CHOICES = (
    ("number", "Number, first to last"),
    ("-number", "Number, last to first"),
    ("customer", "Customer, A to Z"),
    ("-customer", "Customer, Z to A"),
    ("status", "Status, what waits first"),
    ("-status", "Status, what waits last"),
    ("due_on", "Due on, earliest first"),
    ("-due_on", "Due on, latest first"),
    ("amount_due", "Amount due, smallest first"),
    ("-amount_due", "Amount due, largest first"),
    ("total", "Total, smallest first"),
    ("-total", "Total, largest first"),
)


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """What the whole filtered list comes to in one currency."""

    count: int
    total: Money
    paid: Money
    due: Money


def index(ctx: MemberContext) -> HttpResponse:
    """Filter, search, sort, add up and turn pages."""
    if "" in ctx.request.GET.values():
        return redirect(_without_blanks(ctx))
    asked = apply_filters(ctx)
    rows = apply_sort(asked, ctx)
    totals = _sums(asked, ctx)
    page = InvoicePaginator(rows, sum(each.count for each in totals)).get_page(ctx.request.GET.get("page"))
    context = {
        "page": page,
        "totals": totals,
        "query": asked.query,
        "chips": asked.chips,
        "filter_errors": asked.filter_errors,
        "states": [("", "All"), *((key, message) for key, (message, _) in STATES.items())],
        "customer_suggestions": _suggested(ctx),
        "orders": SORT_CHOICES,
        "has_none_yet": not page.object_list
        and not Invoice.objects.for_organization(ctx.organization).exists(),
        "has_customers": bool(page.object_list)
        or Customer.objects.for_organization(ctx.organization).exists(),
    }
    return ctx.render("staff/invoices/index.html", context)


def _without_blanks(ctx: MemberContext) -> str:
    """The form sends every field; an address worth sharing has only those that say something."""
    query = ctx.request.GET.copy()
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"{ctx.request.path}?{query.urlencode()}" if query else ctx.request.path


def apply_sort(asked: FilteredInvoices, ctx: MemberContext) -> QuerySet[Invoice]:
    """The rows as the address sorts them, newest first when it does not say."""
    sort = strip_nul(ctx.request.GET.get("sort", ""))
    column = sort.removeprefix("-")
    if sort and column not in SORT_COLUMNS:
        asked.filter_errors.append(f"There is no column “{sort[:40]}” to sort by.")
    if column not in SORT_COLUMNS:
        return asked.rows.order_by(*_NEWEST)
    asked.query["sort"] = sort
    rows = asked.rows.order_by(*SORT_COLUMNS[column])
    return rows.reverse() if sort.startswith("-") else rows


def _sums(asked: FilteredInvoices, ctx: MemberContext) -> list[CurrencyTotals]:
    """One question to the database for all figures and the count; the organization's own currency first."""
    found = (
        asked.rows.order_by()
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


def _suggested(ctx: MemberContext) -> list[str]:
    """Names to choose from, while there are few enough for a list."""
    names = (
        Customer.objects.for_organization(ctx.organization).order_by("name").values_list("name", flat=True)
    )
    found = list(names[: _MAX_SUGGESTIONS + 1])
    return found if len(found) <= _MAX_SUGGESTIONS else []


class InvoicePaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a list whose length is known; each reads ids first, from the nearer end, and then only its rows."""

    def __init__(self, rows: QuerySet[Invoice], count: int) -> None:
        super().__init__(rows, PAGE_ROWS)
        self._rows, self._count = rows, count

    @cached_property
    def count(self) -> int:
        """How many there are; the sums have counted them already."""
        return self._count

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """That page, or InvalidPage."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        ids = self._ids(first, min(first + self.per_page, self.count))
        found = {row.pk: row for row in with_open_requests(Invoice.objects.filter(pk__in=ids))}
        return Page([found[pk] for pk in ids if pk in found], number, self)

    def _ids(self, first: int, last: int) -> list[str]:
        ids = self._rows.values_list("pk", flat=True)
        if first <= self.count // 2:
            return list(ids[first:last])
        return list(ids.reverse()[self.count - last : self.count - first])[::-1]
