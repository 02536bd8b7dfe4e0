"""How pages name the fields of a file, the forms of numbers and days, and the encodings."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partway.billing.models.imports import ImportKind
from partway.lib.table_files import WINDOWS

FIELD_LABELS: dict[str, Promise | str] = {
    "external_reference": _("Reference"),
    "name": _("Name"),
    "email": _("Mail address"),
    "phone": _("Phone"),
    "address": _("Address"),
    "customer_reference": _("Customer’s reference"),
    "customer_email": _("Customer’s mail address"),
    "description": _("Description"),
    "amount": _("Amount"),
    "tax_percent": _("Tax, in percent"),
    "currency": _("Currency"),
    "due_on": _("Due on"),
    "valid_until": _("Valid until"),
    "amount_paid": _("Amount paid"),
    "paid_on": _("Paid on"),
    "paid_by": _("Paid by"),
    "deposit_percent": _("Deposit, in percent"),
    "deposit_amount": _("Deposit amount"),
    "notes": _("Notes"),
}
FIELD_HELP: dict[str, Promise | str] = {
    "external_reference": _("The number it has in the other software. By it a row is imported once."),
    "customer_reference": _("As their file was imported with. This or the mail address is needed."),
    "customer_email": _("For customers without a reference."),
    "description": _("What the customer reads; without a column, the reference."),
    "amount": _("Without tax where the file has a column for it; else with it."),
    "amount_paid": _("What was paid so far, with the day of the last payment."),
    "paid_by": _("One of your payment modes, as “Check”."),
}
DECIMAL_MARKS = [(".", _("a point: 1,234.50")), (",", _("a comma: 1.234,50"))]
DATE_FORMATS = [
    ("YYYY-MM-DD", "2026-12-31"),
    ("DD.MM.YYYY", "31.12.2026"),
    ("DD/MM/YYYY", "31/12/2026"),
    ("MM/DD/YYYY", "12/31/2026"),
    ("DD-MM-YYYY", "31-12-2026"),
    ("YYYY/MM/DD", "2026/12/31"),
    ("YYYYMMDD", "20261231"),
]
ENCODINGS = [("", _("UTF-8 or UTF-16")), (WINDOWS, _("Windows-1252"))]
# Which list shows what was made, and the page of one row.
PAGES = {
    ImportKind.CUSTOMERS: ("customers", "customer"),
    ImportKind.INVOICES: ("invoices", "invoice"),
    ImportKind.QUOTES: ("quotes", "quote"),
}
