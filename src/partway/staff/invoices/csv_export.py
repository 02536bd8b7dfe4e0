"""The filtered list of invoices as a CSV file for a spreadsheet, streamed row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from partway.billing import events
from partway.billing.models import Invoice, PaymentRequest
from partway.billing.models.parties import ISSUED
from partway.delivery.templatetags.partway import invoice_display_status
from partway.lib.clock import today
from partway.lib.money import EXPONENTS

from ..context import MemberContext
from .filters import STATES, apply_filters
from .index import apply_sort

_HEADER = (
    *(_("Number"), _("Status"), _("Customer"), _("Email"), _("Sent on"), _("Due on"), _("Currency")),
    *(_("Total"), _("Amount paid"), _("Amount due"), _("Amount requested"), _("Invoice id")),
    _("Customer id"),
)
_BOM = "\ufeff"  # without it, spreadsheets read UTF-8 in another encoding
_ROWS_AT_ONCE = 2_000
_CHUNK_CHARACTERS = 32_768
_MAX_FILTERS_LENGTH = 500
# A spreadsheet would run a cell that begins with one of these, and a customer's name comes from outside.
_DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")


def export(ctx: MemberContext) -> HttpResponseBase:
    """The file, and an event of who took it; an address that cannot be read in full leads to the list.

    The list says what is wrong with it.
    """
    filtered = apply_filters(ctx)
    rows = apply_sort(filtered, ctx)
    if filtered.filter_errors:
        return redirect(f"{ctx.url('invoices')}?{ctx.request.GET.urlencode()}")
    if ctx.request.method != "GET":
        return HttpResponse(content_type="text/csv; charset=utf-8")
    with transaction.atomic():
        filters = {"filters": ctx.request.GET.urlencode()[:_MAX_FILTERS_LENGTH]}
        events.record(
            "organization.invoices_exported", ctx.organization, by=ctx.actor, now=ctx.now, data=filters
        )
    response = StreamingHttpResponse(_chunks(_lines(rows, ctx)), content_type="text/csv; charset=utf-8")
    name = f"{ctx.organization.slug}-invoices-{ctx.today.isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _chunks(lines: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yields the text in pieces; only one of them is in memory at a time."""
    buffer = io.StringIO(_BOM)
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    for line in lines:
        writer.writerow(line)
        if buffer.tell() > _CHUNK_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _lines(rows: QuerySet[Invoice], ctx: MemberContext) -> Iterator[Iterable[object]]:
    """Yields the header and the cells of each invoice; amounts are plain digits such as 1250.50."""
    yield _HEADER
    requested = PaymentRequest.objects.open().filter(invoice=OuterRef("pk")).values("amount_requested_minor")
    annotated = rows.select_related("customer", *ISSUED).annotate(requested_minor=Subquery(requested))
    # On PostgreSQL with a server-side cursor, so that neither side holds the whole list.
    for invoice in annotated.iterator(chunk_size=_ROWS_AT_ONCE):
        recipient = invoice.recipient
        due_minor = invoice.amount_due_minor if invoice.status == "sent" else 0
        requested_minor: int = getattr(invoice, "requested_minor", None) or 0
        sent_on = today(invoice.sent_at, invoice.seller.time_zone).isoformat() if invoice.sent_at else ""
        amounts = (invoice.total_minor, invoice.amount_paid_minor, due_minor, requested_minor)
        yield (
            _safe_cell(invoice.number or ""),
            STATES[invoice_display_status(invoice, ctx.today)][0],
            _safe_cell(recipient.name),
            _safe_cell(recipient.email),
            sent_on,
            invoice.due_on.isoformat(),
            invoice.currency,
            *(f"{Decimal(amount).scaleb(-EXPONENTS[invoice.currency]):f}" for amount in amounts),
            invoice.pk,
            # Names are those of the day on which each invoice was sent, so they do not tell whose invoices these are.
            invoice.customer_id,
        )


def _safe_cell(text: str) -> str:
    """Marks as text what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text
