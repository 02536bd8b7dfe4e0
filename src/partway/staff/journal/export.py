"""The entries of a period as CSV, as a spreadsheet, and as the general journal that QuickBooks Online imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.journal import accounts, entries
from partway.billing.journal.entries import Entry
from partway.delivery.formats import format_count
from partway.delivery.journal_labels import account_name, description, detail
from partway.lib.csv_text import Cell

from .. import list_exports
from ..context import MemberContext
from .filters import Period, apply_filters

_HEADER = (
    *(_("Entry"), _("Date"), _("Description"), _("Detail"), _("Account code"), _("Account")),
    *(_("Debit"), _("Credit"), _("Currency"), _("Customer"), _("Number"), _("Belongs to")),
    *(_("Reference"), _("Document id"), _("Customer id")),
)
# The columns of its sample file, in its words: the program finds them by these names, whatever the language.
_QUICKBOOKS_HEADER = (
    *("*JournalNo", "*JournalDate", "*AccountName", "*Debits", "*Credits"),
    *("Description", "Name", "Currency"),
)
_COLON = re.compile(r"\s*:\s*")
# A spreadsheet is made before its first byte leaves, see the list of payments.
MAX_XLSX_ENTRIES = 50_000


def export_csv(ctx: MemberContext) -> HttpResponseBase:
    """The CSV file, one row a line of an entry."""
    filtered = apply_filters(ctx)
    lines = _lines(ctx, filtered.rows)
    return list_exports.export(ctx, filtered, lines, page="journal", ending="csv")


def export_xlsx(ctx: MemberContext) -> HttpResponseBase:
    """The spreadsheet; of more entries than fit, the page says what to do."""
    filtered = apply_filters(ctx)
    if next(islice(_entries(ctx, filtered.rows), MAX_XLSX_ENTRIES, None), None):
        notice = gettext("More than %(count)s entries: choose a shorter period, or export it as CSV.")
        messages.warning(ctx.request, notice % {"count": format_count(MAX_XLSX_ENTRIES)})
        return redirect(f"{ctx.url('journal')}?{filtered.rows.query}")
    lines = _lines(ctx, filtered.rows)
    return list_exports.export(ctx, filtered, lines, page="journal", ending="xlsx")


def export_quickbooks(ctx: MemberContext) -> HttpResponseBase:
    """The general journal as QuickBooks Online, and most programs that read journal entries from CSV, import it."""
    filtered = apply_filters(ctx)
    lines = _quickbooks_lines(ctx, filtered.rows)
    return list_exports.export(ctx, filtered, lines, page="journal", ending="csv", program="quickbooks")


def _entries(ctx: MemberContext, period: Period) -> Iterator[Entry]:
    days = {"since": period.since, "until": period.until}
    return entries.entries(ctx.organization, currency=period.currency, **days)


def _lines(ctx: MemberContext, period: Period) -> Iterator[list[Cell]]:
    yield [str(title) for title in _HEADER]
    chart = accounts.chart(ctx.organization)
    for entry in _entries(ctx, period):
        for line in entry.lines:
            account = chart[line.account]
            yield [
                entry.number,
                entry.day,
                description(entry),
                detail(entry),
                account.code,
                account_name(account),
                line.debit,
                line.credit,
                period.currency,
                entry.customer_name,
                entry.document_number,
                entry.belongs_to,
                entry.fact,
                entry.document[1],
                entry.customer,
            ]


def _quickbooks_lines(ctx: MemberContext, period: Period) -> Iterator[list[Cell]]:
    yield list(_QUICKBOOKS_HEADER)
    chart = accounts.chart(ctx.organization)
    for entry in _entries(ctx, period):
        for line in entry.lines:
            # Its names have no quotes, and a colon is between an account and one below it, with no space beside it.
            name = _COLON.sub(":", account_name(chart[line.account]).replace('"', "'"))
            amounts = (line.debit, line.credit)
            yield [
                entry.number,
                entry.day,
                name,
                *amounts,
                description(entry),
                entry.customer_name,
                period.currency,
            ]
