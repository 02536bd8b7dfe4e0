"""The form of the quote editor: the content of a document, how long the offer is valid, and the deposit it asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from partway.billing.documents import quotes
from partway.billing.documents.quotes import QuoteDraft
from partway.billing.models import Quote, QuoteTerms
from partway.billing.models.quotes import DepositKind
from partway.delivery.formats import format_money, format_percent
from partway.lib.money import Money

from ..document_form import DocumentForm, amount_or_blank, minor, stored_content
from ..forms import DayField, MoneyField, PercentField, text_field

DEFAULT = "usual"


class QuoteForm(DocumentForm):
    """A quote as a member writes it."""

    no_totals = (*DocumentForm.no_totals, "valid_until")
    depends_on = {
        **DocumentForm.depends_on,
        "deposit_percent": ("deposit_kind", ("percent",)),
        "deposit_amount": ("deposit_kind", ("amount",)),
    }

    valid_until = DayField()
    deposit_kind = text_field()
    deposit_percent = PercentField()
    deposit_amount = MoneyField()

    def draft(self) -> QuoteDraft:
        """Returns the draft of a valid form; the organization's default deposit is resolved to what it comes to."""
        typed = self.cleaned_data
        draft = QuoteDraft(valid_until=typed.get("valid_until", date.min), **self.content())
        if typed["deposit_kind"] == DEFAULT:
            return quotes.with_default_deposit(draft, self.organization)
        return replace(
            draft,
            deposit_kind=typed["deposit_kind"],
            deposit_percent=typed["deposit_percent"] or Decimal(0),
            deposit_amount_minor=minor(typed["deposit_amount"]),
        )


def stored(quote: Quote) -> dict[str, Any]:
    """Returns `initial` and `lines` of the form for a stored quote."""
    content = stored_content(quote)
    deposit = {
        "valid_until": quote.valid_until,
        "deposit_kind": quote.deposit_kind,
        "deposit_percent": quote.deposit_percent or "",
        "deposit_amount": amount_or_blank(quote.deposit_amount_minor, quote.currency),
    }
    return {**content, "initial": {**content["initial"], **deposit}}


def default_deposit(terms: QuoteTerms, currency: str) -> dict[str, Any]:
    """Returns the deposit fields of a new quote: the organization's default, ready to be changed."""
    return {
        "deposit_kind": DEFAULT if terms.deposit_kind else "",
        "deposit_percent": terms.deposit_percent or "",
        "deposit_amount": amount_or_blank(terms.deposit_amount_minor, currency),
    }


def deposit_choices(terms: QuoteTerms, currency: str) -> list[tuple[str, str]]:
    """Returns the kinds of deposit; where there is a default, that one first, as “As usual: 30 % from $500.00 on”."""
    kinds = [(str(value), str(label)) for value, label in DepositKind.choices]
    if not terms.deposit_kind:
        return kinds
    amount = Money(terms.deposit_amount_minor, currency)
    deposit = (
        format_percent(terms.deposit_percent) if terms.deposit_kind == "percent" else format_money(amount)
    )
    threshold = Money(terms.deposit_threshold_minor, currency)
    label = (
        gettext("As usual: %(deposit)s from %(threshold)s on")
        if threshold
        else gettext("As usual: %(deposit)s")
    )
    return [(DEFAULT, label % {"deposit": deposit, "threshold": format_money(threshold)}), *kinds]
