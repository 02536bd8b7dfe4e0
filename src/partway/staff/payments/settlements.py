"""Rests of invoices that need no payment: settling one, and taking that back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.accounts.permissions import Permission
from partway.billing.ledger import adjustments
from partway.billing.models import Adjustment, Invoice
from partway.billing.models.adjustments import CHOSEN_REASONS
from partway.billing.receivables import settlements
from partway.billing.receivables.settlements import Settlement
from partway.billing.requests import payment_requests
from partway.delivery.formats import format_money
from partway.delivery.receipt_figures import adjustment_label
from partway.lib.money import Money

from ..access import get_invoice_or_404, get_own_or_404
from ..confirm import confirm, unavailable_message
from ..context import MemberContext
from ..forms import (
    HiddenNumberField,
    IdempotencyKeyField,
    StaffForm,
    sentences,
    text_field,
)
from .payment_requests import canceled_request_notice


class SettlementFields(StaffForm):
    """Why a rest needs no payment; of a form that settles one."""

    settle_reason = text_field()
    settle_note = text_field()
    is_large_confirmed = forms.BooleanField(required=False)

    def settlement(self, ctx: MemberContext, idempotency_key: str | None) -> Settlement:
        """Returns the settlement; only who may write off can confirm a large one, which comes close to it."""
        typed = self.cleaned_data
        may_confirm = Permission.WRITE_OFF_INVOICES in ctx.permissions
        return Settlement(
            reason=typed.get("settle_reason", ""),
            note=typed.get("settle_note", "").strip(),
            is_large_confirmed=may_confirm and typed.get("is_large_confirmed", False),
            idempotency_key=idempotency_key,
        )


def settlement_context(invoice: Invoice) -> dict[str, Any]:
    """Returns what the fields of a settlement show; `large_minor` is the rest above which it asks for confirmation."""
    return {
        "settle_reasons": [(reason, adjustment_label(reason)) for reason in CHOSEN_REASONS],
        "max_settle_note": settlements.MAX_NOTE_LENGTH,
        "small_share_percent": settlements.SMALL_SHARE_PERCENT,
        "large_minor": invoice.total_minor * settlements.SMALL_SHARE_PERCENT // 100,
    }


class SettleForm(SettlementFields):
    """The same with the amount due that the page showed."""

    due_minor = HiddenNumberField()
    idempotency_key = IdempotencyKeyField()


def settle(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """The Settle Rest dialog: asks why what is due needs no payment."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    back = ctx.url("invoice", invoice.pk)
    open_request = payment_requests.current(invoice)

    def act(form: SettleForm) -> HttpResponse:
        key = form.cleaned_data["idempotency_key"]
        row = settlements.settle(
            invoice,
            settlement=form.settlement(ctx, key),
            expected_amount_due=Money(form.cleaned_data["due_minor"], invoice.currency),
            by=ctx.actor,
            now=ctx.now,
        )
        settled = gettext("%(amount)s of %(number)s is settled (%(reason)s), and the invoice is paid.") % {
            "amount": format_money(row.amount),
            "number": invoice.number,
            "reason": adjustment_label(row.reason),
        }
        return ctx.redirect(back, notice=sentences(settled, canceled_request_notice(open_request)))

    return confirm(
        ctx,
        invoice,
        "staff/payments/settle.html",
        form=SettleForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {
            "invoice": invoice,
            "is_large": settlements.is_large(invoice.amount_due, invoice.total),
            "open_request": payment_requests.current(invoice),
            **settlement_context(invoice),
        },
        unavailable_reason=lambda: (
            "" if ctx.is_post else unavailable_message(settlements.unavailable_reason(invoice))
        ),
    )


def take_back(ctx: MemberContext, invoice_id: str, adjustment_id: str) -> HttpResponse:
    """Asks before a rest that was settled is due again."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    adjustment = get_own_or_404(ctx, Adjustment.objects.filter(invoice=invoice), adjustment_id)
    back = ctx.url("invoice", invoice.pk)

    def act(_form: StaffForm) -> HttpResponse:
        amount = settlements.take_back(adjustment, by=ctx.actor, now=ctx.now)
        notice = gettext("%(amount)s is due again on %(number)s.")
        return ctx.redirect(back, notice=notice % {"amount": format_money(amount), "number": invoice.number})

    def left() -> Money:
        standing = {row.pk: amount for row, amount in adjustments.standing(invoice)}
        return standing.get(adjustment.pk, Money(0, invoice.currency))

    def unavailable_reason() -> str:
        return "" if ctx.is_post or left() else gettext("This was taken back already.")

    return confirm(
        ctx,
        invoice,
        "staff/payments/take_back.html",
        form=StaffForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {"invoice": invoice, "adjustment": adjustment, "amount": left()},
        unavailable_reason=unavailable_reason,
    )
