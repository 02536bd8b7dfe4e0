"""What is done with a whole invoice: send, send again, void; each confirmed on a page of its own."""

from __future__ import annotations

from django.http import HttpResponse

from partway.billing import invoices
from partway.billing.errors import BillingError
from partway.billing.models import Invoice

from .access import find
from .forms import Form
from .visit import Visit


def _find(visit: Visit, invoice_id: str) -> Invoice:
    return find(visit, Invoice.objects.select_related("organization", "customer"), invoice_id)


def send(visit: Visit, invoice_id: str) -> HttpResponse:
    """Give the draft its number and mail it, after saying to whom."""
    invoice = _find(visit, invoice_id)
    form = Form({})
    if visit.posted:
        try:
            invoice = invoices.send(invoice, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"Invoice {invoice.number} is on its way to {invoice.customer.email}."
            return visit.go(visit.url("invoice", invoice.pk), said=said)
    return visit.render("staff/invoices/send.html", {"invoice": invoice, "form": form}, status=form.status)


def resend(visit: Visit, invoice_id: str) -> HttpResponse:
    """Mail the invoice's link again."""
    invoice = _find(visit, invoice_id)
    form = Form({})
    if visit.posted:
        try:
            invoices.resend(invoice, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"Invoice {invoice.number} is on its way again to {invoice.customer.email}."
            return visit.go(visit.url("invoice", invoice.pk), said=said)
    return visit.render("staff/invoices/resend.html", {"invoice": invoice, "form": form}, status=form.status)


def void(visit: Visit, invoice_id: str) -> HttpResponse:
    """End an unpaid invoice for good."""
    invoice = _find(visit, invoice_id)
    form = Form({})
    if visit.posted:
        try:
            invoices.void(invoice, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(
                visit.url("invoice", invoice.pk), said="The invoice is void. Nobody can pay it any more."
            )
    return visit.render("staff/invoices/void.html", {"invoice": invoice, "form": form}, status=form.status)
