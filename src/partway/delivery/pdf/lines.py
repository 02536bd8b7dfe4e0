"""The lines of an invoice or a quote, and the rows from their subtotal to the total: discount, tax by rate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from partway.billing.documents.amounts import LineAmount, tax_by_rate
from partway.billing.models import Invoice, Quote
from partway.lib.money import Money

from ..formats import format_money, format_percent
from .content import Line, Row


def document_lines(document: Invoice | Quote) -> tuple[Line, ...]:
    """Returns the stored lines as the document shows them."""
    currency = document.currency
    return tuple(
        Line(
            description=row.description,
            quantity=row.quantity,
            unit_amount=Money(row.unit_amount_minor, currency),
            tax_percent=row.tax_percent,
            amount=Money(row.amount_minor, currency),
        )
        for row in document.lines.all()
    )


def document_totals(document: Invoice | Quote, lines: Sequence[Line]) -> tuple[Row, ...]:
    """Returns the rows under the lines of the document, which end with its total."""
    percent = document.discount_percent if document.discount_kind == "percent" else None
    discount = Money(document.discount_minor, document.currency)
    return totals(lines, discount=discount, discount_percent=percent, total=document.total)


def totals(
    lines: Sequence[Line], *, discount: Money, discount_percent: Decimal | None, total: Money
) -> tuple[Row, ...]:
    """Returns the rows from the subtotal to the total; the total alone where no discount and no tax is between them.

    Tax has one row per rate, with the amount that is taxed at that rate.
    """
    amounts = [LineAmount(line.amount.amount_minor, line.tax_percent) for line in lines]
    rates = tax_by_rate(amounts, discount.amount_minor)
    between = []
    if discount:
        percent = format_percent(discount_percent) if discount_percent else ""
        label = _("Discount (%(percent)s)") % {"percent": percent} if percent else _("Discount")
        between.append(Row(label, -discount))
    if any(rate.tax_percent for rate in rates):
        for rate in rates:
            taxable = format_money(Money(rate.taxable_minor, total.currency))
            label = _("Tax %(percent)s on %(amount)s")
            params = {"percent": format_percent(rate.tax_percent), "amount": taxable}
            between.append(Row(label % params, Money(rate.tax_minor, total.currency)))
    if between:
        subtotal = Money(sum(line.amount_minor for line in amounts), total.currency)
        between.insert(0, Row(_("Subtotal"), subtotal))
    return (*between, Row(_("Total"), total, strong=True))
