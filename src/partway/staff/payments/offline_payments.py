"""Offline payments: recording one on an invoice, and reversing one whose check bounced."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing import outbox
from partway.billing.errors import BillingError
from partway.billing.ledger import allocations
from partway.billing.models import Allocation, Customer, Invoice, Payment
from partway.billing.receivables import credit, offline_payments
from partway.billing.receivables.offline_payments import OfflinePayment
from partway.billing.requests import payment_requests
from partway.delivery.formats import format_money
from partway.lib.money import Money

from ..access import get_invoice_or_404, get_own_or_404
from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import (
    IdempotencyKeyField,
    MoneyField,
    PaymentDayForm,
    StaffForm,
    sentences,
    set_currency,
    text_field,
)
from .payment_requests import canceled_request_notice
from .settlements import SettlementFields, settlement_context


class OfflinePaymentForm(PaymentDayForm, SettlementFields):
    """A payment that a member received: how much, how and when, and what becomes of a rest."""

    amount = MoneyField()
    keep_rest_as_credit = forms.BooleanField(required=False)
    method = text_field()
    reference = text_field()
    note = text_field()
    send_receipt = forms.BooleanField(required=False)
    idempotency_key = IdempotencyKeyField()

    def offline_payment(self, ctx: MemberContext, invoice: Invoice) -> OfflinePayment:
        """Returns the payment; with stand-ins for the fields that could not be parsed."""
        typed = {
            "amount": Money(0, invoice.currency),
            "paid_on": ctx.today,
            "method": "",
            **self.details(),
        }
        key = typed.get("idempotency_key")
        own = {name: value for name, value in typed.items() if name not in SettlementFields.base_fields}
        return OfflinePayment(
            **own, settlement=self.settlement(ctx, key) if typed.get("settle_reason") else None
        )

    def add_detail_errors(self, ctx: MemberContext, invoice: Invoice) -> None:
        """Adds billing's checks of the other fields where an unparsed one keeps billing from being called."""
        payment = self.offline_payment(ctx, invoice)
        wrong = offline_payments.detail_errors(payment, ctx.organization, ctx.today)
        self.add_field_errors({name: error for name, error in wrong.items() if name not in self.errors})


def record(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The Record Payment dialog; where nothing can be recorded, the reason."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    first = {"paid_on": ctx.today, "send_receipt": True}
    form = OfflinePaymentForm(ctx.post_data, initial=first)
    set_currency(form, invoice.currency)
    if form.is_valid():
        open_request = payment_requests.current(invoice)
        offline = form.offline_payment(ctx, invoice)
        due_before = invoice.amount_due
        try:
            payment = offline_payments.record(invoice, offline=offline, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
            invoice.refresh_from_db()  # the page shows what is due now
        else:
            rest = due_before - payment.amount
            notice = sentences(
                gettext("The payment of %(amount)s is recorded.") % {"amount": format_money(payment.amount)},
                _settled_notice(rest) if offline.settlement else "",
                canceled_request_notice(open_request),
                _credit_notice(payment, invoice.customer),
                *(
                    gettext("A receipt is on its way to %(email)s.")
                    % {"email": ", ".join([*mail.to, *mail.cc])}
                    for mail in payment.mails.filter(kind="receipt")
                ),
            )
            return ctx.redirect(ctx.url("invoice", invoice.pk), notice=notice)
    elif form.is_bound:
        form.add_detail_errors(ctx, invoice)
    max_amount = payment_requests.max_requestable(invoice)
    typed = form.cleaned_data.get("amount") if form.is_bound else None
    context = {
        "invoice": invoice,
        "form": form,
        "back": ctx.url("invoice", invoice.pk),
        "unavailable_reason": "" if ctx.is_post else _unavailable_reason(invoice, max_amount),
        "max_amount": max_amount,
        "modes": [(mode, mode) for mode in ctx.organization.payment_modes],
        "open_request": payment_requests.current(invoice),
        "receipt_to": ", ".join(chain(*outbox.receipt_recipients(invoice))),
        "excess": typed - invoice.amount_due if typed and invoice.amount_due < typed else None,
        **settlement_context(invoice),
    }
    return ctx.render("staff/payments/record.html", context, status=form.status)


def _settled_notice(rest: Money) -> str:
    if rest.amount_minor <= 0:  # all that was due was paid, so nothing was left to settle
        return ""
    notice = gettext("The remaining %(rest)s is settled, and the invoice is paid.")
    return notice % {"rest": format_money(rest)}


def _credit_notice(payment: Payment, customer: Customer) -> str:
    credited = allocations.unallocated(payment)
    if not credited:
        return ""
    names = {"credited": format_money(credited), "customer": customer.name}
    return gettext("%(credited)s of it is credit of %(customer)s.") % names


def _unavailable_reason(invoice: Invoice, max_amount: Money) -> str:
    message = unavailable_message(offline_payments.unavailable_reason(invoice))
    if max_amount or message:
        return message
    return gettext("All that is due is being paid right now. Wait until that is settled, then try again.")


class ReverseForm(StaffForm):
    """Why a payment is reversed."""

    reason = text_field()


@dataclass(frozen=True, slots=True)
class ReversalEffects:
    """The effects of reversing a payment: amounts due again by invoice, credit that goes, a deposit due again."""

    due_again: list[tuple[Invoice, Money]]
    credit: Money | None
    deposit: Money | None


def reverse(ctx: MemberContext, payment_id: str) -> HttpResponse:
    """Asks before a payment that was recorded by hand is reversed."""
    rows = Payment.objects.select_related("organization", "invoice__customer", "quote__customer")
    payment = get_own_or_404(ctx, rows, payment_id)
    back = ctx.back_from(payment)

    def act(form: ReverseForm) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        offline_payments.reverse(payment, reason=reason, by=ctx.actor, now=ctx.now)
        taken = Allocation.objects.filter(payment=payment, cause="reversed").select_related("invoice")
        due_again = gettext("%(amount)s is due again on %(invoice)s.")
        notice = sentences(
            gettext("The payment of %(amount)s is reversed.") % {"amount": format_money(payment.amount)},
            *(
                due_again
                % {
                    "amount": format_money(Money(-row.amount_minor, row.currency)),
                    "invoice": row.invoice.number,
                }
                for row in taken
            ),
        )
        return ctx.redirect(back, notice=notice)

    def unavailable_reason() -> str:
        if payment.status == "reversed":
            return gettext("This payment was reversed already.")
        if payment.refunded_minor:
            return gettext("%(amount)s of this payment was given back. Reverse that refund first.") % {
                "amount": format_money(Money(payment.refunded_minor, payment.captured_currency))
            }
        if payment.is_offline and payment.status == "succeeded":
            return ""
        return gettext("Only a payment that was recorded by hand can be reversed.")

    return confirm(
        ctx,
        payment,
        "staff/payments/reverse.html",
        form=ReverseForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {
            "effects": reversal_effects(payment),
            "max_reason": offline_payments.MAX_REASON_LENGTH,
        },
        unavailable_reason=unavailable_reason,
    )


def reversal_effects(payment: Payment) -> ReversalEffects:
    """Returns the effects that reversing the payment would have now."""
    allocated = allocations.amounts_by_invoice(payment)
    invoices = Invoice.objects.filter(pk__in=allocated).order_by("pk")
    unallocated = allocations.unallocated(payment) or None
    is_credit = credit.payments_with_credit(payment.document.customer).filter(pk=payment.pk).exists()
    # A deposit can be paid while its quote is accepted, until an invoice is made of it (DESIGN D2).
    is_due_again = payment.quote is not None and payment.quote.status == "accepted"
    return ReversalEffects(
        due_again=[(invoice, Money(allocated[invoice.pk], invoice.currency)) for invoice in invoices],
        credit=unallocated if is_credit else None,
        deposit=payment.amount if is_due_again else None,
    )
