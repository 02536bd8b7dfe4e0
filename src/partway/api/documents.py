"""The parts of invoices and quotes: lines and discounts as calls take and return them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from partway.billing import models
from partway.billing.documents.drafts import MAX_LINES, LineDraft
from partway.billing.models.documents import Document, Line

from .access import Caller, get_customer
from .schemas import Amount, Currency, DecimalString, ExternalInput, Id, Input, decimal_string


class LineInput(Input):
    """One line: quantity times unit amount, with its tax on top."""

    description: str
    quantity: DecimalString = "1"
    unit_amount: Amount
    tax_percent: Annotated[
        DecimalString | None, Field(description="By default that of the organization's settings.")
    ] = None


class DocumentLine(BaseModel):
    """A line of a document; `amount` is quantity times unit amount, without tax."""

    description: str
    quantity: DecimalString
    unit_amount: int
    tax_percent: DecimalString
    amount: int


class PercentOrAmount(Input):
    """Either a percentage or an amount."""

    percent: DecimalString | None = None
    amount: Amount | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.percent is None) == (self.amount is None):
            raise PydanticCustomError("percent_or_amount", "Give either percent or amount.")
        return self


class DiscountInput(PercentOrAmount):
    """A discount on the whole document: either a percentage or an amount."""


class Discount(BaseModel):
    """A discount as it was given, in percent or as an amount."""

    percent: DecimalString | None
    amount: int | None


Lines = Annotated[list[LineInput], Field(min_length=1, max_length=MAX_LINES)]


def line_drafts(lines: Sequence[LineInput], default_tax: Decimal) -> tuple[LineDraft, ...]:
    """Returns the lines as billing takes them."""
    return tuple(
        LineDraft(
            description=line.description,
            quantity=Decimal(line.quantity),
            unit_amount_minor=line.unit_amount,
            tax_percent=default_tax if line.tax_percent is None else Decimal(line.tax_percent),
        )
        for line in lines
    )


class DocumentInput(ExternalInput):
    """The content that invoices and quotes have in common, of a new one."""

    customer: Id
    currency: Annotated[
        Currency | None, Field(description="By default that of the organization's settings.")
    ] = None
    lines: Lines
    discount: DiscountInput | None = None
    notes: str = ""


class DocumentChanges(ExternalInput):
    """Changes of that content; fields left out stay as they are, and `lines` replace all lines.

    version: that of the document as it was read. Reference and metadata can be changed in every state.
    """

    version: StrictInt
    customer: Id | None = None
    currency: Currency | None = None
    lines: Lines | None = None
    discount: DiscountInput | None = None
    notes: str | None = None


def new_content(caller: Caller, body: DocumentInput) -> dict[str, Any]:
    """Returns the fields of DocumentContent of a new document; raises Http404 for an unknown customer."""
    return {
        "customer": get_customer(caller, body.customer),
        "currency": body.currency or caller.organization.currency,
        "lines": line_drafts(body.lines, caller.organization.default_tax_percent),
        "notes": body.notes,
        "external": body.external,
        **percent_or_amount("discount", body.discount),
    }


def changed_content(
    caller: Caller, document: models.Invoice | models.Quote, body: DocumentChanges
) -> dict[str, Any]:
    """Returns the fields of DocumentContent of a stored document with these changes; raises Http404."""
    content: dict[str, Any] = {
        "customer": document.customer,
        "currency": document.currency,
        "lines": stored_lines(document),
        "discount_kind": document.discount_kind,
        "discount_percent": document.discount_percent,
        "discount_amount_minor": document.discount_amount_minor,
        "notes": document.notes,
        "external": body.external,
    }
    if body.customer is not None:
        content["customer"] = get_customer(caller, body.customer)
    if body.currency is not None:
        content["currency"] = body.currency
    if body.lines is not None:
        content["lines"] = line_drafts(body.lines, caller.organization.default_tax_percent)
    if "discount" in body.model_fields_set:
        content |= percent_or_amount("discount", body.discount)
    if body.notes is not None:
        content["notes"] = body.notes
    return content


def stored_lines(document: models.Invoice | models.Quote) -> tuple[LineDraft, ...]:
    """Returns the lines of a document as billing takes them."""
    return tuple(
        LineDraft(line.description, line.quantity, line.unit_amount_minor, line.tax_percent)
        for line in document.lines.all()
    )


def percent_or_amount(noun: str, given: PercentOrAmount | None) -> dict[str, Any]:
    """Returns a discount or a deposit, which `noun` says, as billing takes it; None is none."""
    kind, percent, amount_minor = "", Decimal(0), 0
    if given is not None and given.percent is not None:
        kind, percent = "percent", Decimal(given.percent)
    elif given is not None:
        kind, amount_minor = "amount", given.amount or 0
    return {f"{noun}_kind": kind, f"{noun}_percent": percent, f"{noun}_amount_minor": amount_minor}


def shown_lines(lines: Iterable[Line]) -> list[DocumentLine]:
    """Returns lines as calls return them."""
    return [
        DocumentLine(
            description=line.description,
            quantity=decimal_string(line.quantity),
            unit_amount=line.unit_amount_minor,
            tax_percent=decimal_string(line.tax_percent),
            amount=line.amount_minor,
        )
        for line in lines
    ]


def shown_discount(document: Document) -> Discount | None:
    """Returns the discount as calls return it; None without one."""
    if not document.discount_kind:
        return None
    is_percent = document.discount_kind == "percent"
    return Discount(
        percent=decimal_string(document.discount_percent) if is_percent else None,
        amount=None if is_percent else document.discount_amount_minor,
    )
