"""The Refund dialog of an online payment: sends part or all of it back through the payment service."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from partway.billing.checkouts import gateway_calls
from partway.billing.errors import GatewayUnavailable
from partway.billing.models import Payment
from partway.billing.models.refunds import RefundReason
from partway.billing.payments import refunds
from partway.billing.payments.refunds import NewRefund
from partway.billing.receivables.refund_effects import refundable
from partway.delivery.formats import format_money
from partway.lib.money import Money

from ..access import get_own_or_404
from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import (
    IdempotencyKeyField,
    MoneyField,
    StaffForm,
    new_idempotency_key,
    sentences,
    set_currency,
    text_field,
)
from .refunds import kept_notice, parts_to_confirm, payment_context

_TEMPLATE = "staff/payments/gateway_refund.html"
_NO_REASON = _("Choose why the money is sent back.")
_NOTICES = {
    "succeeded": _("%(amount)s is on its way back to %(customer)s."),
    "pending": _(
        "%(amount)s is being sent back to %(customer)s. The payment service has not confirmed it yet."
    ),
}


class GatewayRefundForm(StaffForm):
    """A refund to send: how much and why, and whether it is due again."""

    amount = MoneyField()
    reason = forms.ChoiceField(
        choices=RefundReason.choices, error_messages={"required": _NO_REASON, "invalid_choice": _NO_REASON}
    )
    note = text_field(400)
    reduces_invoice = forms.BooleanField(required=False)
    standing = text_field()
    confirmed = text_field()
    idempotency_key = IdempotencyKeyField()


def refund(ctx: MemberContext, payment_id: str) -> HttpResponse:
    """The Refund dialog, which says from where the money is taken; where nothing can be sent back, the reason."""
    rows = Payment.objects.select_related("organization", "invoice__customer", "quote__customer")
    payment = get_own_or_404(ctx, rows, payment_id)
    back = ctx.back_from(payment)
    left = refundable(payment) if payment.captured else payment.amount
    # The gateway refuses what is between two of its steps.
    between = left.amount_minor % gateway_calls.step_of(payment).amount_minor if payment.captured else 0
    suggested = left - Money(between, left.currency) or left
    form = GatewayRefundForm(ctx.post_data, initial={"amount": suggested})
    set_currency(form, left.currency)

    def act(form: GatewayRefundForm) -> HttpResponse:
        page = context()
        if asked := parts_to_confirm(form, payment.customer, payment, page["standing"]):
            return ctx.render(_TEMPLATE, {**page, **asked, "form": form, "back": back})
        typed = form.cleaned_data
        new = NewRefund(**{each.name: typed[each.name] for each in fields(NewRefund)})
        standing = typed["standing"]
        row = refunds.refund(payment, new_refund=new, expected_standing=standing, by=ctx.actor, now=ctx.now)
        if row.status == "failed":
            # The key belongs to this refund now; another try is another refund.
            form.data = {**form.data, "idempotency_key": new_idempotency_key()}
            raise GatewayUnavailable(reason="refund_failed", gateway_message=row.failure_message)
        names = {"amount": format_money(row.amount), "customer": payment.customer.name}
        notice = sentences(str(_NOTICES[row.status]) % names, kept_notice(payment, names))
        return ctx.redirect(back, notice=notice)

    def context() -> dict[str, Any]:
        return {
            "customer": payment.customer,
            "left": refundable(payment) if payment.captured else left,
            "amount": suggested,
            "reasons": RefundReason.choices,
            **payment_context(payment),
        }

    return confirm(
        ctx,
        payment,
        _TEMPLATE,
        form=form,
        act=act,
        back=back,
        context=context,
        unavailable_reason=lambda: unavailable_message(refunds.unavailable_reason(payment)),
    )
