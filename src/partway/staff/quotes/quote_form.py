"""Reads the quote editor: what an invoice has as well, how long the offer holds, and the deposit it asks for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from partway.accounts.models import Organization
from partway.billing.documents import drafts, quotes
from partway.billing.documents.quotes import QuoteDraft
from partway.billing.models import Customer, Quote, QuoteTerms
from partway.billing.models.quotes import DepositKind
from partway.delivery.templatetags.partway import quantity
from partway.lib.money import Money

from .. import document_form
from ..forms import Form

DEFAULT = "usual"


def stored(quote: Quote) -> Form:
    """A draft as it would have been typed."""
    deposit = {
        "deposit_kind": quote.deposit_kind,
        "deposit_percent": quantity(quote.deposit_percent) if quote.deposit_percent else "",
        "deposit_amount": document_form.amount_or_blank(quote.deposit_amount_minor, quote.currency),
    }
    content = document_form.stored_content(quote)
    return Form({**content, **deposit, "valid_until": quote.valid_until.isoformat()})


def default_deposit(terms: QuoteTerms, currency: str) -> dict[str, str]:
    """The deposit fields of a new quote: what the organization usually asks for, ready to be changed."""
    return {
        "deposit_kind": DEFAULT if terms.deposit_kind else "",
        "deposit_percent": quantity(terms.deposit_percent) if terms.deposit_percent else "",
        "deposit_amount": document_form.amount_or_blank(terms.deposit_amount_minor, currency),
    }


def choices(terms: QuoteTerms, currency: str) -> list[tuple[str, str]]:
    """What can be asked for in advance; the usual deposit first, in words, where there is one."""
    kinds = [(str(value), str(label)) for value, label in DepositKind.choices]
    return (
        [(DEFAULT, f"As usual: {default_deposit_label(terms, currency)}"), *kinds]
        if terms.deposit_kind
        else kinds
    )


def default_deposit_label(terms: QuoteTerms, currency: str) -> str:
    """The usual deposit as “30 % from $500.00 on”."""
    amount = Money(terms.deposit_amount_minor, currency)
    message = f"{quantity(terms.deposit_percent)} %" if terms.deposit_kind == "percent" else str(amount)
    least = Money(terms.deposit_threshold_minor, currency)
    return f"{message} from {least} on" if least else message


def read(form: Form, customer: Customer | None, organization: Organization) -> QuoteDraft | None:
    """The offer that was typed, or None with every field that is wrong marked."""
    valid_until = form.day("valid_until")
    kind, percent, amount = _deposit(form)
    content = document_form.read_content(form, customer)
    if content is None or valid_until is None:
        return None
    draft = QuoteDraft(valid_until=valid_until, **content)
    if kind == DEFAULT:
        total = Money(drafts.compute_totals(draft).total_minor, draft.currency)
        kind, percent, amount = quotes.default_deposit(organization, total)
    return replace(draft, deposit_kind=kind, deposit_percent=percent, deposit_amount_minor=amount)


def _deposit(form: Form) -> tuple[str, Decimal, int]:
    """(kind, percent, amount in minor units) as typed; only the field of the chosen kind is looked at."""
    kind = form.text("deposit_kind")
    if kind == "percent":
        return kind, form.decimal("deposit_percent") or Decimal(0), 0
    if kind == "amount":
        amount = form.money("deposit_amount", document_form.read_currency(form))
        return kind, Decimal(0), amount.amount_minor if amount else 0
    return kind, Decimal(0), 0
