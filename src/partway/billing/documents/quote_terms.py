"""Reads and changes an organization's quote terms: its numbering of quotes and the deposit it usually asks for."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib.money import MAX_AMOUNT_MINOR, Money

from .. import events
from ..errors import FieldError, Invalid, field_error
from ..events import Actor
from ..merge import merge
from ..models import QuoteTerms
from ..models.quotes import DepositKind
from ..people import organizations
from . import drafts

MAX_PREFIX_LENGTH = 12
DEFAULT_VALIDITY = timedelta(days=30)


def get(organization: Organization) -> QuoteTerms:
    """Returns the stored terms, or unsaved ones with the defaults."""
    return QuoteTerms.objects.filter(pk=organization.pk).first() or QuoteTerms(organization=organization)


def default_deposit(organization: Organization, total: Money) -> tuple[str, Decimal, int]:
    """Returns kind, percent and amount in minor units of the usual deposit on a quote of this total."""
    terms = get(organization)
    none = "", Decimal(0), 0
    same_currency = total.currency == organization.currency
    if same_currency and total.amount_minor < terms.deposit_threshold_minor:
        return none
    if terms.deposit_kind == "amount":
        amount_minor = min(terms.deposit_amount_minor, total.amount_minor)
        return ("amount", Decimal(0), amount_minor) if same_currency and amount_minor else none
    return terms.deposit_kind, terms.deposit_percent, 0


@needs(Permission.CONFIGURE_QUOTES)
@transaction.atomic
def change(
    organization: Organization,
    *,
    terms: QuoteTerms,
    by: Actor,
    now: datetime,
    initial: QuoteTerms | None = None,
) -> QuoteTerms:
    """Stores the terms; existing quotes keep their numbers and deposits. Raises Invalid with the wrong fields.

    `initial` holds the terms that the form showed: fields that the owner left as they were keep what another owner
    has written since (DESIGN D8).
    """
    organizations.lock(organization)
    before = _columns(get(organization))
    if initial is not None:
        currency = organization.currency
        shown, typed = (_fields(each, currency) for each in (initial, terms))
        merged = merge(_fields(get(organization), currency), shown, typed)
        terms = QuoteTerms(
            prefix=merged["prefix"],
            deposit_kind=merged["deposit_kind"],
            deposit_percent=merged["deposit_percent"],
            deposit_amount_minor=merged["deposit_amount"].amount_minor,
            deposit_threshold_minor=merged["deposit_threshold"].amount_minor,
        )
    errors = _field_errors(terms)
    if errors:
        raise Invalid(errors)
    new = _columns(terms)
    # The counter of numbers is not among the columns: a quote may be being sent at this moment.
    stored, _ = QuoteTerms.objects.update_or_create(pk=organization.pk, defaults=new)
    if new != before:
        changed = {name: str(value) for name, value in before.items() if new[name] != value}
        data = {"before": changed}
        events.record("organization.quote_terms_changed", organization, by=by, now=now, data=data)
    return stored


def _fields(terms: QuoteTerms, currency: str) -> dict[str, Any]:
    """Returns the terms by the fields of their form, as the message about a conflict shows them."""
    return {
        "prefix": terms.prefix,
        "deposit_kind": terms.deposit_kind,
        "deposit_percent": terms.deposit_percent,
        "deposit_amount": Money(terms.deposit_amount_minor, currency),
        "deposit_threshold": Money(terms.deposit_threshold_minor, currency),
    }


def _columns(terms: QuoteTerms) -> dict[str, Any]:
    return {
        "prefix": terms.prefix,
        "deposit_kind": terms.deposit_kind,
        "deposit_percent": terms.deposit_percent if terms.deposit_kind == "percent" else Decimal(0),
        "deposit_amount_minor": terms.deposit_amount_minor if terms.deposit_kind == "amount" else 0,
        "deposit_threshold_minor": terms.deposit_threshold_minor,
    }


def _field_errors(terms: QuoteTerms) -> dict[str, FieldError]:
    errors = {}
    if terms.deposit_kind not in DepositKind.values:
        errors["deposit_kind"] = field_error("deposit_kind")
    if terms.deposit_kind == "percent" and not is_deposit_percentage(terms.deposit_percent):
        errors["deposit_percent"] = field_error("deposit_percent")
    if terms.deposit_kind == "amount" and not 0 < terms.deposit_amount_minor <= MAX_AMOUNT_MINOR:
        errors["deposit_amount"] = field_error("amount_too_small")
    if not 0 <= terms.deposit_threshold_minor <= MAX_AMOUNT_MINOR:
        errors["deposit_threshold"] = field_error("amount_negative")
    if len(terms.prefix) > MAX_PREFIX_LENGTH or terms.prefix[-1:].isdigit():
        # Q1 with number 2 would look like Q with number 12, and no number may be given twice.
        errors["prefix"] = field_error("quote_prefix", limit=MAX_PREFIX_LENGTH)
    return errors


def is_deposit_percentage(percent: Decimal) -> bool:
    """Returns whether a deposit may be this percentage of a total: above 0, at most 100, at most four decimals."""
    return drafts.is_percentage(percent) and percent > 0
