"""Refunds by hand: recording what was given back of a payment or of credit, and taking that back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.errors import BillingError
from partway.billing.ledger import allocations
from partway.billing.models import Customer, Invoice, Payment, Refund
from partway.billing.receivables import credit, deductions, refund_effects, refunds
from partway.billing.receivables.deductions import is_waiting_deposit
from partway.billing.receivables.refund_effects import refundable
from partway.billing.receivables.refunds import OutsideRefund
from partway.delivery.formats import format_money
from partway.lib.money import EXPONENTS, Money

from ..access import get_own_or_404
from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import (
    DayField,
    IdempotencyKeyField,
    MoneyField,
    StaffForm,
    sentences,
    set_currency,
    text_field,
)


class RefundForm(StaffForm):
    """A refund that happened outside: how much, how and when."""

    amount = MoneyField()
    method = text_field()
    refunded_on = DayField()
    reference = text_field()
    note = text_field()
    reduces_invoice = forms.BooleanField(required=False)
    currency = text_field()  # of the credit that is given back
    standing = text_field()
    confirmed = text_field()
    idempotency_key = IdempotencyKeyField()

    def refund(self, ctx: MemberContext, currency: str) -> OutsideRefund:
        """Returns the refund; with stand-ins for the fields that could not be parsed."""
        typed = {"amount": Money(0, currency), "refunded_on": ctx.today, "method": "", **self.cleaned_data}
        return OutsideRefund(
            **{each.name: typed[each.name] for each in fields(OutsideRefund) if each.name in typed}
        )


def record_of_payment(ctx: MemberContext, payment_id: str) -> HttpResponse:
    """The Record Refund dialog of a payment; where nothing can be given back, the reason."""
    rows = Payment.objects.select_related("organization", "invoice__customer", "quote__customer")
    payment = get_own_or_404(ctx, rows, payment_id)
    back = ctx.back_from(payment)
    context = payment_context(payment)
    left = refundable(payment) if payment.captured else payment.amount
    # What is on no invoice, as far as no dispute freezes it; otherwise all that is left.
    suggested = min(context["unallocated"] or left, left)
    context |= {"left": left, "unavailable_reason": unavailable_message(refunds.unavailable_reason(payment))}
    return _record(ctx, payment.document.customer, payment, suggested, back, context)


def payment_context(payment: Payment) -> dict[str, Any]:
    """Returns where the money of a payment stands, in the order in which a refund takes it."""
    allocated = allocations.amounts_by_invoice(payment)
    ends_deposit = is_waiting_deposit(payment)
    return {
        "payment": payment,
        "ends_deposit": ends_deposit,
        "standing": refund_effects.standing(payment),
        # A deposit is reserved for its invoice (DESIGN D2), so its dialog does not call it credit.
        "unallocated": None if ends_deposit else allocations.unallocated(payment),
        "frozen": Money(payment.frozen_minor, payment.captured_currency) if payment.frozen_minor else None,
        "allocated": [
            (invoice, Money(allocated[invoice.pk], invoice.currency))
            for invoice in Invoice.objects.filter(pk__in=allocated).order_by("-pk")
        ],
    }


def parts_to_confirm(
    form: StaffForm, customer: Customer, payment: Payment | None, standing: str
) -> dict[str, Any]:
    """Returns from where the amount is taken, where that is more than one place and was not confirmed as it is now.

    Each part is its invoice or its payment, or None for the payment's credit, with its amount; and `confirmed` is what
    the form sends back. Empty where billing refuses the amount anyway, or the page is stale.
    """
    amount = form.cleaned_data["amount"]
    confirmed = f"{amount.amount_minor} of {standing}"
    if amount.amount_minor <= 0 or form.cleaned_data["standing"] != standing:
        return {}
    if form.cleaned_data["confirmed"] == confirmed:
        return {}
    parts: list[tuple[Invoice | Payment | None, int]]
    if payment is None:
        parts = list(refunds.credit_parts(customer, amount))
    else:
        taken = deductions.parts(payment, amount.amount_minor)
        invoices = Invoice.objects.in_bulk(list(dict(taken)))
        parts = [(invoices.get(pk), minor) for pk, minor in taken]
    if len(parts) < 2 or sum(minor for _place, minor in parts) != amount.amount_minor:
        return {}
    named = [(place, Money(minor, amount.currency)) for place, minor in parts]
    return {"parts": named, "amount": amount, "confirmed": confirmed}


def record_of_credit(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """The Record Refund dialog of a customer's credit, in the currency that the address or the form names."""
    customer = get_own_or_404(ctx, Customer.objects.select_related("organization"), customer_id)
    balances = {amount.currency: amount for amount in credit.balances(customer)}
    wanted = (ctx.post_data or ctx.request.GET).get("currency", "")
    currency = wanted if wanted in EXPONENTS else next(iter(balances), ctx.organization.currency)
    available = balances.get(currency, Money(0, currency))
    context = {
        "payment": None,
        "left": available,
        "standing": refunds.standing(customer, currency, None),
        "unavailable_reason": "" if available else gettext("This customer has no credit."),
    }
    return _record(ctx, customer, None, available, ctx.url("customer", customer.pk), context)


def _record(
    ctx: MemberContext,
    customer: Customer,
    payment: Payment | None,
    suggested: Money,
    back: str,
    context: dict[str, Any],
) -> HttpResponse:
    currency = suggested.currency
    first = {
        "amount": suggested,
        "refunded_on": ctx.today,
        "currency": currency,
    }
    form = RefundForm(ctx.post_data, initial=first)
    set_currency(form, currency)
    asked: dict[str, Any] = {}
    if form.is_valid() and (asked := parts_to_confirm(form, customer, payment, context["standing"])):
        context |= asked
    elif form.is_valid():
        try:
            recorded = refunds.record(
                customer,
                refund=form.refund(ctx, currency),
                payment=payment,
                by=ctx.actor,
                now=ctx.now,
                expected_standing=form.cleaned_data["standing"],
            )
        except BillingError as error:
            form.add_billing_error(error)
            context["standing"] = refunds.standing(customer, currency, payment)
        else:
            amount = Money(sum(row.amount_minor for row in recorded), currency)
            notice = gettext("It is recorded that %(amount)s was given back to %(customer)s.")
            names = {"amount": format_money(amount), "customer": customer.name}
            return ctx.redirect(back, notice=sentences(notice % names, kept_notice(payment, names)))
    elif form.is_bound:
        typed = form.refund(ctx, currency)
        wrong = refunds.detail_errors(typed, customer, payment, ctx.today)
        form.add_field_errors({name: error for name, error in wrong.items() if name not in form.errors})
    page = {
        "form": form,
        "customer": customer,
        "currency": currency,
        "modes": [(mode, mode) for mode in ctx.organization.payment_modes],
        "back": back,
        **context,
        **({"unavailable_reason": ""} if ctx.is_post else {}),
    }
    return ctx.render("staff/payments/refund.html", page, status=form.status)


def kept_notice(payment: Payment | None, names: dict[str, str]) -> str:
    """Says what became of the part of a deposit that was not given back; empty for other payments."""
    if payment is None or payment.quote_id is None:
        return ""
    payment.refresh_from_db()
    kept = allocations.unallocated(payment)
    if not payment.deposit_given_back or not kept:
        return ""
    return gettext("The %(kept)s that you keep is credit of %(customer)s.") % {
        **names,
        "kept": format_money(kept),
    }


class ReverseRefundForm(StaffForm):
    """Why a refund is taken back."""

    reason = text_field()


def reverse(ctx: MemberContext, refund_id: str) -> HttpResponse:
    """Asks before a refund that was recorded by mistake is taken back."""
    rows = Refund.objects.select_related("payment__invoice__customer", "payment__quote__customer")
    refund = get_own_or_404(ctx, rows, refund_id)
    customer = refund.payment.document.customer
    back = ctx.url("customer", customer.pk)

    def act(form: ReverseRefundForm) -> HttpResponse:
        refunds.reverse(refund, reason=form.cleaned_data["reason"], by=ctx.actor, now=ctx.now)
        notice = gettext("%(amount)s is credit of %(customer)s again.")
        return ctx.redirect(
            back, notice=notice % {"amount": format_money(refund.amount), "customer": customer.name}
        )

    def unavailable_reason() -> str:
        return gettext("This refund was reversed already.") if refund.status == "reversed" else ""

    return confirm(
        ctx,
        refund,
        "staff/payments/reverse_refund.html",
        form=ReverseRefundForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {
            "refund": refund,
            "customer": customer,
            "max_reason": refunds.MAX_REASON_LENGTH,
        },
        unavailable_reason=unavailable_reason,
    )
