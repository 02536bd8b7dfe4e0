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

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form
from .editor import number, version


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question: its template, what is said once it is done, what it shows, and what of that comes back with a yes."""

    template: str
    notice: Callable[[Invoice], str]
    extra_context: Callable[[Invoice], dict[str, Any]] = lambda _: {}
    parse_arguments: Callable[[Form, Invoice], dict[str, Any]] = lambda *_: {}


def send(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Give the draft its number and mail it, after saying to whom."""
    return _act(ctx, invoice_id, invoices.send, Confirmation("send", _sent, parse_arguments=_version))


def _sent(invoice: Invoice) -> str:
    return f"Invoice {invoice.number} is on its way to {invoice.customer.email}."


def resend(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Mail the invoice's link again."""
    return _act(ctx, invoice_id, invoices.resend, Confirmation("resend", _resent))


def _resent(invoice: Invoice) -> str:
    return f"Invoice {invoice.number} is on its way again to {invoice.customer.email}."


def write_off(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Give up on what is still due, after saying what ends with it."""
    page = Confirmation("write_off", _written_off, extra_context=_asked, parse_arguments=_version_and_due)
    return _act(ctx, invoice_id, invoices.write_off, page)


def _written_off(invoice: Invoice) -> str:
    return f"{invoice.amount_due} of {invoice.number} is written off. Nobody is asked for it any more."


def _asked(invoice: Invoice) -> dict[str, Any]:
    return {"asked": payment_requests.current(invoice)}


def reopen(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Take a write-off back."""
    return _act(ctx, invoice_id, invoices.reopen, Confirmation("reopen", _reopened, parse_arguments=_version))


def _reopened(invoice: Invoice) -> str:
    return f"{invoice.number} is open again: {invoice.amount_due} is due."


def void(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """End an unpaid invoice for good."""
    page = Confirmation("void", _voided, extra_context=_void_unavailable, parse_arguments=_version)
    return _act(ctx, invoice_id, invoices.void, page)


def _voided(invoice: Invoice) -> str:
    return "The invoice is void. Nobody can pay it any more."


def _void_unavailable(invoice: Invoice) -> dict[str, Any]:
    return {"unavailable_reason": invoices.void_unavailable_reason(invoice)}


def _version(form: Form, _: Invoice) -> dict[str, Any]:
    return {"version": version(form)}


def _version_and_due(form: Form, invoice: Invoice) -> dict[str, Any]:
    """A payment alone makes no new version, but another amount than the button named."""
    return {"version": version(form), "due": Money(number(form, "due_minor"), invoice.currency)}


def _act(
    ctx: MemberContext, invoice_id: str, action: Callable[..., Invoice], page: Confirmation
) -> HttpResponse:
    """Ask first; then do it, and say so on the invoice's page. A refusal comes back to the question, as it is now."""
    invoice = _get_or_404(ctx, invoice_id)
    form = Form({})
    if ctx.is_post:
        try:
            seen = page.parse_arguments(Form.from_data(ctx.request.POST), invoice)
            done = action(invoice, by=ctx.actor, now=ctx.now, **seen)
        except BillingError as error:
            form.add_error(error)
            invoice = _get_or_404(ctx, invoice_id)
        else:
            return ctx.redirect(ctx.url("invoice", done.pk), notice=page.notice(done))
    context = {"invoice": invoice, "form": form, **page.extra_context(invoice)}
    return ctx.render(f"staff/invoices/{page.template}.html", context, status=form.status)


def _get_or_404(ctx: MemberContext, invoice_id: str) -> Invoice:
    return get_own_or_404(ctx, Invoice.objects.select_related("organization", "customer"), invoice_id)
