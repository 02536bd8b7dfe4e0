"""The fields that a file can have for each kind of rows, the names that their columns often have, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from partway.lib.folding import fold
from partway.lib.money import EXPONENTS
from partway.lib.table_files import Cell

from ..errors import FieldError, field_error
from ..models import Import
from ..models.imports import ImportKind
from .values import DATE_FORMATS, DECIMAL_MARKS, BadValue, read_amount, read_day, read_percent, read_text


@dataclass(frozen=True, slots=True)
class ImportField:
    """One field: `type` is text, amount, percent or day; `names` are those that columns for it often have."""

    name: str
    names: tuple[str, ...]
    type: str = "text"
    is_required: bool = False


_REFERENCE = ("external reference", "reference", "id", "external id", "referenz", "uid")
_MAIL = ("email", "e-mail", "mail", "email address", "mail address", "e-mail-adresse", "courriel", "correo")
_OF_CUSTOMER = (
    ImportField(
        "customer_reference",
        ("customer reference", "customer id", "customer number", "customer no", "kundennummer", "client id"),
    ),
    ImportField("customer_email", ("customer email", "customer mail", *_MAIL)),
)
_CONTENT = (
    ImportField(
        "description", ("description", "subject", "item", "text", "beschreibung", "betreff", "libellé")
    ),
    ImportField(
        "amount",
        ("amount", "total", "net", "gross", "invoice amount", "sum", "betrag", "summe", "montant", "importe"),
        "amount",
        is_required=True,
    ),
    ImportField(
        "tax_percent", ("tax percent", "tax", "tax rate", "vat", "vat rate", "mwst", "ust", "tva"), "percent"
    ),
    ImportField("currency", ("currency", "currency code", "währung", "devise", "moneda")),
)
_NOTES = ImportField("notes", ("notes", "note", "remarks", "comment", "memo", "bemerkung", "notiz"))

FIELDS: dict[str, tuple[ImportField, ...]] = {
    ImportKind.CUSTOMERS: (
        ImportField(
            "external_reference",
            (*_REFERENCE, "customer id", "customer number", "customer no", "number", "kundennummer"),
            is_required=True,
        ),
        ImportField(
            "name",
            (
                "name",
                "customer",
                "customer name",
                "company",
                "full name",
                "display name",
                "firma",
                "nom",
                "nombre",
            ),
            is_required=True,
        ),
        ImportField("email", _MAIL, is_required=True),
        ImportField("phone", ("phone", "phone number", "telephone", "tel", "mobile", "telefon", "teléfono")),
        ImportField("address", ("address", "billing address", "street", "adresse", "anschrift", "dirección")),
    ),
    ImportKind.INVOICES: (
        ImportField(
            "external_reference",
            ("invoice number", "invoice no", "invoice id", "number", "no", "rechnungsnummer", *_REFERENCE),
            is_required=True,
        ),
        *_OF_CUSTOMER,
        *_CONTENT,
        ImportField(
            "due_on",
            ("due on", "due date", "due", "fällig am", "fälligkeit", "échéance"),
            "day",
            is_required=True,
        ),
        ImportField(
            "amount_paid", ("amount paid", "paid", "paid so far", "payments", "bezahlt", "payé"), "amount"
        ),
        ImportField(
            "paid_on",
            ("paid on", "payment date", "paid date", "date paid", "last payment", "bezahlt am"),
            "day",
        ),
        ImportField("paid_by", ("paid by", "payment method", "payment mode", "zahlungsart")),
        _NOTES,
    ),
    ImportKind.QUOTES: (
        ImportField(
            "external_reference",
            (
                "quote number",
                "quote no",
                "quote id",
                "estimate number",
                "number",
                "angebotsnummer",
                *_REFERENCE,
            ),
            is_required=True,
        ),
        *_OF_CUSTOMER,
        *_CONTENT,
        ImportField(
            "valid_until",
            ("valid until", "expires on", "expiry date", "expiration date", "gültig bis"),
            "day",
            is_required=True,
        ),
        ImportField("deposit_percent", ("deposit percent", "deposit %", "anzahlung %"), "percent"),
        ImportField("deposit_amount", ("deposit amount", "deposit", "anzahlung"), "amount"),
        _NOTES,
    ),
}


def guess_columns(kind: str, header: Sequence[str]) -> dict[str, str]:
    """Returns the column of each field whose name is one of those that the field often has; each is taken once."""
    by_name = {_folded(name): name for name in reversed(header) if name}
    found: dict[str, str] = {}
    for field in FIELDS[kind]:
        for name in (field.name, *field.names):
            column = by_name.get(_folded(name))
            if column and column not in found.values():
                found[field.name] = column
                break
    return found


def _folded(name: str) -> str:
    return " ".join(fold(name).replace("_", " ").replace("-", " ").replace(".", " ").split())


def column_errors(kind: str, columns: Mapping[str, str], header: Sequence[str]) -> dict[str, FieldError]:
    """Returns the error of each field that needs a column, or whose column the file does not have."""
    known = {field.name for field in FIELDS[kind]}
    errors = {f"columns.{name}": field_error("import_field_unknown") for name in columns.keys() - known}
    for field in FIELDS[kind]:
        column = columns.get(field.name, "")
        if column not in ("", *header):
            errors[f"columns.{field.name}"] = field_error("import_column_missing", column=column[:60])
        elif field.is_required and not column:
            errors[f"columns.{field.name}"] = field_error("import_column_required")
    names_customer = columns.get("customer_reference") or columns.get("customer_email")
    if kind != ImportKind.CUSTOMERS and not names_customer:
        errors["columns.customer_reference"] = field_error("import_customer_required")
    return errors


def format_errors(
    kind: str, columns: Mapping[str, str], *, decimal_mark: str, date_format: str
) -> dict[str, FieldError]:
    """Returns the error of each format that is unknown, missing though a column is read by it, or of no use here."""
    types = {field.type for field in FIELDS[kind] if columns.get(field.name)}
    errors = {}
    if decimal_mark not in DECIMAL_MARKS and (decimal_mark or types & {"amount", "percent"}):
        errors["decimal_mark"] = field_error("import_decimal_mark")
    if date_format not in DATE_FORMATS and (date_format or "day" in types):
        errors["date_format"] = field_error("import_date_format")
    if kind == ImportKind.CUSTOMERS:  # no field of theirs is a number or a day
        given = {"decimal_mark": decimal_mark, "date_format": date_format}
        errors |= {name: field_error("import_format_unused") for name, value in given.items() if value}
    return errors


def read_row(run: Import, cells: Mapping[str, Cell]) -> tuple[dict[str, Any], dict[str, FieldError]]:
    """Returns the values of a row by field, and the error of each cell that is none.

    An empty cell has no value, and neither has a field without a column. `currency` always has one.
    """
    values: dict[str, Any] = {"currency": run.organization.currency}
    errors: dict[str, FieldError] = {}
    # The currency first, because amounts are read in it.
    for field in sorted(FIELDS[run.kind], key=lambda field: field.name != "currency"):
        cell = cells.get(field.name, "")
        if cell == "":
            if field.is_required:
                errors[field.name] = field_error("cell_empty")
            continue
        try:
            values[field.name] = _value(field, cell, values["currency"], run)
        except BadValue as bad:
            errors[field.name] = bad.error
    return values, errors


def _value(field: ImportField, cell: Cell, currency: str, run: Import) -> Any:
    match field.type:
        case "amount":
            return read_amount(cell, currency, run.decimal_mark)
        case "percent":
            return read_percent(cell, run.decimal_mark)
        case "day":
            return read_day(cell, run.date_format)
    text = read_text(cell)
    if field.name == "currency":
        text = text.upper()
        if text not in EXPONENTS:
            raise BadValue(field_error("unknown_currency"))
    return text
