"""What is done with a whole quote: send, send again, copy its link, record its deposit, make the invoice."""

from __future__ import annotations

from django.http import HttpResponse

from partway.billing import links
from partway.billing.documents import deposits, quotes
from partway.billing.documents.deposits import OfflineDeposit
from partway.billing.errors import BillingError
from partway.billing.models import Quote

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form, new_idempotency_key
from ..invoices.editor import version


def _get_or_404(ctx: MemberContext, quote_id: str) -> Quote:
    return get_own_or_404(ctx, Quote.objects.select_related("organization", "customer"), quote_id)


def _version(ctx: MemberContext) -> int:
    """Which version the page showed that was answered with yes."""
    return version(Form.from_data(ctx.request.POST))


def send(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Give the draft its number and mail it, after saying to whom."""
    quote = _get_or_404(ctx, quote_id)
    form = Form({})
    if ctx.is_post:
        try:
            quote = quotes.send(quote, by=ctx.actor, now=ctx.now, version=_version(ctx))
        except BillingError as error:
            form.add_error(error)
            quote = _get_or_404(ctx, quote_id)  # somebody may have been faster: show what is true now
        else:
            notice = f"Quote {quote.number} is on its way to {quote.customer.email}."
            return ctx.redirect(ctx.url("quote", quote.pk), notice=notice)
    return ctx.render("staff/quotes/send.html", {"quote": quote, "form": form}, status=form.status)


def resend(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Mail the quote's link again."""
    quote = _get_or_404(ctx, quote_id)
    form = Form({})
    if ctx.is_post:
        try:
            quotes.resend(quote, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            notice = f"Quote {quote.number} is on its way again to {quote.customer.email}."
            return ctx.redirect(ctx.url("quote", quote.pk), notice=notice)
    return ctx.render("staff/quotes/resend.html", {"quote": quote, "form": form}, status=form.status)


def link(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """The link to the quote page, to be copied by hand; a draft has none."""
    quote = _get_or_404(ctx, quote_id)
    url = links.quote_url(quote) if quote.status in ("sent", "accepted") else ""
    return ctx.render("staff/quotes/link.html", {"quote": quote, "url": url})


def deposit(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Record that the deposit was paid offline: how and when, never how much."""
    quote = _get_or_404(ctx, quote_id)
    form = Form.from_data(ctx.request.POST) if ctx.is_post else Form(_fresh_deposit(ctx))
    recorded = _read_deposit(form) if ctx.is_post else None
    if recorded is not None:
        try:
            deposits.record_deposit(quote, deposit=recorded, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            notice = f"The deposit of {quote.deposit} is recorded. {quote.customer.name} gets a receipt."
            return ctx.redirect(ctx.url("quote", quote.pk), notice=notice)
    modes = [(mode, mode) for mode in ctx.organization.payment_modes]
    context = {
        "quote": quote,
        "form": form,
        "modes": modes,
        "unavailable_reason": deposits.unavailable_reason(quote),
    }
    return ctx.render("staff/quotes/deposit.html", context, status=form.status)


def _read_deposit(form: Form) -> OfflineDeposit | None:
    paid_on = form.day("paid_on")
    if paid_on is None:
        return None
    key = form.text("idempotency_key")[:40] or None
    return OfflineDeposit(form.text("method"), paid_on, form.text("reference"), form.text("note"), key)


def _fresh_deposit(ctx: MemberContext) -> dict[str, str]:
    return {"paid_on": ctx.today.isoformat(), "idempotency_key": new_idempotency_key()}


def invoice(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Turn the accepted quote into a draft invoice, and go there."""
    quote = _get_or_404(ctx, quote_id)
    form = Form({})
    if ctx.is_post:
        try:
            made = quotes.create_invoice(quote, by=ctx.actor, now=ctx.now, version=_version(ctx))
        except BillingError as error:
            form.add_error(error)
            quote = _get_or_404(ctx, quote_id)
        else:
            notice = f"The invoice of {quote.number} is a draft. Look it over, then send it."
            return ctx.redirect(ctx.url("invoice", made.pk), notice=notice)
    context = {"quote": quote, "form": form, "deposit_status": deposits.deposit_status(quote)}
    return ctx.render("staff/quotes/invoice.html", context, status=form.status)
