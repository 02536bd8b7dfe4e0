"""The page of an invoice: its lines, what was paid so far, and Pay Now for all that can be paid of what is due."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from partway.billing import links
from partway.billing.checkouts.gateway_calls import current_gateway
from partway.billing.checkouts.online_amounts import amount_to_charge
from partway.billing.documents import invoices
from partway.billing.errors import NotPayable
from partway.billing.models import Invoice, PaymentRequest
from partway.billing.payments.start import Payable, check_payable
from partway.delivery.pdf import invoice_pdf, pdf_response
from partway.delivery.receipt_figures import payment_history
from partway.lib.clock import now, today

from . import responses
from .decorators import form_of, opened_view, row_of_link

# The invoices without a page, and the reason that the link shows instead.
_GONE = {"void": "void", "written_off": "not_payable"}


@form_of("pay:invoice")
@row_of_link(links.invoice_by_token)
def pay(request: HttpRequest, token: str, invoice: Invoice) -> HttpResponse:
    """Starts a payment of the amount due, as far as it can be paid online; the form only repeats the amount shown."""
    return responses.start(request, invoice, partial(_page, request, token))


@require_safe
@row_of_link(links.invoice_by_token)
def pdf(request: HttpRequest, token: str, invoice: Invoice) -> HttpResponse:
    """The invoice as a file, as long as it has a page."""
    if invoice.status in _GONE:
        return responses.gone(request, invoice.organization, _GONE[invoice.status])
    return pdf_response(invoice_pdf(invoice))


@row_of_link(links.invoice_by_token)
def _page(
    request: HttpRequest, token: str, invoice: Invoice, alert: str = "", status: int = 200
) -> HttpResponse:
    organization = invoice.organization
    if invoice.status in _GONE:
        return responses.gone(request, organization, _GONE[invoice.status])
    payable, unavailable_reason = _payable(invoice)
    amount = payable.amount if payable else amount_to_charge(invoice, current_gateway(organization))
    is_overdue = invoice.is_overdue(today(now(), organization.time_zone))
    context = {
        "token": token,
        "organization": organization,
        "seller": invoice.seller,
        "recipient": invoice.recipient,
        "invoice": invoice,
        "lines": invoice.lines.all(),
        "sent_on": today(invoice.sent_at or invoice.created_at, invoice.seller.time_zone),
        "payments": payment_history(invoice),
        "status": "overdue" if is_overdue else invoice.payment_status,
        "amount": amount,
        "offline_rest": invoice.amount_due - amount,
        "alert": alert,
        "unavailable_reason": unavailable_reason,
        "pays_whole": payable is not None,
    }
    requested = (
        invoice.payment_requests.open().exclude(amount_requested_minor=invoice.amount_due_minor).first()
    )
    if requested is not None:
        requested.invoice, requested.organization = invoice, organization  # not read a second time
        part, _ = _payable(requested)
        payable = payable or part  # the part may be payable online where all that is due is not
        if part is not None:
            context |= {"requested": requested, "requested_path": links.link_path(requested)}
    if payable is None:
        context["unwanted"] = invoice.payments.unwanted()
        return responses.page(request, "invoice", context, status)
    context["unwanted"] = payable.unwanted
    context["unsettled_path"] = links.link_path(payable.unsettled) if payable.unsettled else ""
    return responses.payable_page(request, "invoice", context, payable, status)


def _payable(target: Invoice | PaymentRequest) -> tuple[Payable | None, str]:
    """Returns what the link charges, or None and the reason why it cannot be paid."""
    try:
        return check_payable(target, now=now()), ""
    except NotPayable as error:
        return None, error.reason


show = require_safe(_page)
mark_opened = opened_view(links.invoice_by_token, invoices.mark_opened)
