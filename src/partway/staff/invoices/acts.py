"""What is done with a whole invoice: send, resend, write off, reopen, void; each confirmed on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from partway.billing.documents import invoices
from partway.billing.errors import BillingError
from partway.billing.models import Invoice
from partway.billing.requests import payment_requests
from partway.lib.money import Money

from ..access import find
from ..context import Visit
from ..forms import Form
from .editor import number, version


@dataclass(frozen=True, slots=True)
class Page:
    """A question: its template, what is said once it is done, what it shows, and what of that comes back with a yes."""

    template: str
    said: Callable[[Invoice], str]
    shown: Callable[[Invoice], dict[str, Any]] = lambda _: {}
    read: Callable[[Form, Invoice], dict[str, Any]] = lambda *_: {}


def send(visit: Visit, invoice_id: str) -> HttpResponse:
    """Give the draft its number and mail it, after saying to whom."""
    return _act(visit, invoice_id, invoices.send, Page("send", _sent, read=_version))


def _sent(invoice: Invoice) -> str:
    return f"Invoice {invoice.number} is on its way to {invoice.customer.email}."


def resend(visit: Visit, invoice_id: str) -> HttpResponse:
    """Mail the invoice's link again."""
    return _act(visit, invoice_id, invoices.resend, Page("resend", _resent))


def _resent(invoice: Invoice) -> str:
    return f"Invoice {invoice.number} is on its way again to {invoice.customer.email}."


def write_off(visit: Visit, invoice_id: str) -> HttpResponse:
    """Give up on what is still due, after saying what ends with it."""
    page = Page("write_off", _written_off, shown=_asked, read=_version_and_due)
    return _act(visit, invoice_id, invoices.write_off, page)


def _written_off(invoice: Invoice) -> str:
    return f"{invoice.amount_due} of {invoice.number} is written off. Nobody is asked for it any more."


def _asked(invoice: Invoice) -> dict[str, Any]:
    return {"asked": payment_requests.current(invoice)}


def reopen(visit: Visit, invoice_id: str) -> HttpResponse:
    """Take a write-off back."""
    return _act(visit, invoice_id, invoices.reopen, Page("reopen", _reopened, read=_version))


def _reopened(invoice: Invoice) -> str:
    return f"{invoice.number} is open again: {invoice.amount_due} is due."


def void(visit: Visit, invoice_id: str) -> HttpResponse:
    """End an unpaid invoice for good."""
    page = Page("void", _voided, shown=_in_the_way, read=_version)
    return _act(visit, invoice_id, invoices.void, page)


def _voided(invoice: Invoice) -> str:
    return "The invoice is void. Nobody can pay it any more."


def _in_the_way(invoice: Invoice) -> dict[str, Any]:
    return {"obstacle": invoices.void_obstacle(invoice)}


def _version(form: Form, _: Invoice) -> dict[str, Any]:
    return {"version": version(form)}


def _version_and_due(form: Form, invoice: Invoice) -> dict[str, Any]:
    """A payment alone makes no new version, but another amount than the button named."""
    return {"version": version(form), "due": Money(number(form, "due_minor"), invoice.currency)}


def _act(visit: Visit, invoice_id: str, verb: Callable[..., Invoice], page: Page) -> HttpResponse:
    """Ask first; then do it, and say so on the invoice's page. A refusal comes back to the question, as it is now."""
    invoice = _find(visit, invoice_id)
    form = Form({})
    if visit.posted:
        try:
            seen = page.read(Form.typed(visit.request.POST), invoice)
            done = verb(invoice, by=visit.actor, now=visit.now, **seen)
        except BillingError as error:
            form.refuse(error)
            invoice = _find(visit, invoice_id)
        else:
            return visit.go(visit.url("invoice", done.pk), said=page.said(done))
    context = {"invoice": invoice, "form": form, **page.shown(invoice)}
    return visit.render(f"staff/invoices/{page.template}.html", context, status=form.status)


def _find(visit: Visit, invoice_id: str) -> Invoice:
    return find(visit, Invoice.objects.select_related("organization", "customer"), invoice_id)
