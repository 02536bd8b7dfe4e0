"""Reads the editor of invoices and quotes: rows of lines, a discount, dates and amounts, each error on its field.

Fields of a line are named as billing names their errors: `lines.0.quantity`. Rows without any text are spare and
do not count, so the rows are numbered anew before anything else looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from partway.billing.documents.invoices import InvoiceDraft, Line
from partway.billing.models import Customer, Invoice, Quote
from partway.delivery.templatetags.partway import money_input, quantity
from partway.lib.money import EXPONENTS, Money, example_amount

from .forms import Form

COLUMNS = ("description", "quantity", "unit_amount", "tax_percent")
SPARE_ROWS = 3
_LINE = re.compile(r"lines\.(\d{1,4})\.(description|quantity|unit_amount|tax_percent)", re.ASCII)


def from_data(data: Mapping[str, object]) -> Form:
    """What was sent, with the lines numbered from 0 without gaps."""
    form = Form.from_data(data)
    rows: dict[int, dict[str, str]] = {}
    for name in list(form.values):
        found = _LINE.fullmatch(name)
        if found:
            rows.setdefault(int(found[1]), {})[found[2]] = form.values.pop(name)
    kept = [row for _, row in sorted(rows.items()) if _has_text(row)]
    for position, row in enumerate(kept):
        form.values.update({f"lines.{position}.{column}": text for column, text in row.items()})
    return form


def _has_text(row: Mapping[str, str]) -> bool:
    """Spare rows come with a quantity of 1 and the usual tax, which alone say nothing."""
    return any(row.get(column, "").strip() for column in ("description", "unit_amount"))


def count(form: Form) -> int:
    """How many lines were typed."""
    return sum(1 for name in form.values if name.endswith(".description") and name.startswith("lines."))


def rows(form: Form, spare: int, *, tax_percent: str = "") -> list[dict[str, object]]:
    """The lines as the page shows them, with `spare` empty ones after them, which begin with the usual tax."""
    filled = count(form)
    fresh = {"quantity": "1", "tax_percent": tax_percent}
    return [_row(form, position, fresh if position >= filled else None) for position in range(filled + spare)]


def _row(form: Form, position: int, fresh: dict[str, str] | None) -> dict[str, object]:
    names = {column: f"lines.{position}.{column}" for column in COLUMNS}
    values = fresh or {column: form.values.get(name, "") for column, name in names.items()}
    errors = {column: form.errors.get(name, "") for column, name in names.items()}
    return {"position": position, "number": position + 1, "values": values, "errors": errors}


def stored(invoice: Invoice) -> Form:
    """A draft as it would have been typed."""
    return Form({**stored_content(invoice), "due_on": invoice.due_on.isoformat()})


def stored_content(document: Invoice | Quote) -> dict[str, str]:
    """What invoices and quotes have in common, as it would have been typed."""
    currency = document.currency
    values = {
        "customer": document.customer_id,
        "currency": currency,
        "notes": document.notes,
        "discount_kind": document.discount_kind,
        "discount_percent": quantity(document.discount_percent) if document.discount_percent else "",
        "discount_amount": amount_or_blank(document.discount_amount_minor, currency),
        "version": str(document.version),
    }
    for position, line in enumerate(document.lines.all()):
        values[f"lines.{position}.description"] = line.description
        values[f"lines.{position}.quantity"] = quantity(line.quantity)
        values[f"lines.{position}.unit_amount"] = money_input(Money(line.unit_amount_minor, currency))
        values[f"lines.{position}.tax_percent"] = quantity(line.tax_percent) if line.tax_percent else ""
    return values


def amount_or_blank(amount_minor: int, currency: str) -> str:
    """An amount as one would type it; nothing for none."""
    return money_input(Money(amount_minor, currency)) if amount_minor else ""


def read(form: Form, customer: Customer | None) -> InvoiceDraft | None:
    """The draft that was typed, or None with every field that is wrong marked."""
    due_on = form.day("due_on")
    content = read_content(form, customer)
    return InvoiceDraft(due_on=due_on, **content) if content is not None and due_on is not None else None


def read_content(form: Form, customer: Customer | None) -> dict[str, Any] | None:
    """What a draft and an offer have in common, by their fields' names; None when any field read so far is wrong."""
    currency = read_currency(form)
    lines = tuple(_line(form, position, currency) for position in range(count(form)))
    if customer is None:
        form.errors["customer"] = "Choose a customer."
    percent, amount = _discount(form, currency)
    if form.errors:
        form.status = 422
        return None
    return {
        "customer": customer,
        "currency": currency,
        "lines": lines,
        "discount_kind": form.text("discount_kind"),
        "discount_percent": percent,
        "discount_amount_minor": amount,
        "notes": form.text("notes"),
    }


def read_currency(form: Form) -> str:
    """The currency that was typed; one to go on with, and an error, when there is no such currency."""
    currency = form.text("currency").upper()
    if currency in EXPONENTS:
        return currency
    form.errors["currency"] = "Write the three letters of a currency, like USD."
    return "USD"


def _line(form: Form, position: int, currency: str) -> Line:
    """One line; a value that could not be read stands as 0, and its error keeps the draft from being saved."""
    at = f"lines.{position}"
    if not form.text(f"{at}.description"):
        form.errors[f"{at}.description"] = "Say what this line is for."
    price = form.money(f"{at}.unit_amount", currency)
    if price is not None and price.amount_minor < 0:
        form.errors[f"{at}.unit_amount"] = f"Enter a price of zero or more, like {example_amount(currency)}."
    return Line(
        description=form.text(f"{at}.description"),
        quantity=form.decimal(f"{at}.quantity") or Decimal(0),
        unit_amount_minor=price.amount_minor if price else 0,
        tax_percent=form.decimal(f"{at}.tax_percent", empty=Decimal(0)) or Decimal(0),
    )


def _discount(form: Form, currency: str) -> tuple[Decimal, int]:
    """(percent, amount in minor units) of the kind that was chosen; the other one is not looked at."""
    kind = form.text("discount_kind")
    if kind == "percent":
        return form.decimal("discount_percent") or Decimal(0), 0
    if kind == "amount":
        amount = form.money("discount_amount", currency)
        return Decimal(0), amount.amount_minor if amount else 0
    if kind:
        form.errors["discount_kind"] = "Choose no discount, a percentage or an amount."
    return Decimal(0), 0
