"""The filtered list of invoices as a file for a spreadsheet, streamed row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect

from partway.billing.models import Invoice, PaymentRequest
from partway.delivery.templatetags.partway import invoice_display_status
from partway.lib.money import EXPONENTS

from ..context import MemberContext
from .filters import STATES, apply_filters
from .index import apply_sort

_HEADER = (
    *("Number", "Status", "Customer", "Email", "Sent on", "Due on", "Currency"),
    *("Total", "Amount paid", "Amount due", "Amount requested", "Invoice id"),
)
_BOM = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
_ROWS_AT_ONCE = 2_000
_CHUNK_LETTERS = 32_768
# A spreadsheet would run a cell that begins with one of these, and the name is what a stranger typed.
_DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")


def export(ctx: MemberContext) -> HttpResponseBase:
    """The file; an address that cannot be read in full leads to the list, which says what is wrong with it."""
    asked = apply_filters(ctx)
    rows = apply_sort(asked, ctx)
    if asked.filter_errors:
        return redirect(f"{ctx.url('invoices')}?{ctx.request.GET.urlencode()}")
    answer = StreamingHttpResponse(_chunks(_lines(rows, ctx)), content_type="text/csv; charset=utf-8")
    name = f"{ctx.organization.slug}-invoices-{ctx.today.isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _chunks(lines: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Text in pieces worth sending; only one of them is in memory at a time."""
    buffer = io.StringIO(_BOM)
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    for line in lines:
        writer.writerow(line)
        if buffer.tell() > _CHUNK_LETTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _lines(rows: QuerySet[Invoice], ctx: MemberContext) -> Iterator[tuple[str, ...]]:
    yield _HEADER
    asked = PaymentRequest.objects.open().filter(invoice=OuterRef("pk")).values("amount_requested_minor")
    found = rows.select_related("customer").annotate(requested_minor=Subquery(asked))
    today, zone = ctx.today, ZoneInfo(ctx.organization.time_zone)
    # On PostgreSQL a cursor of the server's, so that neither side holds the whole list.
    for invoice in found.iterator(chunk_size=_ROWS_AT_ONCE):
        yield _line(invoice, today, zone)


def _line(invoice: Invoice, today: date, zone: ZoneInfo) -> tuple[str, ...]:
    exponent = EXPONENTS[invoice.currency]
    due_minor = invoice.amount_due_minor if invoice.status == "sent" else 0
    requested_minor: int = getattr(invoice, "requested_minor", None) or 0
    return (
        _text(invoice.number or ""),
        STATES[invoice_display_status(invoice, today)][0],
        _text(invoice.customer.name),
        _text(invoice.customer.email),
        invoice.sent_at.astimezone(zone).date().isoformat() if invoice.sent_at else "",
        invoice.due_on.isoformat(),
        invoice.currency,
        _amount(invoice.total_minor, exponent),
        _amount(invoice.amount_paid_minor, exponent),
        _amount(due_minor, exponent),
        _amount(requested_minor, exponent),
        invoice.pk,
    )


def _text(typed: str) -> str:
    return f"'{typed}" if typed.startswith(_DANGEROUS) else typed


def _amount(amount_minor: int, exponent: int) -> str:
    """Plain digits with as many decimals as the currency has: 1250.50."""
    return f"{Decimal(amount_minor).scaleb(-exponent):f}"
