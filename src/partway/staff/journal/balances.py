"""The trial balance of a period, and the sheet of one account with its running balance."""

from __future__ import annotations

from itertools import islice

from django.http import Http404, HttpResponse

from partway.billing.journal import accounts, entries
from partway.billing.journal.accounts import RECEIVABLES
from partway.billing.journal.entries import AccountBalance
from partway.billing.snapshots import snapshot
from partway.delivery.formats import format_count
from partway.delivery.journal_labels import account_name
from partway.lib.bulkheads import SPREADSHEETS
from partway.lib.money import Money

from ..context import MemberContext
from ..forms import query_text
from ..list_filters import without_empty_fields
from .filters import Period, apply_filters, page_context
from .index import entry_row

MAX_ROWS = 500  # of the sheet of an account; more are in the export


def trial_balance(ctx: MemberContext) -> HttpResponse:
    """Each account before, in and after the period; the debits and credits of each column are equal."""
    if redirected := without_empty_fields(ctx):
        return redirected
    filtered = apply_filters(ctx)
    period, chart = filtered.rows, accounts.chart(ctx.organization)
    with SPREADSHEETS.enter(), snapshot():
        rows = _trial_balance(ctx, period)
    zero = Money(0, period.currency)
    context = {
        **page_context(ctx, filtered),
        "rows": [(chart[row.account], account_name(chart[row.account]), row) for row in rows],
        "totals": {
            name: sum((getattr(row, name) for row in rows), zero)
            for name in ("opening", "debit", "credit", "closing")
        },
        "receivables": next((row.closing for row in rows if row.account == RECEIVABLES), zero),
        "tab": "balances",
    }
    return ctx.render("staff/journal/balances.html", context)


def account(ctx: MemberContext) -> HttpResponse:
    """The entries of the period that change one account, with its balance after each."""
    filtered = apply_filters(ctx)
    period, key = filtered.rows, query_text(ctx.request.GET, "account") or RECEIVABLES
    zero = Money(0, period.currency)
    # Both of one moment: else the rows need not lead from the opening to the closing balance.
    with SPREADSHEETS.enter(), snapshot():
        balances = {row.account: row for row in _trial_balance(ctx, period)}
        # The links to the periods before and after lead to days on which nothing stands on the account.
        if key not in {*balances, *accounts.known_keys(ctx.organization)}:
            raise Http404
        total = balances.get(key, AccountBalance(key, zero, zero, zero, zero))
        of_period = entries.entries(
            ctx.organization, currency=period.currency, since=period.since, until=period.until
        )
        of_account = ((entry, line) for entry in of_period for line in entry.lines if line.account == key)
        lines = list(islice(of_account, MAX_ROWS))
    chart, balance = accounts.chart(ctx.organization), total.opening
    rows = []
    for entry, line in lines:
        balance = balance + (line.debit or zero) - (line.credit or zero)
        rows.append((entry_row(entry, chart), line, balance))
    context = {
        **page_context(ctx, filtered),
        "account": chart[key],
        "name": account_name(chart[key]),
        "balance": total,
        "rows": rows,
        "limit": format_count(MAX_ROWS) if len(rows) == MAX_ROWS else "",
        "tab": "balances",
    }
    return ctx.render("staff/journal/account.html", context)


def _trial_balance(ctx: MemberContext, period: Period) -> list[AccountBalance]:
    return entries.trial_balance(
        ctx.organization, currency=period.currency, since=period.since, until=period.until
    )
