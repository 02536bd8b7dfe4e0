"""Acts on a whole quote: send, resend, delete a draft, copy its link, record its deposit, make the invoice."""

from __future__ import annotations

from itertools import chain

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing import links, outbox
from partway.billing.documents import deposits, quotes
from partway.billing.documents.deposits import OfflineDeposit
from partway.billing.errors import BillingError
from partway.delivery.formats import format_money

from ..access import get_quote_or_404
from ..confirm import ConfirmForm, RepeatableActForm, confirm, confirm_deletion, unavailable_message
from ..context import MemberContext
from ..forms import IdempotencyKeyField, PaymentDayForm, text_field


def send(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Asks before the draft gets its number and is mailed."""
    quote = get_quote_or_404(ctx, quote_id)
    back = ctx.url("quote", quote.pk)

    def act(form: ConfirmForm) -> HttpResponse:
        sent = quotes.send(quote, expected_version=form.cleaned_data["version"], by=ctx.actor, now=ctx.now)
        notice = gettext("Quote %(number)s is on its way to %(email)s.")
        return ctx.redirect(back, notice=notice % {"number": sent.number, "email": sent.customer.email})

    return confirm(
        ctx,
        quote,
        "staff/quotes/send.html",
        form=ConfirmForm(ctx.post_data),
        act=act,
        back=back,
        context=lambda: {"is_past_valid_until": quotes.is_past_valid_until(quote, ctx.now)},
    )


def delete(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Asks before a draft is deleted."""
    return confirm_deletion(ctx, get_quote_or_404(ctx, quote_id), quotes.delete_draft)


def resend(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Asks before the quote's link is mailed again."""
    quote = get_quote_or_404(ctx, quote_id)
    back = ctx.url("quote", quote.pk)

    def act(form: RepeatableActForm) -> HttpResponse:
        quotes.resend(quote, by=ctx.actor, now=ctx.now, idempotency_key=form.content_key(ctx.request.path))
        notice = gettext("Quote %(number)s is on its way again to %(email)s.")
        return ctx.redirect(back, notice=notice % {"number": quote.number, "email": quote.customer.email})

    return confirm(
        ctx,
        quote,
        "staff/quotes/resend.html",
        form=RepeatableActForm(ctx.post_data),
        act=act,
        back=back,
    )


def link(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """The link to the quote page, to be copied by hand; a draft has none."""
    quote = get_quote_or_404(ctx, quote_id)
    url = links.quote_url(quote) if quote.status in ("sent", "accepted") else ""
    context = {"quote": quote, "url": url, "back": ctx.url("quote", quote.pk)}
    return ctx.render("staff/quotes/link.html", context)


class DepositForm(PaymentDayForm):
    """How and when a deposit was paid offline; it is always paid in full."""

    method = text_field()
    reference = text_field()
    note = text_field()
    idempotency_key = IdempotencyKeyField()


def deposit(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """The Record Deposit dialog; where none can be recorded, the reason."""
    quote = get_quote_or_404(ctx, quote_id)
    back = ctx.url("quote", quote.pk)
    first = {"paid_on": ctx.today}
    form = DepositForm(ctx.post_data, initial=first)
    if form.is_valid():
        offline = OfflineDeposit(**form.details())
        try:
            deposits.record_deposit(quote, deposit=offline, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
        else:
            notice = gettext("The deposit of %(amount)s is recorded. %(customer)s gets a receipt.")
            values = {"amount": format_money(quote.deposit), "customer": quote.customer.name}
            return ctx.redirect(back, notice=notice % values)
    context = {
        "quote": quote,
        "form": form,
        "back": back,
        "receipt_to": ", ".join(chain(*outbox.receipt_recipients(quote))),
        "modes": [(mode, mode) for mode in ctx.organization.payment_modes],
        "unavailable_reason": unavailable_message(deposits.unavailable_reason(quote)),
    }
    return ctx.render("staff/quotes/deposit.html", context, status=form.status)


def invoice(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Asks before a draft invoice is made of the accepted quote; leads to that draft."""
    quote = get_quote_or_404(ctx, quote_id)

    def act(form: ConfirmForm) -> HttpResponse:
        version = form.cleaned_data["version"]
        made = quotes.create_invoice(quote, expected_version=version, by=ctx.actor, now=ctx.now)
        notice = gettext("The invoice of %(number)s is a draft. Look it over, then send it.")
        return ctx.redirect(ctx.url("invoice", made.pk), notice=notice % {"number": quote.number})

    return confirm(
        ctx,
        quote,
        "staff/quotes/invoice.html",
        form=ConfirmForm(ctx.post_data),
        act=act,
        back=ctx.url("quote", quote.pk),
        context=lambda: {
            "deposit_status": deposits.deposit_status(quote),
            "deposit_is_credit": deposits.is_credit(quote),
        },
    )
