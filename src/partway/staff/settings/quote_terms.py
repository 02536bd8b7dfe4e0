"""What owners configure for quotes: how they are numbered, and the deposit that is usually asked for."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpResponse

from partway.billing.documents import quotes
from partway.billing.errors import BillingError
from partway.billing.models import QuoteTerms
from partway.billing.models.quotes import DepositKind
from partway.delivery.templatetags.partway import quantity

from ..context import Visit
from ..document_form import plain
from ..forms import Form


def show(visit: Visit) -> HttpResponse:
    """The terms, and a form to change them."""
    form = Form.typed(visit.request.POST) if visit.posted else Form(_stored(visit))
    terms = _read(visit, form) if visit.posted else None
    if terms is not None:
        try:
            quotes.change_terms(visit.organization, terms=terms, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("quotes_settings"), said="Saved.")
    help_words = f"In {visit.organization.currency}. A smaller quote asks for no deposit by itself."
    context = {"form": form, "deposit_kinds": DepositKind.choices, "threshold_help": help_words}
    return visit.render("staff/settings/quotes.html", context, status=form.status)


def _stored(visit: Visit) -> dict[str, str]:
    terms, currency = quotes.terms_of(visit.organization), visit.organization.currency
    return {
        "prefix": terms.prefix,
        "deposit_kind": terms.deposit_kind,
        "deposit_percent": quantity(terms.deposit_percent) if terms.deposit_percent else "",
        "deposit_amount": plain(terms.deposit_amount_minor, currency),
        "deposit_threshold": plain(terms.deposit_threshold_minor, currency),
    }


def _read(visit: Visit, form: Form) -> QuoteTerms | None:
    """The terms that were typed, or None with every field that is wrong marked."""
    kind = form.text("deposit_kind")
    percent = form.decimal("deposit_percent") if kind == "percent" else None
    terms = QuoteTerms(
        prefix=form.text("prefix"),
        deposit_kind=kind,
        deposit_percent=percent or Decimal(0),
        deposit_amount_minor=_minor(visit, form, "deposit_amount") if kind == "amount" else 0,
        deposit_threshold_minor=_minor(visit, form, "deposit_threshold", empty=True) if kind else 0,
    )
    return None if form.errors else terms


def _minor(visit: Visit, form: Form, name: str, *, empty: bool = False) -> int:
    if empty and not form.text(name):
        return 0
    amount = form.money(name, visit.organization.currency)
    return amount.amount_minor if amount else 0
