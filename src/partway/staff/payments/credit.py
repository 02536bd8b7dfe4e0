"""Credit of a customer: applied to an invoice, and released from one."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.errors import BillingError
from partway.billing.ledger import allocations
from partway.billing.models import Invoice, Payment
from partway.billing.receivables import credit
from partway.billing.requests import payment_requests
from partway.delivery.formats import format_money
from partway.lib.money import Money

from ..access import get_invoice_or_404, get_own_or_404
from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import IdempotencyKeyField, MoneyField, StaffForm, sentences, set_currency
from .payment_requests import canceled_request_notice


class ApplyCreditForm(StaffForm):
    """How much of the credit is applied."""

    amount = MoneyField()
    idempotency_key = IdempotencyKeyField()


def apply(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The Apply Credit dialog; where no credit can be applied, the reason."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    first = {"amount": max_applicable(invoice)}
    form = ApplyCreditForm(ctx.post_data, initial=first)
    set_currency(form, invoice.currency)
    if form.is_valid():
        open_request = payment_requests.current(invoice)
        amount, key = form.cleaned_data["amount"], form.cleaned_data["idempotency_key"]
        try:
            credit.apply(invoice, amount=amount, idempotency_key=key, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
            invoice.refresh_from_db()  # the page shows what is due now
        else:
            applied = gettext("%(amount)s of credit is on this invoice now.") % {
                "amount": format_money(amount)
            }
            notice = sentences(applied, canceled_request_notice(open_request))
            return ctx.redirect(ctx.url("invoice", invoice.pk), notice=notice)
    available = credit.available_credit(invoice)
    unavailable_reason = unavailable_message(credit.unavailable_reason(invoice))
    if not available and not unavailable_reason:
        unavailable_reason = gettext("This customer has no credit in the currency of this invoice.")
    context = {
        "invoice": invoice,
        "form": form,
        "back": ctx.url("invoice", invoice.pk),
        "unavailable_reason": "" if ctx.is_post else unavailable_reason,
        "available": available,
        "max_amount": max_applicable(invoice),
        "open_request": payment_requests.current(invoice),
    }
    return ctx.render("staff/payments/apply_credit.html", context, status=form.status)


def max_applicable(invoice: Invoice) -> Money:
    """Returns as much credit as there is and as fits beside a payment that is under way."""
    return min(credit.available_credit(invoice), payment_requests.max_requestable(invoice))


def release(ctx: MemberContext, invoice_id: str, payment_id: str) -> HttpResponse:
    """Asks before what a payment has paid on an invoice becomes the customer's credit and is due again."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    payment = get_own_or_404(ctx, Payment.objects.select_related("quote"), payment_id)
    back = ctx.url("invoice", invoice.pk)

    def act(_form: StaffForm) -> HttpResponse:
        released = credit.deallocate(invoice, payment, by=ctx.actor, now=ctx.now)
        notice = gettext("%(amount)s is credit of %(customer)s now, and due again on this invoice.")
        return ctx.redirect(
            back, notice=notice % {"amount": format_money(released), "customer": invoice.customer.name}
        )

    def unavailable_reason() -> str:
        if ctx.is_post or allocations.allocated_amount(payment, invoice):
            return ""
        return gettext("No part of this payment is applied to this invoice any more.")

    return confirm(
        ctx,
        invoice,
        "staff/payments/release.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {
            "payment": payment,
            "amount": Money(allocations.allocated_amount(payment, invoice), invoice.currency),
        },
        unavailable_reason=unavailable_reason,
    )
