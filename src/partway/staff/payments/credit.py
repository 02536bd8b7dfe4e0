"""Credit of a customer: put on an invoice, and moved there from one."""

from __future__ import annotations

from django.http import HttpResponse

from partway.billing.errors import BillingError
from partway.billing.ledger import allocations
from partway.billing.models import Invoice, Payment
from partway.billing.receivables import credit
from partway.billing.requests import payment_requests
from partway.delivery.templatetags.partway import money_input
from partway.lib.money import Money

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form, new_idempotency_key
from .payment_requests import canceled_request_notice

_NO_CREDIT = "This customer has no credit in the currency of this invoice."


def _find_invoice(ctx: MemberContext, invoice_id: str) -> Invoice:
    return get_own_or_404(ctx, Invoice.objects.select_related("organization", "customer"), invoice_id)


def apply(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The Apply Credit dialog; where none can be put, the reason."""
    invoice = _find_invoice(ctx, invoice_id)
    if not ctx.is_post:
        first = {"amount": money_input(_most(invoice)), "idempotency_key": new_idempotency_key()}
        return _apply_page(ctx, invoice, Form(first))
    form = Form.from_data(ctx.request.POST)
    amount = form.money("amount", invoice.currency)
    open_request = payment_requests.current(invoice)
    key = form.text("idempotency_key")[:40] or None
    if amount is not None:
        try:
            credit.apply(invoice, amount=amount, idempotency_key=key, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
            invoice = _find_invoice(ctx, invoice_id)  # somebody may have been faster: show what is due now
        else:
            notice = f"{amount} of credit is on this invoice now. {canceled_request_notice(open_request)}"
            return ctx.redirect(ctx.url("invoice", invoice.pk), notice=notice.strip())
    return _apply_page(ctx, invoice, form)


def _most(invoice: Invoice) -> Money:
    """As much credit as there is and as fits beside a payment that is under way."""
    return min(credit.available_credit(invoice), payment_requests.max_requestable(invoice))


def _apply_page(ctx: MemberContext, invoice: Invoice, form: Form) -> HttpResponse:
    available = credit.available_credit(invoice)
    unavailable_reason = credit.unavailable_reason(invoice) or ("" if available else _NO_CREDIT)
    context = {
        "invoice": invoice,
        "form": form,
        "unavailable_reason": "" if ctx.is_post else unavailable_reason,
        "available": available,
        "max_amount": _most(invoice),
        "open_request": payment_requests.current(invoice),
    }
    return ctx.render("staff/payments/apply_credit.html", context, status=form.status)


def release(ctx: MemberContext, invoice_id: str, payment_id: str) -> HttpResponse:
    """Move what a payment has paid on an invoice to the customer's credit, after saying that it is due again."""
    invoice = _find_invoice(ctx, invoice_id)
    payment = get_own_or_404(ctx, Payment.objects.select_related("quote"), payment_id)
    form = Form({})
    if ctx.is_post:
        try:
            amount = credit.release(invoice, payment, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            notice = f"{amount} is credit of {invoice.customer.name} now, and due again on this invoice."
            return ctx.redirect(ctx.url("invoice", invoice.pk), notice=notice)
    amount = Money(allocations.allocated_amount(payment, invoice), invoice.currency)
    context = {"invoice": invoice, "payment": payment, "amount": amount, "form": form}
    return ctx.render("staff/payments/release.html", context, status=form.status)
