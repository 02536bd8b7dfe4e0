"""The filtered list of invoices as a CSV file for a spreadsheet, streamed row by row."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Allocation, Invoice, PaymentRequest, Refund
from partway.billing.models.parties import ISSUED
from partway.delivery.templatetags.partway import invoice_display_status
from partway.lib.clock import today
from partway.lib.csv_text import Cell
from partway.lib.money import Money

from .. import list_exports
from ..context import MemberContext
from .filters import STATES, apply_filters
from .index import apply_order, read_order

_HEADER = (
    *(_("Number"), _("Status"), _("Customer"), _("Email"), _("Sent on"), _("Due on"), _("Currency")),
    *(_("Total"), _("Amount paid"), _("Settled"), _("Given back"), _("Amount due")),
    *(_("Amount requested"), _("Invoice id"), _("Customer id")),
)
_ROWS_AT_ONCE = 2_000


def export(ctx: MemberContext) -> HttpResponseBase:
    """The file; an order that cannot be read leads to the list too."""
    filtered = apply_filters(ctx)
    rows = apply_order(filtered.rows, read_order(filtered, ctx))
    return list_exports.export(ctx, filtered, _lines(rows, ctx), page="invoices", ending="csv")


def _lines(rows: QuerySet[Invoice], ctx: MemberContext) -> Iterator[list[Cell]]:
    """Yields the header and the cells of each invoice."""
    yield [str(title) for title in _HEADER]
    requested = PaymentRequest.objects.open().filter(invoice=OuterRef("pk")).values("amount_requested_minor")
    refunds = Refund.objects.succeeded().filter(currency=OuterRef("currency"))
    # Two sums, each by an index: one condition with "or" would read all refunds for each invoice.
    deposit = Allocation.objects.filter(invoice=OuterRef(OuterRef("pk")), cause="deposit").values("payment")
    refunded = [
        Coalesce(Subquery(found.values("currency").annotate(sum=Sum("amount_minor")).values("sum")), 0)
        for found in (refunds.filter(payment__invoice=OuterRef("pk")), refunds.filter(payment__in=deposit))
    ]
    annotated = rows.select_related("customer", *ISSUED).annotate(
        requested_minor=Subquery(requested), refunded_minor=refunded[0] + refunded[1]
    )
    # On PostgreSQL with a server-side cursor, so that neither side holds the whole list.
    for invoice in annotated.iterator(chunk_size=_ROWS_AT_ONCE):
        recipient = invoice.recipient
        requested_minor: int = getattr(invoice, "requested_minor", None) or 0
        amounts = (
            invoice.total_minor,
            invoice.amount_paid_minor,
            invoice.adjusted_minor,
            getattr(invoice, "refunded_minor", 0),
            invoice.receivable_minor,
            requested_minor,
        )
        yield [
            invoice.number,
            str(STATES[invoice_display_status(invoice, ctx.today)][0]),
            recipient.name,
            recipient.email,
            today(invoice.sent_at, invoice.seller.time_zone) if invoice.sent_at else None,
            invoice.due_on if invoice.due_days is None else None,  # counted when it is sent
            invoice.currency,
            *(Money(amount_minor, invoice.currency) for amount_minor in amounts),
            invoice.pk,
            # Names are those of the day on which each invoice was sent, so they do not tell whose invoices these are.
            invoice.customer_id,
        ]
