"""Invoices as the rows of every list show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from html import escape
from typing import Any

from django.db.models import F, Prefetch, QuerySet
from django.db.models.lookups import In
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from partway.accounts.models import Organization
from partway.accounts.prepared import Prepared
from partway.billing.models import Invoice, PaymentRequest
from partway.billing.models.fields import OrganizationQuerySet
from partway.delivery.formats import format_due
from partway.delivery.templatetags.partway import invoice_display_status, money, status_badge
from partway.delivery.templatetags.stages import stage_bar

from .keyset_pages import PAGE_ROWS


def with_open_requests(rows: OrganizationQuerySet[Invoice]) -> QuerySet[Any]:
    """Fetches the customer and the open request of each invoice with the rows."""
    open_requests = Prefetch("payment_requests", PaymentRequest.objects.open(), to_attr="open_requests")
    return rows.select_related("customer").prefetch_related(open_requests)


_page_rows = Prepared(lambda *ids: Invoice.objects.select_related("customer").filter(pk__in=ids))
_requests_of_page = Prepared(lambda *ids: PaymentRequest.objects.open().filter(In(F("invoice_id"), ids)))


def page_rows(ids: Sequence[str]) -> dict[str, Invoice]:
    """Returns the invoices of a page, at most PAGE_ROWS of them, by their ids; as `with_open_requests` fetches them."""
    values = (*ids, *[""] * (PAGE_ROWS - len(ids)))  # the statement has as many as a full page
    rows = {invoice.pk: invoice for invoice in _page_rows.all(*values)}
    requests = {request.invoice_id: [request] for request in _requests_of_page.all(*values)}
    for invoice in rows.values():
        invoice.open_requests = requests.get(invoice.pk, [])  # type: ignore[attr-defined]  # as a prefetch sets it
    return rows


def invoice_rows(
    invoices: Iterable[Invoice], organization: Organization, today: date, *, with_customer: bool = True
) -> SafeString:
    """Returns the rows of a table of invoices, without their customer on that customer's own page.

    Not a template, which takes several times as long (docs/decisions/0069-rows-without-templates.md).
    """
    link = reverse("staff:invoice", args=[organization.slug, "-"]).removesuffix("-/")
    due_word = escape(gettext("due"))
    nothing = f'<span class="muted" aria-label="{escape(gettext("nothing"))}">–</span>'
    badge, day = cache(status_badge), cache(format_due)  # few states and days for many rows
    rows = []
    for invoice in invoices:
        status = invoice_display_status(invoice, today)
        ended = " is-ended" if status in ("void", "written_off") else ""
        requests: list[PaymentRequest] = invoice.open_requests  # type: ignore[attr-defined]  # fetched with the rows
        asked = requests[0].amount_requested if requests else None
        bar = stage_bar(invoice.total - invoice.adjusted, invoice.amount_paid, asked)
        customer = (
            f'<td class="cell-customer truncate">{escape(invoice.customer.name)}</td>'
            if with_customer
            else ""
        )
        amount = money(invoice.amount_due) if invoice.status in ("sent", "paid") else nothing
        number = escape(invoice.number or gettext("Draft"))
        due = escape(day(invoice.due_on, invoice.due_days))
        rows.append(
            f'<tr class="is-link{ended}"><td class="cell-number">'
            f'<a class="row-link" href="{link}{invoice.pk}/">{number}</a></td>{customer}'
            f'<td class="cell-state">{badge(status)}</td><td class="cell-due">'
            f'<span class="only-phone">{due_word} </span>{due}</td><td class="cell-bar">{bar}</td>'
            f'<td class="number cell-amount">{amount}</td>'
            f'<td class="number cell-total muted">{money(invoice.total)}</td></tr>\n'
        )
    return SafeString("".join(rows))
