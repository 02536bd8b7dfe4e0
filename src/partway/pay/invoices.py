"""The page of an invoice: everything on it, what was paid so far, and Pay Now for all that is due."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partway.billing import invoices, links, payments
from partway.billing.errors import NotPayable
from partway.billing.models import Allocation, Invoice, Payment
from partway.delivery.receipts import method_words
from partway.lib.clock import now, today
from partway.lib.money import Money

from . import answers


class PaidPart(NamedTuple):
    """One payment's part of this invoice, with the day it came in where the organization is."""

    on: date
    method: str
    amount: Money


@require_safe
def show(http: HttpRequest, token: str) -> HttpResponse:
    """The invoice as it stands. Looking changes nothing."""
    return _show(http, token)


@require_http_methods(["GET", "HEAD", "POST"])
def pay(http: HttpRequest, token: str) -> HttpResponse:
    """Go to the checkout for the full amount due. Reloading an answer of this leads back to the page."""
    if http.method != "POST":
        return redirect("pay:invoice", token)
    invoice = links.invoice_by_token(token)
    if invoice is None:
        return answers.unknown(http)
    return answers.start(http, invoice, partial(_show, http, token))


@require_POST
def opened(http: HttpRequest, token: str) -> HttpResponse:
    """A person has this page before their eyes."""
    invoice = links.invoice_by_token(token)
    if invoice is None:
        return answers.unknown(http)
    invoices.mark_opened(invoice, now=now())
    return HttpResponse(status=204)


def _show(http: HttpRequest, token: str, alert: str = "", status: int = 200) -> HttpResponse:
    invoice = links.invoice_by_token(token)
    if invoice is None:
        return answers.unknown(http)
    obstacle = _obstacle(invoice)
    if obstacle == "void":
        return answers.dead(http, invoice.organization, obstacle)
    answer = answers.page if obstacle else answers.payable
    return answer(http, "invoice", {**_context(invoice, token), "alert": alert, "obstacle": obstacle}, status)


def _obstacle(invoice: Invoice) -> str:
    """Why it cannot be paid now, as NotPayable says it; empty when it can."""
    try:
        payments.payable(invoice, now=now())
    except NotPayable as error:
        return error.reason
    return ""


def _context(invoice: Invoice, token: str) -> dict[str, object]:
    time_zone = invoice.organization.time_zone
    return {
        "token": token,
        "organization": invoice.organization,
        "invoice": invoice,
        "lines": invoice.lines.all(),
        "sent_on": today(invoice.sent_at or invoice.created_at, time_zone),
        "payments": _paid_so_far(invoice, time_zone),
        "word": "overdue" if invoice.is_overdue(today(now(), time_zone)) else invoice.payment_status,
    }


def _paid_so_far(invoice: Invoice, time_zone: str) -> list[PaidPart]:
    rows = (
        Allocation.objects.filter(invoice=invoice)
        .select_related("payment__quote")
        .order_by("created_at", "id")
    )
    return [
        PaidPart(
            today(row.created_at, time_zone),
            _called(row.payment),
            Money(row.amount_minor, row.currency),
        )
        for row in rows
    ]


def _called(payment: Payment) -> str:
    return f"deposit of {payment.quote.number}" if payment.quote else method_words(payment.method)
