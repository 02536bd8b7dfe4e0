"""Checks that totals follow from lines, currencies do not mix, and what was sent stays (DESIGN M1)."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import F, Model, Q
from django.db.models.functions import Coalesce

from partway.lib.money import EXPONENTS

from ..documents import amounts
from ..models import Allocation, Invoice, InvoiceLine, Payment, PaymentRequest, Quote, QuoteLine
from .checks import Findings, Rows, TableCheck, check, has_event, no_rows_where


def _totals_of_lines(model: type[Model], line: type[Model], noun: str) -> TableCheck:
    """Returns a part that recomputes lines and totals in Python: only `documents.amounts` has the rule of rounding."""

    def find(documents: Rows) -> Findings:
        by_document: dict[str, list[amounts.LineAmount]] = defaultdict(list)
        lines = line._default_manager.filter(**{f"{noun}__in": documents}).order_by(noun, "position")
        columns = ("pk", noun, "quantity", "unit_amount_minor", "amount_minor", "tax_percent")
        for pk, document, quantity, unit, amount, tax in lines.values_list(*columns):
            by_document[document].append(amounts.LineAmount(amount, tax))
            if amount != amounts.line_amount(quantity, unit):
                yield pk, f"line amount {amount} is not {quantity} times {unit}"
        for pk, kind, percent, amount_minor, *stored in documents.values_list("pk", *_DISCOUNT, *_TOTALS):
            subtotal = sum(line.amount_minor for line in by_document[pk])
            discount = amounts.percent_of(subtotal, percent) if kind == "percent" else amount_minor
            totals = amounts.totals(by_document[pk], discount)
            if stored != [totals.subtotal_minor, totals.discount_minor, totals.tax_minor]:
                yield pk, f"subtotal, discount and tax are {tuple(stored)}, recomputed {totals}"

    return TableCheck(model, find)


_DISCOUNT = ("discount_kind", "discount_percent", "discount_amount_minor")
_TOTALS = ("subtotal_minor", "discount_minor", "tax_minor")


def _known_currency(model: type[Model], column: str, message: str) -> TableCheck:
    return no_rows_where(model, ~Q(**{f"{column}__in": ["", *EXPONENTS]}), message)


_NUMBERED = Q(sent_at__isnull=False) | Q(number__isnull=False)
_NUMBER_AND_CURRENCY = {"number": "number", "currency": "currency"}
_QUOTE_AMOUNTS = {"total_minor": "total_minor", "deposit_minor": "deposit_minor"}
_HAS_SENT_EVENT = has_event(
    "invoice", "invoice.sent", at="sent_at", shared=("customer",), data_columns=_NUMBER_AND_CURRENCY
)
_HAS_QUOTE_SENT_EVENT = has_event(
    "quote",
    "quote.sent",
    at="sent_at",
    shared=("customer",),
    data_columns=_NUMBER_AND_CURRENCY | _QUOTE_AMOUNTS,
)

CHECKS = (
    check(
        "M1",
        "each line is quantity times unit amount; subtotal, discount and tax are what the lines add up to",
        _totals_of_lines(Invoice, InvoiceLine, "invoice"),
        _totals_of_lines(Quote, QuoteLine, "quote"),
    ),
    check(
        "M1",
        "each amount is in a currency of ISO 4217, and what belongs to one invoice is in its currency",
        _known_currency(Invoice, "currency", "{currency} is not a currency"),
        _known_currency(Quote, "currency", "{currency} is not a currency"),
        _known_currency(Payment, "captured_currency", "{captured_currency} is not a currency"),
        no_rows_where(
            PaymentRequest, ~Q(currency=F("invoice__currency")), "asks for {currency} of another currency"
        ),
        no_rows_where(
            Payment,
            ~Q(currency=Coalesce("invoice__currency", "quote__currency")),
            "is in {currency}, what it pays is not",
        ),
        no_rows_where(
            Allocation,
            ~Q(currency=F("invoice__currency")) | ~Q(currency=F("payment__captured_currency")),
            "allocates {currency}: {payment__captured_currency} came in, the invoice is in {invoice__currency}",
        ),
    ),
    check(
        "M1",
        "what was sent stays: number, customer and currency, and of a quote its total and deposit",
        no_rows_where(
            Invoice,
            _NUMBERED & ~_HAS_SENT_EVENT,
            "{number} for {customer} in {currency} was never sent",
        ),
        no_rows_where(
            Quote,
            _NUMBERED & ~_HAS_QUOTE_SENT_EVENT,
            "{number} for {customer} of {total_minor} {currency}, deposit {deposit_minor}, was never sent",
        ),
    ),
)
