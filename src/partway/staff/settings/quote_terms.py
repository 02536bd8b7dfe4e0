"""Settings of quotes: how they are numbered, and the default deposit."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.documents import quote_terms
from partway.billing.errors import BillingError
from partway.billing.models import QuoteTerms
from partway.billing.models.quotes import DepositKind

from ..context import MemberContext
from ..document_form import amount_or_blank, minor
from ..forms import (
    ConcurrentEditForm,
    DependentFieldsForm,
    MoneyField,
    PercentField,
    set_currency,
    text_field,
)


class QuoteTermsForm(ConcurrentEditForm, DependentFieldsForm):
    """The prefix of numbers, and the default deposit."""

    depends_on = {
        "deposit_percent": ("deposit_kind", ("percent",)),
        "deposit_amount": ("deposit_kind", ("amount",)),
        "deposit_threshold": ("deposit_kind", ("percent", "amount")),
    }

    prefix = text_field()  # type: ignore[assignment]  # the metaclass takes fields off the class
    deposit_kind = text_field()
    deposit_percent = PercentField()
    deposit_amount = MoneyField()
    deposit_threshold = MoneyField(required=False)

    def terms(self) -> QuoteTerms:
        """Returns the terms of a valid form."""
        typed = self.cleaned_data
        return QuoteTerms(
            prefix=typed["prefix"],
            deposit_kind=typed["deposit_kind"],
            deposit_percent=typed["deposit_percent"] or Decimal(0),
            deposit_amount_minor=minor(typed["deposit_amount"]),
            deposit_threshold_minor=minor(typed["deposit_threshold"]),
        )


def show(ctx: MemberContext) -> HttpResponse:
    """Changes the terms of new quotes."""
    terms, currency = quote_terms.get(ctx.organization), ctx.organization.currency
    stored = {
        "prefix": terms.prefix,
        "deposit_kind": terms.deposit_kind,
        "deposit_percent": terms.deposit_percent or "",
        "deposit_amount": amount_or_blank(terms.deposit_amount_minor, currency),
        "deposit_threshold": amount_or_blank(terms.deposit_threshold_minor, currency),
    }
    form = QuoteTermsForm(ctx.post_data, initial=stored)
    set_currency(form, currency)
    if form.is_valid():
        opened = form.valid_opened_form()
        initial = opened.terms() if opened else None
        try:
            quote_terms.change(
                ctx.organization, terms=form.terms(), initial=initial, by=ctx.actor, now=ctx.now
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(ctx.url("settings_quotes"), notice=gettext("Saved."))
    threshold_help = gettext("In %(currency)s. A smaller quote asks for no deposit by itself.")
    context = {
        "form": form,
        "deposit_kinds": DepositKind.choices,
        "threshold_help": threshold_help % {"currency": currency},
        "unprintable": form.unprintable_in({"prefix": gettext("Quote numbers begin with")}),
    }
    return ctx.render("staff/settings/quotes.html", context, status=form.status)
