"""What owners configure for quotes: how they are numbered, and the deposit that is usually asked for."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpResponse

from partway.billing.documents import quotes
from partway.billing.errors import BillingError
from partway.billing.models import QuoteTerms
from partway.billing.models.quotes import DepositKind
from partway.delivery.templatetags.partway import quantity

from ..context import MemberContext
from ..document_form import amount_or_blank
from ..forms import Form


def show(ctx: MemberContext) -> HttpResponse:
    """The terms, and a form to change them."""
    form = Form.from_data(ctx.request.POST) if ctx.is_post else Form(_stored(ctx))
    terms = _read(ctx, form) if ctx.is_post else None
    if terms is not None:
        try:
            quotes.change_terms(ctx.organization, terms=terms, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(ctx.url("quotes_settings"), notice="Saved.")
    help_words = f"In {ctx.organization.currency}. A smaller quote asks for no deposit by itself."
    context = {"form": form, "deposit_kinds": DepositKind.choices, "threshold_help": help_words}
    return ctx.render("staff/settings/quotes.html", context, status=form.status)


def _stored(ctx: MemberContext) -> dict[str, str]:
    terms, currency = quotes.quote_terms(ctx.organization), ctx.organization.currency
    return {
        "prefix": terms.prefix,
        "deposit_kind": terms.deposit_kind,
        "deposit_percent": quantity(terms.deposit_percent) if terms.deposit_percent else "",
        "deposit_amount": amount_or_blank(terms.deposit_amount_minor, currency),
        "deposit_threshold": amount_or_blank(terms.deposit_threshold_minor, currency),
    }


def _read(ctx: MemberContext, form: Form) -> QuoteTerms | None:
    """The terms that were typed, or None with every field that is wrong marked."""
    kind = form.text("deposit_kind")
    percent = form.decimal("deposit_percent") if kind == "percent" else None
    terms = QuoteTerms(
        prefix=form.text("prefix"),
        deposit_kind=kind,
        deposit_percent=percent or Decimal(0),
        deposit_amount_minor=_minor(ctx, form, "deposit_amount") if kind == "amount" else 0,
        deposit_threshold_minor=_minor(ctx, form, "deposit_threshold", empty=True) if kind else 0,
    )
    return None if form.errors else terms


def _minor(ctx: MemberContext, form: Form, name: str, *, empty: bool = False) -> int:
    if empty and not form.text(name):
        return 0
    amount = form.money(name, ctx.organization.currency)
    return amount.amount_minor if amount else 0
