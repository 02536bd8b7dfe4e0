"""The rows under the lines, the same for an invoice and a quote: discount, tax by rate, total."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from partway.billing.documents.amounts import LineAmount, TaxRateAmount, tax_by_rate
from partway.lib.money import Money

from ..templatetags.partway import quantity
from .content import Line, Row


def rows(
    lines: Sequence[Line], *, discount: Money, discount_percent: Decimal | None, total: Money
) -> list[Row]:
    """From the subtotal to the total; where nothing stands between them, the total alone."""
    currency = total.currency
    amounts = [LineAmount(line.amount.amount_minor, line.tax_percent) for line in lines]
    taxed = tax_by_rate(amounts, discount.amount_minor)
    between = _discount(discount, discount_percent) + _taxes(taxed, currency)
    subtotal = Row("Subtotal", Money(sum(line.amount_minor for line in amounts), currency))
    return [*([subtotal, *between] if between else []), Row("Total", total, strong=True)]


def _discount(amount: Money, percent: Decimal | None) -> list[Row]:
    words = f"Discount ({quantity(percent)}%)" if percent else "Discount"
    return [Row(words, -amount)] if amount else []


def _taxes(taxed: list[TaxRateAmount], currency: str) -> list[Row]:
    """One row a rate, with what it is a part of; a document without tax says nothing of it."""
    if not any(rate.tax_percent for rate in taxed):
        return []
    return [
        Row(
            f"Tax {quantity(rate.tax_percent)}% on {Money(rate.taxable_minor, currency)}",
            Money(rate.tax_minor, currency),
        )
        for rate in taxed
    ]
