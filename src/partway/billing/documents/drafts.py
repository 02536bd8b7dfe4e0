"""Checks the content of an invoice or a quote field by field, and writes its lines, totals and discount."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from partway.accounts.models import Organization
from partway.lib import clock
from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money

from ..errors import FieldError, field_error
from ..events import Actor
from ..external_fields import UNCHANGED, ExternalFields
from ..models import Customer, Invoice, Quote
from ..people import customers
from ..people.customers import CustomerDetails
from . import amounts

MAX_LINES = 200
MAX_DESCRIPTION_LENGTH, MAX_NOTES_LENGTH = 300, 2000
_FOUR_PLACES = Decimal("0.0001")
_MAX_QUANTITY = Decimal(10**8)


ContentT = TypeVar("ContentT", bound="DocumentContent")


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line as a member writes it: decimals of at most four places, the unit amount in minor units."""

    description: str
    quantity: Decimal
    unit_amount_minor: int
    tax_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContent:
    """The content that the drafts of invoices and of quotes have in common, as a member writes it.

    A `new_customer` is stored with the document, in place of `customer`, which is not read then. `external` changes
    what a program keeps with it.
    """

    customer: Customer
    new_customer: CustomerDetails | None = None
    currency: str
    lines: tuple[LineDraft, ...]
    discount_kind: str = ""
    discount_percent: Decimal = Decimal(0)
    discount_amount_minor: int = 0
    notes: str = ""
    external: ExternalFields = UNCHANGED


def with_stored_customer(
    content: ContentT, organization: Organization, *, by: Actor, now: datetime
) -> ContentT:
    """Returns the content for a customer that exists: stores the new one, if any. Called once nothing is refused."""
    if content.new_customer is None:
        return content
    customer = customers.create(organization, details=content.new_customer, by=by, now=now)
    return replace(content, customer=customer, new_customer=None)


def fill(document: Invoice | Quote, content: DocumentContent) -> None:
    """Copies the content and its totals to the row, which the caller saves.

    Locks the customer, so that a change of the name waits, and writes the new sort key here too.
    """
    totals = compute_totals(content)
    document.customer = Customer.objects.locked(content.customer.pk)
    document.customer_key = document.customer.sort_key
    document.currency = content.currency
    document.notes = content.notes
    document.discount_kind = content.discount_kind
    document.discount_percent = content.discount_percent if content.discount_kind == "percent" else Decimal(0)
    document.discount_amount_minor = content.discount_amount_minor if content.discount_kind == "amount" else 0
    document.subtotal_minor = totals.subtotal_minor
    document.discount_minor = totals.discount_minor
    document.tax_minor = totals.tax_minor
    document.total_minor = totals.total_minor


def write_lines(document: Invoice | Quote, content: DocumentContent) -> None:
    """Replaces the lines of a saved document, in the order of the content."""
    # Lines have no identity of their own: events keep the versions, so replacing them loses nothing.
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


def compute_totals(content: DocumentContent) -> amounts.Totals:
    """Returns subtotal, discount, tax and total in minor units."""
    lines = [
        amounts.LineAmount(amounts.line_amount(line.quantity, line.unit_amount_minor), line.tax_percent)
        for line in content.lines
    ]
    discount_minor = content.discount_amount_minor if content.discount_kind == "amount" else 0
    if content.discount_kind == "percent":
        subtotal = sum(line.amount_minor for line in lines)
        discount_minor = amounts.percent_of(subtotal, content.discount_percent)
    return amounts.totals(lines, discount_minor)


def has_computable_totals(content: DocumentContent) -> bool:
    """Returns whether each number is in its range; beyond it totals have more digits than decimals keep."""
    numbers = {"quantity", "unit_amount", "tax_percent"}
    return not any(numbers & _line_errors(line).keys() for line in content.lines) and (
        content.discount_kind != "percent" or is_percentage(content.discount_percent)
    )


def field_errors(content: DocumentContent, organization: Organization) -> dict[str, FieldError]:
    """Returns the error of each wrong field, lines as `lines.0.quantity`; those of sums only when no other is wrong."""
    errors = content.external.errors()
    if content.new_customer is not None:
        wrong = customers.field_errors(content.new_customer)
        errors.update({f"new_customer_{name}": error for name, error in wrong.items()})
    elif content.customer.organization_id != organization.pk:
        errors["customer"] = field_error("customer_missing")
    if content.currency not in EXPONENTS:
        errors["currency"] = field_error("unknown_currency")
    if not 1 <= len(content.lines) <= MAX_LINES:
        errors["lines"] = field_error("line_count", limit=MAX_LINES)
    if len(content.notes) > MAX_NOTES_LENGTH:
        errors["notes"] = field_error("text_too_long", limit=MAX_NOTES_LENGTH)
    for position, line in enumerate(content.lines):
        errors.update({f"lines.{position}.{name}": error for name, error in _line_errors(line).items()})
    # Sums of wrong fields would raise, or show a second error that the first one causes.
    return errors or _total_errors(content)


def day_error(
    day: date, organization: Organization, now: datetime, *, stored: date | None = None
) -> FieldError | None:
    """Returns the error of a day that no person can mean (see `clock.plausible_days`); the stored one stays right."""
    first, last = clock.plausible_days(clock.today(now, organization.time_zone))
    if first <= day <= last or day == stored:
        return None
    return field_error("date_out_of_range", first=first, last=last)


def _line_errors(line: LineDraft) -> dict[str, FieldError]:
    errors = {}
    if not line.description.strip() or len(line.description) > MAX_DESCRIPTION_LENGTH:
        errors["description"] = field_error("line_description", limit=MAX_DESCRIPTION_LENGTH)
    if not _is_within(line.quantity, _MAX_QUANTITY) or line.quantity == 0:
        errors["quantity"] = field_error("line_quantity")
    if not 0 <= line.unit_amount_minor <= MAX_AMOUNT_MINOR:
        errors["unit_amount"] = field_error("line_unit_amount")
    if not is_percentage(line.tax_percent):
        errors["tax_percent"] = field_error("percentage_out_of_range")
    return errors


def _total_errors(content: DocumentContent) -> dict[str, FieldError]:
    if content.discount_kind == "percent" and not is_percentage(content.discount_percent):
        return {"discount_percent": field_error("percentage_out_of_range")}
    totals = compute_totals(content)
    if content.discount_kind == "amount" and not 0 <= content.discount_amount_minor <= totals.subtotal_minor:
        return {"discount_amount": field_error("discount_exceeds_subtotal")}
    # The subtotal counts too: a discount can bring a sum that no column holds down to a small total.
    if max(totals.subtotal_minor, totals.total_minor) > MAX_AMOUNT_MINOR:
        return {"lines": field_error("total_too_large", maximum=Money(MAX_AMOUNT_MINOR, content.currency))}
    return {}


def is_percentage(value: Decimal) -> bool:
    """Returns whether the value is between 0 and 100 with at most four decimals."""
    return _is_within(value, 100)


def _is_within(value: Decimal, maximum: Decimal | int) -> bool:
    # A NaN is refused first, because comparing one raises.
    return value.is_finite() and 0 <= value <= maximum and value == value.quantize(_FOUR_PLACES)
