"""The page of one invoice, and its row in every list."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse

from partway.billing import links, payment_requests
from partway.billing.models import Event, Invoice, Mail, PaymentRequest
from partway.billing.models.fields import OwnedQuerySet

from . import timeline
from .access import find
from .visit import Visit

PAGE_ROWS = 50


def with_stages(rows: OwnedQuerySet[Invoice]) -> QuerySet[Any]:
    """Invoices with their customer and open request, as a row of a list shows them."""
    open_ones = Prefetch("payment_requests", PaymentRequest.objects.open(), to_attr="open_requests")
    return rows.select_related("customer").prefetch_related(open_ones)


def show(visit: Visit, invoice_id: str) -> HttpResponse:
    """Everything about one invoice."""
    invoice = find(visit, Invoice.objects.select_related("organization", "customer"), invoice_id)
    asked = list(invoice.payment_requests.prefetch_related("mails__attempts").order_by("-created_at", "-id"))
    standing = next((request for request in asked if request.status == "open"), None)
    payments = list(invoice.payments.select_related("gateway_account").order_by("-created_at", "-id"))
    events = Event.objects.filter(invoice=invoice).select_related("payment_request", "payment")
    context = {
        "invoice": invoice,
        "lines": invoice.lines.all(),
        "obstacle": payment_requests.obstacle(invoice, now=visit.now),
        "standing": standing,
        "standing_mail": _latest_mail(standing),
        "standing_url": links.request_url(standing) if standing else "",
        "ended": [request for request in asked if request.status != "open"],
        "payments": [(payment, links.receipt_url(payment)) for payment in payments],
        "customer_url": links.invoice_url(invoice) if invoice.status != "draft" else "",
        "timeline": timeline.tell(events.order_by("-created_at", "-id")),
        "mails": invoice.mails.prefetch_related("attempts").order_by("-created_at", "-id"),
    }
    return visit.render("staff/invoices/show.html", context)


def _latest_mail(request: PaymentRequest | None) -> Mail | None:
    return max(request.mails.all(), key=lambda mail: (mail.created_at, mail.pk)) if request else None
