"""Reads what a member typed for an invoice or a quote: checks it field by field and writes its figures and lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from partway.accounts.models import Organization
from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money

from ..models import Customer, Invoice, Quote
from . import amounts

MAX_LINES = 200
_FOUR_PLACES = Decimal("0.0001")
_MAX_QUANTITY = Decimal(10**8)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as typed: decimals of at most four places, the unit amount in minor units."""

    description: str
    quantity: Decimal
    unit_amount_minor: int
    tax_percent: Decimal


class DocumentContent(Protocol):
    """What an invoice and a quote have in common while they are written."""

    @property
    def customer(self) -> Customer: ...
    @property
    def currency(self) -> str: ...
    @property
    def lines(self) -> tuple[Line, ...]: ...
    @property
    def discount_kind(self) -> str: ...
    @property
    def discount_percent(self) -> Decimal: ...
    @property
    def discount_amount_minor(self) -> int: ...
    @property
    def notes(self) -> str: ...


def fill(document: Invoice | Quote, content: DocumentContent) -> None:
    """Put the content and its figures on the row, which is saved by the caller."""
    sums = compute_totals(content)
    document.customer = content.customer
    document.currency = content.currency
    document.notes = content.notes
    document.discount_kind = content.discount_kind
    document.discount_percent = content.discount_percent if content.discount_kind == "percent" else Decimal(0)
    document.discount_amount_minor = content.discount_amount_minor if content.discount_kind == "amount" else 0
    document.subtotal_minor = sums.subtotal_minor
    document.discount_minor = sums.discount_minor
    document.tax_minor = sums.tax_minor
    document.total_minor = sums.total_minor


def has_computable_totals(content: DocumentContent) -> bool:
    """Whether each number is one that a draft may have; beyond that sums have more digits than decimals keep."""
    numbers = {"quantity", "unit_amount", "tax_percent"}
    return not any(numbers & _wrong_line(line).keys() for line in content.lines) and (
        content.discount_kind != "percent" or _within(content.discount_percent, 100)
    )


def compute_totals(content: DocumentContent) -> amounts.Totals:
    """What it adds up to, in minor units."""
    lines = [
        amounts.LineAmount(amounts.line_amount(line.quantity, line.unit_amount_minor), line.tax_percent)
        for line in content.lines
    ]
    subtotal = sum(line.amount_minor for line in lines)
    return amounts.totals(lines, _discount_minor(content, subtotal))


def _discount_minor(content: DocumentContent, subtotal_minor: int) -> int:
    if content.discount_kind == "percent":
        return amounts.percent_of(subtotal_minor, content.discount_percent)
    return content.discount_amount_minor if content.discount_kind == "amount" else 0


def write_lines(document: Invoice | Quote, content: DocumentContent) -> None:
    """The lines in the order they were typed, in place of those that stood there."""
    document.lines.all().delete()
    for position, line in enumerate(content.lines):
        document.lines.create(
            position=position,
            description=line.description,
            quantity=line.quantity,
            unit_amount_minor=line.unit_amount_minor,
            tax_percent=line.tax_percent,
            amount_minor=amounts.line_amount(line.quantity, line.unit_amount_minor),
        )


def field_errors(content: DocumentContent, organization: Organization) -> dict[str, str]:
    """What is wrong, by field; lines as `lines.0.quantity`. Empty when all is right."""
    errors: dict[str, str] = {}
    if content.customer.organization_id != organization.pk:
        errors["customer"] = "Choose a customer."
    if content.currency not in EXPONENTS:
        errors["currency"] = "Write the three letters of a currency, like USD."
    if not 1 <= len(content.lines) <= MAX_LINES:
        errors["lines"] = f"Write between one and {MAX_LINES} lines."
    if len(content.notes) > 2000:
        errors["notes"] = "Use at most 2000 characters."
    for position, line in enumerate(content.lines):
        errors.update({f"lines.{position}.{field}": message for field, message in _wrong_line(line).items()})
    return errors or _wrong_sums(content)


def _wrong_line(line: Line) -> dict[str, str]:
    errors = {}
    if not line.description.strip() or len(line.description) > 300:
        errors["description"] = "Say what this line is for, in at most 300 characters."
    if not _within(line.quantity, _MAX_QUANTITY) or line.quantity == 0:
        errors["quantity"] = "Enter a quantity above zero, with at most four decimals."
    if not 0 <= line.unit_amount_minor <= MAX_AMOUNT_MINOR:
        errors["unit_amount"] = "Enter a price of zero or more."
    if not _within(line.tax_percent, 100):
        errors["tax_percent"] = "Enter a percentage between 0 and 100, with at most four decimals."
    return errors


def _four_places(value: Decimal) -> bool:
    return value == value.quantize(_FOUR_PLACES)


def _within(value: Decimal, most: Decimal | int) -> bool:
    """Between zero and `most`; what is no number at all is not (comparing a NaN raises)."""
    return value.is_finite() and 0 <= value <= most and _four_places(value)


def is_percentage(value: Decimal) -> bool:
    """Between 0 and 100 with at most four decimals."""
    return _within(value, 100)


def _wrong_sums(content: DocumentContent) -> dict[str, str]:
    if content.discount_kind == "percent" and not _within(content.discount_percent, 100):
        return {"discount_percent": "Enter a percentage between 0 and 100, with at most four decimals."}
    sums = compute_totals(content)
    if content.discount_kind == "amount" and not 0 <= content.discount_amount_minor <= sums.subtotal_minor:
        return {"discount_amount": "The discount cannot be more than the lines add up to."}
    if (
        max(sums.subtotal_minor, sums.total_minor) > MAX_AMOUNT_MINOR
    ):  # a discount can hide a sum no column holds
        return {"lines": f"An invoice can be at most {Money(MAX_AMOUNT_MINOR, content.currency)}."}
    return {}
