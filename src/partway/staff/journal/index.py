"""The entries of a period, in the order of their numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import dropwhile, islice

from django.http import HttpResponse

from partway.billing.journal import accounts, entries
from partway.billing.journal.accounts import Account
from partway.billing.journal.calendar import Calendar
from partway.billing.journal.entries import Entry, EntryLine
from partway.billing.snapshots import snapshot
from partway.delivery.journal_labels import account_name, belongs_to, description, detail

from ..context import MemberContext
from ..forms import query_text
from ..list_filters import without_empty_fields
from .filters import apply_filters, page_context

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry in words: its lines, each with the name of its account."""

    entry: Entry
    description: str
    detail: str
    belongs_to: str
    lines: list[tuple[Account, str, EntryLine]]


def entry_row(entry: Entry, chart: accounts.Chart) -> EntryRow:
    """Returns an entry in words, with the accounts as the organization names them."""
    lines = [(chart[line.account], account_name(chart[line.account]), line) for line in entry.lines]
    plain = description(replace(entry, belongs_to=None))
    return EntryRow(entry, plain, detail(entry), belongs_to(entry), lines)


def index(ctx: MemberContext) -> HttpResponse:
    """Fifty entries a page; the address of a page has the number of the last entry before it."""
    if redirected := without_empty_fields(ctx):
        return redirected
    filtered = apply_filters(ctx)
    period = filtered.rows
    after = query_text(ctx.request.GET, "after")
    since, seen = period.since, (date.min, 0)
    try:
        day, *_currency, count = after.split("-")
        seen = date.fromisoformat(day), int(count)
        since = max(since, seen[0])
    except ValueError:
        after = ""  # an address that is none is the first page
    of_period = entries.entries(ctx.organization, currency=period.currency, since=since, until=period.until)
    # Not by the texts: a day may have more entries than its three digits.
    beyond = dropwhile(lambda entry: (entry.day, entry.count) <= seen, of_period)
    with snapshot():
        found = list(islice(beyond, PAGE_ROWS + 1))
    chart = accounts.chart(ctx.organization)
    closed = Calendar.of(ctx.organization).closed_through()
    context = {
        **page_context(ctx, filtered),
        "rows": [entry_row(entry, chart) for entry in found[:PAGE_ROWS]],
        "next_after": found[PAGE_ROWS - 1].number if len(found) > PAGE_ROWS else "",
        "after": after,
        "closed": closed,
        "tab": "entries",
    }
    return ctx.render("staff/journal/index.html", context)
