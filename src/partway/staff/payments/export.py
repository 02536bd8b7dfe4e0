"""The filtered list of payments as a CSV file or a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.delivery.formats import format_count
from partway.delivery.receipt_figures import adjustment_label, method_label
from partway.delivery.templatetags.partway import status_label
from partway.gateways.registry import GATEWAYS
from partway.lib.csv_text import Cell
from partway.lib.money import Money

from .. import list_exports
from ..context import MemberContext
from ..list_exports import MAX_XLSX_ROWS
from .filters import Rows, apply_filters
from .pages import every_entry

_HEADER = (
    *(_("Date"), _("Kind"), _("Status"), _("Customer"), _("Email"), _("Number"), _("Method")),
    *(
        _("Payment service"),
        _("Reference"),
        _("Note"),
        _("Currency"),
        _("Amount"),
        _("Money in"),
        _("Money out"),
        _("Fee currency"),
        _("Fee"),
        _("Net"),
    ),
    *(_("Id"), _("Payment id"), _("Invoice or quote id"), _("Customer id")),
)
_KINDS = {
    "payment": _("Payment"),
    "refund": _("Refund"),
    "dispute": _("Dispute"),
    "adjustment": _("Adjustment"),
}


def export_csv(ctx: MemberContext) -> HttpResponseBase:
    """The CSV file."""
    filtered = apply_filters(ctx)
    return list_exports.export(ctx, filtered, _lines(filtered.rows, ctx), page="payments", ending="csv")


def export_xlsx(ctx: MemberContext) -> HttpResponseBase:
    """The spreadsheet; of more rows than fit, the list says what to do."""
    filtered = apply_filters(ctx)
    count = sum(selected.count() for selected in filtered.rows.values())
    if count > MAX_XLSX_ROWS:
        notice = gettext(
            "%(count)s rows are too many for a spreadsheet: narrow the list, or export it as CSV."
        )
        messages.warning(ctx.request, notice % {"count": format_count(count)})
        return redirect(f"{ctx.url('payments')}?{ctx.request.GET.urlencode()}")
    return list_exports.export(ctx, filtered, _lines(filtered.rows, ctx), page="payments", ending="xlsx")


def _lines(rows: Rows, ctx: MemberContext) -> Iterator[list[Cell]]:
    """Yields the header and the cells of each row; the customer as the receipt or the invoice shows them (D9)."""
    yield [str(title) for title in _HEADER]
    for entry, row in every_entry(rows, ctx.organization.time_zone):
        recipient, currency = entry.issued.recipient, entry.amount.currency
        is_deposit = entry.source.kind == "payment" and entry.document.kind == "quote"
        account = entry.gateway_account
        yield [
            entry.day,
            gettext("Deposit") if is_deposit else str(_KINDS[entry.source.kind]),
            status_label(entry.status),
            recipient.name,
            recipient.email,
            entry.document.number,
            adjustment_label(entry.reason) if entry.reason else method_label(entry.method),
            gettext(GATEWAYS[account.gateway].name) if account else "",
            entry.reference,
            entry.note,
            currency,
            entry.amount,
            Money(row.money_in, currency),
            Money(row.money_out, currency),
            entry.fee.currency if entry.fee is not None else "",
            entry.fee,
            entry.net,
            entry.pk,
            entry.payment.pk if entry.payment else "",
            entry.document.pk,
            entry.document.customer_id,
        ]
