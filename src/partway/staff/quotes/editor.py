"""The page on which a member writes a quote, new or a draft; it has the parts of the invoice editor and a deposit."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from partway.billing.documents import drafts, quote_terms, quotes
from partway.billing.errors import BillingError, Invalid, Stale
from partway.billing.models import Quote
from partway.billing.models.documents import DiscountKind
from partway.delivery.messages import field_messages
from partway.lib.money import EXPONENTS, Money

from ..access import get_quote_or_404
from ..context import MemberContext
from ..document_form import first_customer, render_editor
from .quote_form import QuoteForm, default_deposit, deposit_choices, stored


def new(ctx: MemberContext) -> HttpResponse:
    """Writes a new draft; it starts with the organization's currency and default deposit, or as a copy of a quote."""
    if not ctx.is_post and (source := ctx.request.GET.get("from")):
        copied = stored(get_quote_or_404(ctx, source))
        valid_until = ctx.today + quote_terms.DEFAULT_VALIDITY
        first = {**copied["initial"], "version": "", "valid_until": valid_until}
        return _page(ctx, QuoteForm(organization=ctx.organization, initial=first, lines=copied["lines"]))
    if not ctx.is_post:
        currency = ctx.organization.currency
        first = {
            "customer": first_customer(ctx),
            "currency": currency,
            "valid_until": ctx.today + quote_terms.DEFAULT_VALIDITY,
            **default_deposit(quote_terms.get(ctx.organization), currency),
        }
        return _page(ctx, QuoteForm(organization=ctx.organization, initial=first))
    if ctx.request.POST.get("operation") == "figures":
        return _figures(ctx)
    form = QuoteForm(ctx.request.POST, organization=ctx.organization)
    if form.continues:
        return _page(ctx, form.unbound())
    if form.is_valid():
        try:
            made = quotes.create(
                ctx.organization,
                draft=form.draft(),
                by=ctx.actor,
                now=ctx.now,
                idempotency_key=form.content_key(ctx.request.path),
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(ctx.url("quote", made.pk), notice=gettext("The draft is saved."))
    return _page(ctx, form)


def edit(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Changes a draft; when another member saved it in the meantime, shows theirs beside what was typed."""
    quote = get_quote_or_404(ctx, quote_id)
    if not ctx.is_post:
        if quote.status != "draft":
            return redirect(ctx.url("quote", quote.pk))
        return _page(ctx, QuoteForm(organization=ctx.organization, **stored(quote)), quote)
    if ctx.request.POST.get("operation") == "figures":
        return _figures(ctx)
    form = QuoteForm(ctx.request.POST, organization=ctx.organization)
    if form.continues:
        return _page(ctx, form.unbound(), quote)
    if form.is_valid():
        version = form.cleaned_data["version"]
        try:
            quotes.edit(quote, draft=form.draft(), expected_version=version, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
            if isinstance(error, Stale):
                # Saving once more replaces the stored version, which by then has been seen.
                quote.refresh_from_db()
                form.data = {**form.data, "version": str(quote.version)}
                return _page(ctx, form, quote, newer=quote)
        else:
            return ctx.redirect(ctx.url("quote", quote.pk), notice=gettext("The draft is saved."))
    return _page(ctx, form, quote)


def _page(
    ctx: MemberContext,
    form: QuoteForm,
    quote: Quote | None = None,
    *,
    newer: Quote | None = None,
) -> HttpResponse:
    terms = quote_terms.get(ctx.organization)
    context = {
        "form": form,
        "quote": quote,
        "stored": newer,
        "rows": form.rows(more=ctx.request.POST.get("operation") == "add_lines"),
        "currencies": sorted(EXPONENTS),
        "discount_kinds": DiscountKind.choices,
        "deposit_kinds": deposit_choices(terms, ctx.organization.currency),
        "unprintable": form.unprintable_message(quote),
    }
    return render_editor(ctx, "staff/quotes/editor.html", form, context)


def _figures(ctx: MemberContext) -> HttpResponse:
    """The totals of the lines so far, and the deposit."""
    form = QuoteForm(ctx.request.POST, organization=ctx.organization, totals_only=True)
    draft = form.draft() if form.is_valid() else None
    context: dict[str, object] = {"figures": None, "unprintable": form.unprintable_message(None)}
    if draft is not None and drafts.has_computable_totals(draft):
        totals = drafts.compute_totals(draft)
        deposit = Money(quotes.deposit_minor(draft, totals.total_minor), draft.currency)
        context |= {"figures": totals, "currency": draft.currency, "deposit": deposit}
        if error := quotes.deposit_error(ctx.organization, deposit):
            context["preview"] = field_messages(Invalid({"deposit": error})).values()
    return ctx.render("staff/invoices/figures.html", context)
