"""The page on which a member writes a quote, new or a draft; it has the invoice editor's parts and a deposit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect

from partway.billing.documents import drafts, quotes
from partway.billing.errors import BillingError, Stale
from partway.billing.models import Customer, Quote
from partway.billing.models.documents import DiscountKind
from partway.lib.money import EXPONENTS, Money

from .. import document_form
from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form
from ..invoices.editor import chosen_customer, customer_choices, version
from . import quote_form

_USUAL_TERM = timedelta(days=30)


def new(ctx: MemberContext) -> HttpResponse:
    """Write a new draft."""
    if not ctx.is_post:
        return _page(ctx, Form(_defaults(ctx)))
    form = document_form.from_data(ctx.request.POST)
    if form.text("act") in _WITHOUT_SAVING:
        return _WITHOUT_SAVING[form.text("act")](ctx, form, None)
    draft = quote_form.read(form, chosen_customer(ctx, form), ctx.organization)
    if draft is not None:
        try:
            made = quotes.create(ctx.organization, draft=draft, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(ctx.url("quote", made.pk), notice="The draft is saved.")
    return _page(ctx, form)


def edit(ctx: MemberContext, quote_id: str) -> HttpResponse:
    """Change a draft; when somebody saved it in the meantime, show theirs beside what was typed."""
    quote = get_own_or_404(ctx, Quote.objects.select_related("customer", "organization"), quote_id)
    if not ctx.is_post:
        if quote.status != "draft":
            return redirect(ctx.url("quote", quote.pk))
        return _page(ctx, quote_form.stored(quote), quote)
    form = document_form.from_data(ctx.request.POST)
    if form.text("act") in _WITHOUT_SAVING:
        return _WITHOUT_SAVING[form.text("act")](ctx, form, quote)
    draft = quote_form.read(form, chosen_customer(ctx, form), ctx.organization)
    if draft is not None:
        try:
            quotes.edit(quote, draft=draft, version=version(form), by=ctx.actor, now=ctx.now)
        except Stale as error:
            form.add_error(error)
            return _stale(ctx, form, quote)
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(ctx.url("quote", quote.pk), notice="The draft is saved.")
    return _page(ctx, form, quote)


def _stale(ctx: MemberContext, form: Form, quote: Quote) -> HttpResponse:
    """Saving once more from here replaces the stored version, which by then has been seen."""
    quote.refresh_from_db()
    form.values["version"] = str(quote.version)
    return _page(ctx, form, quote, stored=quote)


def _page(
    ctx: MemberContext, form: Form, quote: Quote | None = None, stored: Quote | None = None
) -> HttpResponse:
    spare = 0 if document_form.count(form) and form.text("act") != "add_lines" else document_form.SPARE_ROWS
    terms = quotes.quote_terms(ctx.organization)
    context = {
        "form": form,
        "quote": quote,
        "stored": stored,
        "rows": document_form.rows(form, spare),
        "customers": customer_choices(ctx),
        "currencies": sorted(EXPONENTS),
        "discount_kinds": DiscountKind.choices,
        "deposit_kinds": quote_form.choices(terms, ctx.organization.currency),
    }
    return ctx.render("staff/quotes/editor.html", context, status=form.status)


def _figures(ctx: MemberContext, form: Form, _: Quote | None) -> HttpResponse:
    """What the lines add up to so far, and the deposit; for whom and until when does not matter to that."""
    form.values["valid_until"] = ctx.today.isoformat()
    draft = quote_form.read(form, Customer(), ctx.organization)
    context: dict[str, object] = {"figures": None}
    if draft is not None and drafts.has_computable_totals(draft):
        sums = drafts.compute_totals(draft)
        deposit = Money(quotes.deposit_minor(draft, sums.total_minor), draft.currency)
        context = {"figures": sums, "currency": draft.currency, "deposit": deposit}
    return ctx.render("staff/invoices/figures.html", context)


# What the editor asks for without saving anything.
_WITHOUT_SAVING: dict[str, Callable[[MemberContext, Form, Quote | None], HttpResponse]] = {
    "add_lines": _page,
    "figures": _figures,
}


def _defaults(ctx: MemberContext) -> dict[str, str]:
    currency = ctx.organization.currency
    return {
        "customer": ctx.request.GET.get("customer", ""),
        "currency": currency,
        "valid_until": (ctx.today + _USUAL_TERM).isoformat(),
        **quote_form.default_deposit(quotes.quote_terms(ctx.organization), currency),
    }
