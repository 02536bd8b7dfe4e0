"""The page of an invoice: everything on it, what was paid so far, and Pay Now for all that is due."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partway.billing import links
from partway.billing.documents import invoices
from partway.billing.errors import NotPayable
from partway.billing.models import Invoice
from partway.billing.payments.start import check_payable
from partway.delivery.pdf import invoice_pdf, pdf_response
from partway.delivery.receipt_figures import payment_history
from partway.lib.clock import now, today

from . import responses

# Invoices that ask for nothing any more show nothing of themselves either, and why they are dead.
_GONE = {"void": "void", "written_off": "not_payable"}


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
        return responses.not_found(http)
    return responses.start(http, invoice, partial(_show, http, token))


@require_safe
def pdf(http: HttpRequest, token: str) -> HttpResponse:
    """The invoice as a file; where its page is dead, so is this."""
    invoice = links.invoice_by_token(token)
    if invoice is None:
        return responses.not_found(http)
    if invoice.status in _GONE:
        return responses.gone(http, invoice.organization, _GONE[invoice.status])
    return pdf_response(invoice_pdf(invoice))


@require_POST
def mark_opened(http: HttpRequest, token: str) -> HttpResponse:
    """A person has this page before their eyes."""
    invoice = links.invoice_by_token(token)
    if invoice is None:
        return responses.not_found(http)
    invoices.mark_opened(invoice, now=now())
    return HttpResponse(status=204)


def _show(http: HttpRequest, token: str, alert: str = "", status: int = 200) -> HttpResponse:
    invoice = links.invoice_by_token(token)
    if invoice is None:
        return responses.not_found(http)
    if invoice.status in _GONE:
        return responses.gone(http, invoice.organization, _GONE[invoice.status])
    unavailable_reason = _obstacle(invoice)
    answer = responses.page if unavailable_reason else responses.payable_page
    return answer(
        http,
        "invoice",
        {**_context(invoice, token), "alert": alert, "unavailable_reason": unavailable_reason},
        status,
    )


def _obstacle(invoice: Invoice) -> str:
    """Why it cannot be paid now, as NotPayable says it; empty when it can."""
    try:
        check_payable(invoice, now=now())
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
        "payments": payment_history(invoice),
        "word": "overdue" if invoice.is_overdue(today(now(), time_zone)) else invoice.payment_status,
    }
