"""The rows of the list of quotes, written without templates (docs/decisions/0069-rows-without-templates.md)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from partway.accounts.models import Organization
from partway.billing.documents import deposits
from partway.billing.models import Quote
from partway.delivery.formats import format_date
from partway.delivery.templatetags.partway import money, status_badge

_ENDED = ("declined", "expired", "withdrawn")


def quote_rows(quotes: Iterable[Quote], organization: Organization) -> SafeString:
    """Returns the rows of the table; the payments of each quote are fetched with it."""
    link = reverse("staff:quote", args=[organization.slug, "-"]).removesuffix("-/")
    badge, day = cache(status_badge), cache(format_date)  # few states and days for many rows
    until, draft = escape(gettext("until")), escape(gettext("Draft"))
    rows = []
    for quote in quotes:
        ended = " is-ended" if quote.status in _ENDED else ""
        deposit = money(quote.deposit) if quote.deposit_minor else '<span class="muted">–</span>'
        rows.append(
            f'<tr class="is-link{ended}"><td class="cell-number">'
            f'<a class="row-link" href="{link}{quote.pk}/">{escape(quote.number or "") or draft}</a></td>'
            f'<td class="cell-customer truncate">{escape(quote.customer.name)}</td>'
            f'<td class="cell-state">{badge(quote.status)}</td><td class="cell-due">'
            f'<span class="only-phone">{until} </span>{escape(day(quote.valid_until))}</td>'
            f'<td class="number cell-requested">{deposit}</td>'
            f'<td class="cell-deposit">{_deposit(quote)}</td>'
            f'<td class="number cell-amount">{money(quote.total)}</td></tr>\n'
        )
    return SafeString("".join(rows))


def _deposit(quote: Quote) -> str:
    """Returns the state of the deposit, in HTML: on a phone, where no header names the column, in more words."""
    if quote.status in ("draft", "sent"):
        phone, wide = gettext("No deposit"), gettext("None")
        if quote.deposit_minor:
            phone, wide = gettext("Deposit on acceptance"), gettext("On acceptance")
        return (
            f'<span class="muted"><span class="only-phone">{escape(phone)}</span>'
            f'<span class="only-wide">{escape(wide)}</span></span>'
        )
    if quote.status in _ENDED:
        return f'<span class="muted" aria-label="{escape(gettext("nothing"))}">–</span>'
    status = deposits.deposit_status(quote)
    if quote.status == "invoiced" and status == "due":
        return f'<span class="muted">{escape(gettext("Not paid"))}</span>'
    return f'<span class="only-phone muted">{escape(gettext("Deposit"))} </span>{status_badge(status)}'
