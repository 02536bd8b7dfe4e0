"""What is done with a whole invoice: send, resend, write off, reopen, void; each confirmed on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse

from partway.billing import invoices, payment_requests
from partway.billing.errors import BillingError
from partway.billing.models import Invoice

from .access import find
from .forms import Form
from .visit import Visit


def send(visit: Visit, invoice_id: str) -> HttpResponse:
    """Give the draft its number and mail it, after saying to whom."""
    return _act(visit, invoice_id, invoices.send, "send", _sent)


def _sent(invoice: Invoice) -> str:
    return f"Invoice {invoice.number} is on its way to {invoice.customer.email}."


def resend(visit: Visit, invoice_id: str) -> HttpResponse:
    """Mail the invoice's link again."""
    return _act(visit, invoice_id, invoices.resend, "resend", _resent)


def _resent(invoice: Invoice) -> str:
    return f"Invoice {invoice.number} is on its way again to {invoice.customer.email}."


def write_off(visit: Visit, invoice_id: str) -> HttpResponse:
    """Give up on what is still due, after saying what ends with it."""
    return _act(visit, invoice_id, invoices.write_off, "write_off", _written_off, _asked)


def _written_off(invoice: Invoice) -> str:
    return f"{invoice.amount_due} of {invoice.number} is written off. Nobody is asked for it any more."


def _asked(invoice: Invoice) -> dict[str, Any]:
    return {"asked": payment_requests.current(invoice)}


def reopen(visit: Visit, invoice_id: str) -> HttpResponse:
    """Take a write-off back."""
    return _act(visit, invoice_id, invoices.reopen, "reopen", _reopened)


def _reopened(invoice: Invoice) -> str:
    return f"{invoice.number} is open again: {invoice.amount_due} is due."


def void(visit: Visit, invoice_id: str) -> HttpResponse:
    """End an unpaid invoice for good."""
    return _act(visit, invoice_id, invoices.void, "void", _voided, _in_the_way)


def _voided(invoice: Invoice) -> str:
    return "The invoice is void. Nobody can pay it any more."


def _in_the_way(invoice: Invoice) -> dict[str, Any]:
    return {"obstacle": invoices.void_obstacle(invoice)}


def _act(
    visit: Visit,
    invoice_id: str,
    verb: Callable[..., Invoice],
    page: str,
    said: Callable[[Invoice], str],
    shown: Callable[[Invoice], dict[str, Any]] | None = None,
) -> HttpResponse:
    """Ask first; then do it, and say so on the invoice's page. A refusal comes back to the question."""
    invoice = find(visit, Invoice.objects.select_related("organization", "customer"), invoice_id)
    form = Form({})
    if visit.posted:
        try:
            done = verb(invoice, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("invoice", done.pk), said=said(done))
    more = shown(invoice) if shown else {}
    context = {"invoice": invoice, "form": form, **more}
    return visit.render(f"staff/invoices/{page}.html", context, status=form.status)
