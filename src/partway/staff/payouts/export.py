"""The filtered payouts as a CSV file or a spreadsheet: one row for each payment, refund, dispute and fee in them."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.models import PayoutItem
from partway.delivery.formats import format_count
from partway.gateways.registry import GATEWAYS
from partway.lib.csv_text import Cell

from .. import list_exports
from ..context import MemberContext
from ..list_exports import MAX_XLSX_ROWS
from .filters import STATES, Rows, apply_filters
from .items import with_documents

_HEADER = (
    *(_("Arrives on"), _("Status"), _("Payment service"), _("Currency"), _("Payout")),
    *(_("Kind"), _("Customer"), _("Number"), _("Amount"), _("Fee"), _("Net")),
    *(
        _("Payout id"),
        _("Payout id of the payment service"),
        _("Payment id"),
        _("Refund id"),
        _("Dispute id"),
    ),
    *(_("Entry id of the payment service"), _("Checkout id of the payment service")),
)
_ROWS_AT_ONCE = 2_000


def export_csv(ctx: MemberContext) -> HttpResponseBase:
    """The CSV file."""
    filtered = apply_filters(ctx)
    return list_exports.export(ctx, filtered, _lines(filtered.rows), page="payouts", ending="csv")


def export_xlsx(ctx: MemberContext) -> HttpResponseBase:
    """The spreadsheet; of more rows than fit, the list says what to do."""
    filtered = apply_filters(ctx)
    count = PayoutItem.objects.filter(payout__in=filtered.rows).count()
    if count > MAX_XLSX_ROWS:
        notice = gettext(
            "%(count)s rows are too many for a spreadsheet: narrow the list, or export it as CSV."
        )
        messages.warning(ctx.request, notice % {"count": format_count(count)})
        return redirect(f"{ctx.url('payouts')}?{ctx.request.GET.urlencode()}")
    return list_exports.export(ctx, filtered, _lines(filtered.rows), page="payouts", ending="xlsx")


def _lines(rows: Rows) -> Iterator[list[Cell]]:
    """Yields the header and the cells of each entry; the customer as the receipt shows them (D9)."""
    yield [str(title) for title in _HEADER]
    items = with_documents(PayoutItem.objects.filter(payout__in=rows))
    ordered = items.select_related("payout__gateway_account").order_by(
        "-payout__arrives_on", "-payout", "position"
    )
    for item in ordered.iterator(chunk_size=_ROWS_AT_ONCE):
        payout, payment = item.payout, item.payment
        yield [
            payout.arrives_on,
            str(STATES[payout.status]),
            gettext(GATEWAYS[payout.gateway_account.gateway].name),
            payout.currency,
            payout.amount,
            str(item.get_kind_display()),
            payment.recipient.name if payment else "",
            payment.document.number if payment else "",
            item.amount,
            item.fee,
            item.net,
            payout.pk,
            payout.gateway_ref,
            item.payment_id or "",
            item.refund_id or "",
            item.dispute_id or "",
            item.gateway_ref,
            item.checkout_ref,
        ]
