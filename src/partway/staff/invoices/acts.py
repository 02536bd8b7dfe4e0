"""Acts on a whole invoice: send, resend, delete, write off and reopen; each is confirmed on a page of its own."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.documents import invoices
from partway.billing.receivables import write_offs
from partway.billing.requests import payment_requests
from partway.delivery.formats import format_money
from partway.lib.money import Money

from ..access import get_invoice_or_404
from ..confirm import ConfirmForm, RepeatableActForm, confirm, confirm_deletion
from ..context import MemberContext
from ..forms import HiddenNumberField


class SendForm(ConfirmForm):
    """The version, and whether the invoice is meant to be overdue at once."""

    allow_overdue = forms.BooleanField(required=False)


def send(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Asks before the draft gets its number and is mailed; says when it would be overdue at once."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    back = ctx.url("invoice", invoice.pk)

    def act(form: SendForm) -> HttpResponse:
        typed = form.cleaned_data
        sent = invoices.send(
            invoice,
            expected_version=typed["version"],
            allow_overdue=typed["allow_overdue"],
            by=ctx.actor,
            now=ctx.now,
        )
        notice = gettext("Invoice %(number)s is on its way to %(email)s.")
        return ctx.redirect(back, notice=notice % {"number": sent.number, "email": sent.customer.email})

    return confirm(
        ctx,
        invoice,
        "staff/invoices/send.html",
        form=SendForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {
            "due_on": invoices.due_on_if_sent(invoice, ctx.now),
            "is_overdue": invoices.is_overdue_if_sent(invoice, ctx.now),
        },
    )


def resend(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Asks before the invoice's link is mailed again."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    back = ctx.url("invoice", invoice.pk)

    def act(form: RepeatableActForm) -> HttpResponse:
        sent = invoices.resend(
            invoice, by=ctx.actor, now=ctx.now, idempotency_key=form.content_key(ctx.request.path)
        )
        notice = gettext("Invoice %(number)s is on its way again to %(email)s.")
        return ctx.redirect(back, notice=notice % {"number": sent.number, "email": sent.customer.email})

    return confirm(
        ctx,
        invoice,
        "staff/invoices/resend.html",
        form=RepeatableActForm(ctx.post_data),
        act=act,
        back=back,
    )


class WriteOffForm(ConfirmForm):
    """The version and the amount due that the page showed: a payment changes the amount and makes no new version."""

    due_minor = HiddenNumberField()


def write_off(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Asks before what is still due is given up, and names what ends with it."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    back = ctx.url("invoice", invoice.pk)

    def act(form: WriteOffForm) -> HttpResponse:
        due = Money(form.cleaned_data["due_minor"], invoice.currency)
        version = form.cleaned_data["version"]
        done = write_offs.write_off(
            invoice, expected_version=version, expected_amount_due=due, by=ctx.actor, now=ctx.now
        )
        notice = gettext("%(amount)s of %(number)s is written off. No payment is expected any more.")
        return ctx.redirect(
            back, notice=notice % {"amount": format_money(done.amount_due), "number": done.number}
        )

    return confirm(
        ctx,
        invoice,
        "staff/invoices/write_off.html",
        form=WriteOffForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {"open_request": payment_requests.current(invoice)},
    )


def reopen(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Asks before a write-off is taken back."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    back = ctx.url("invoice", invoice.pk)

    def act(form: ConfirmForm) -> HttpResponse:
        done = write_offs.reopen(
            invoice, expected_version=form.cleaned_data["version"], by=ctx.actor, now=ctx.now
        )
        notice = gettext("%(number)s is open again: %(amount)s is due.")
        return ctx.redirect(
            back, notice=notice % {"number": done.number, "amount": format_money(done.amount_due)}
        )

    return confirm(
        ctx,
        invoice,
        "staff/invoices/reopen.html",
        form=ConfirmForm(ctx.post_data),
        act=act,
        back=back,
    )


def delete(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Asks before a draft is deleted."""
    return confirm_deletion(ctx, get_invoice_or_404(ctx, invoice_id), invoices.delete_draft)
