"""The rows of the list of payments, written without templates (docs/decisions/0069-rows-without-templates.md)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from partway.accounts.models import Organization
from partway.delivery.formats import format_date
from partway.delivery.receipt_figures import adjustment_label, method_label
from partway.delivery.templatetags.partway import money, status_badge
from partway.lib.money import Money

from .sources import Entry


def payment_rows(entries: Iterable[Entry], organization: Organization) -> SafeString:
    """Returns the rows of the table."""
    pages = {
        noun: reverse(f"staff:{noun}", args=[organization.slug, "-"]).removesuffix("-/")
        for noun in ("payment", "invoice")
    }
    badge, day = cache(status_badge), cache(format_date)  # few states and days for many rows
    fee_word, net_word, draft = map(escape, (gettext("Fee"), gettext("Net"), gettext("Draft")))
    rows = []
    for entry in entries:
        noun, target = ("payment", entry.payment) if entry.payment else ("invoice", entry.document)
        ended, muted = ("", "") if entry.counts else (" is-ended", " muted")
        reference = escape(entry.reference or entry.note)
        if reference:
            reference = f'<span class="cell-reference truncate muted small">{reference}</span>'
        fee, net = _named(fee_word, entry.fee), _named(net_word, entry.net)
        rows.append(
            f'<tr class="is-link{ended}"><td class="cell-due">'
            f'<a class="row-link" href="{pages[noun]}{target.pk}/">{escape(day(entry.day))}</a></td>'
            f'<td class="cell-customer truncate">{escape(entry.document.customer.name)}</td>'
            f'<td class="cell-number">{escape(entry.document.number or "") or draft}</td>'
            f'<td class="cell-what">{escape(_label(entry))}{reference}</td>'
            f'<td class="cell-state">{badge(entry.status)}</td>'
            f'<td class="number cell-amount{muted}">{money(entry.amount)}</td>'
            f'<td class="number cell-fee muted">{fee}</td><td class="number cell-net{muted}">{net}</td></tr>\n'
        )
    return SafeString("".join(rows))


def _named(word: str, amount: Money | None) -> str:
    """Returns an amount after a word that says which, on a phone, where no header names the column."""
    return "" if amount is None else f'<span class="only-phone">{word} </span>{money(amount)}'


def _label(entry: Entry) -> str:
    """Which kind of movement it was, and by which method."""
    if entry.source.kind == "adjustment":
        return adjustment_label(entry.reason)
    method = method_label(entry.method) or "–"
    if entry.source.kind == "refund":
        return gettext("Refund (%(method)s)") % {"method": method}
    if entry.source.kind == "dispute":
        return gettext("Dispute (%(method)s)") % {"method": method}
    if entry.payment and entry.payment.quote_id:
        return gettext("Deposit (%(method)s)") % {"method": method}
    return method
