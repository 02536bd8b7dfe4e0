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
from ..access import find
from ..context import Visit
from ..forms import Form
from ..invoices.editor import chosen_customer, customer_choices, version
from . import quote_form

_USUAL_TERM = timedelta(days=30)


def new(visit: Visit) -> HttpResponse:
    """Write a new draft."""
    if not visit.posted:
        return _page(visit, Form(_fresh(visit)))
    form = document_form.typed(visit.request.POST)
    if form.text("act") in _ONLY_SHOWN:
        return _ONLY_SHOWN[form.text("act")](visit, form, None)
    offer = quote_form.read(form, chosen_customer(visit, form), visit.organization)
    if offer is not None:
        try:
            made = quotes.create(visit.organization, offer=offer, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("quote", made.pk), said="The draft is saved.")
    return _page(visit, form)


def edit(visit: Visit, quote_id: str) -> HttpResponse:
    """Change a draft; when somebody saved it in the meantime, show theirs beside what was typed."""
    quote = find(visit, Quote.objects.select_related("customer", "organization"), quote_id)
    if not visit.posted:
        if quote.status != "draft":
            return redirect(visit.url("quote", quote.pk))
        return _page(visit, quote_form.stored(quote), quote)
    form = document_form.typed(visit.request.POST)
    if form.text("act") in _ONLY_SHOWN:
        return _ONLY_SHOWN[form.text("act")](visit, form, quote)
    offer = quote_form.read(form, chosen_customer(visit, form), visit.organization)
    if offer is not None:
        try:
            quotes.edit(quote, offer=offer, version=version(form), by=visit.actor, now=visit.now)
        except Stale as error:
            form.refuse(error)
            return _stale(visit, form, quote)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("quote", quote.pk), said="The draft is saved.")
    return _page(visit, form, quote)


def _stale(visit: Visit, form: Form, quote: Quote) -> HttpResponse:
    """Saving once more from here replaces the stored version, which by then has been seen."""
    quote.refresh_from_db()
    form.values["version"] = str(quote.version)
    return _page(visit, form, quote, stored=quote)


def _page(visit: Visit, form: Form, quote: Quote | None = None, stored: Quote | None = None) -> HttpResponse:
    spare = 0 if document_form.count(form) and form.text("act") != "add_lines" else document_form.SPARE_ROWS
    terms = quotes.terms_of(visit.organization)
    context = {
        "form": form,
        "quote": quote,
        "stored": stored,
        "rows": document_form.rows(form, spare),
        "customers": customer_choices(visit),
        "currencies": sorted(EXPONENTS),
        "discount_kinds": DiscountKind.choices,
        "deposit_kinds": quote_form.choices(terms, visit.organization.currency),
    }
    return visit.render("staff/quotes/editor.html", context, status=form.status)


def _figures(visit: Visit, form: Form, _: Quote | None) -> HttpResponse:
    """What the lines add up to so far, and the deposit; for whom and until when does not matter to that."""
    form.values["valid_until"] = visit.today.isoformat()
    offer = quote_form.read(form, Customer(), visit.organization)
    context: dict[str, object] = {"figures": None}
    if offer is not None and drafts.can_add_up(offer):
        sums = drafts.figures(offer)
        deposit = Money(quotes.deposit_minor(offer, sums.total_minor), offer.currency)
        context = {"figures": sums, "currency": offer.currency, "deposit": deposit}
    return visit.render("staff/invoices/figures.html", context)


# What the editor asks for without saving anything.
_ONLY_SHOWN: dict[str, Callable[[Visit, Form, Quote | None], HttpResponse]] = {
    "add_lines": _page,
    "figures": _figures,
}


def _fresh(visit: Visit) -> dict[str, str]:
    currency = visit.organization.currency
    return {
        "customer": visit.request.GET.get("customer", ""),
        "currency": currency,
        "valid_until": (visit.today + _USUAL_TERM).isoformat(),
        **quote_form.usual(quotes.terms_of(visit.organization), currency),
    }
