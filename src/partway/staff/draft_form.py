"""Reads the invoice editor: rows of lines, a discount, dates and amounts, each error on its own field.

Fields of a line are named as billing names their errors: `lines.0.quantity`. Rows without any text are spare and
do not count, so the rows are numbered anew before anything else looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from partway.billing.invoices import Draft, Line
from partway.billing.models import Customer, Invoice
from partway.delivery.templatetags.partway import quantity, typed_money
from partway.lib.money import EXPONENTS, Money, example

from .forms import Form

COLUMNS = ("description", "quantity", "unit_amount", "tax_percent")
SPARE_ROWS = 3
_LINE = re.compile(r"lines\.(\d{1,4})\.(description|quantity|unit_amount|tax_percent)", re.ASCII)


def typed(data: Mapping[str, object]) -> Form:
    """What was sent, with the lines numbered from 0 without gaps."""
    form = Form.typed(data)
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
    values = {
        "customer": invoice.customer_id,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
        "notes": invoice.notes,
        "discount_kind": invoice.discount_kind,
        "discount_percent": quantity(invoice.discount_percent) if invoice.discount_percent else "",
        "discount_amount": _plain(invoice.discount_amount_minor, invoice.currency),
        "version": str(invoice.version),
    }
    for position, line in enumerate(invoice.lines.all()):
        values[f"lines.{position}.description"] = line.description
        values[f"lines.{position}.quantity"] = quantity(line.quantity)
        values[f"lines.{position}.unit_amount"] = typed_money(Money(line.unit_amount_minor, invoice.currency))
        values[f"lines.{position}.tax_percent"] = quantity(line.tax_percent) if line.tax_percent else ""
    return Form(values)


def _plain(amount_minor: int, currency: str) -> str:
    return typed_money(Money(amount_minor, currency)) if amount_minor else ""


def read(form: Form, customer: Customer | None) -> Draft | None:
    """The draft that was typed, or None with every field that is wrong marked."""
    currency = form.text("currency").upper()
    if currency not in EXPONENTS:
        form.errors["currency"], currency = "Write the three letters of a currency, like USD.", "USD"
    lines = tuple(_line(form, position, currency) for position in range(count(form)))
    due_on = form.day("due_on")
    if customer is None:
        form.errors["customer"] = "Choose a customer."
    percent, amount = _discount(form, currency)
    if form.errors or customer is None or due_on is None:
        form.status = 422
        return None
    return Draft(
        customer=customer,
        currency=currency,
        due_on=due_on,
        lines=lines,
        discount_kind=form.text("discount_kind"),
        discount_percent=percent,
        discount_amount_minor=amount,
        notes=form.text("notes"),
    )


def _line(form: Form, position: int, currency: str) -> Line:
    """One line; a value that could not be read stands as 0, and its error keeps the draft from being saved."""
    at = f"lines.{position}"
    if not form.text(f"{at}.description"):
        form.errors[f"{at}.description"] = "Say what this line is for."
    price = form.money(f"{at}.unit_amount", currency)
    if price is not None and price.amount_minor < 0:
        form.errors[f"{at}.unit_amount"] = f"Enter a price of zero or more, like {example(currency)}."
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
