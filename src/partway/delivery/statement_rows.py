"""The rows of a statement of account in words, for pages, mails and PDF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _

from partway.billing.models import Invoice, Quote
from partway.billing.receivables.statements import Movement, Statement
from partway.lib.money import Money

from .formats import format_date
from .receipt_figures import adjustment_label, method_label

_LABELS = {
    "issued": _("Invoice %(number)s"),
    "changed": _("Invoice %(number)s was changed"),
    "voided": _("Invoice %(number)s was voided"),
    "written_off": _("Invoice %(number)s was written off"),
    "write_off_paid": _("Invoice %(number)s: less is written off"),
    "reopened": _("Invoice %(number)s is due again"),
    "settled": _("Invoice %(number)s: rest settled"),
    "settlement_taken_back": _("Invoice %(number)s: rest due again"),
    "payment": _("Payment, %(number)s"),
    "deposit": _("Deposit, %(number)s"),
    "payment_reversed": _("Payment reversed, %(number)s"),
    "refund_pending": _("Being given back, %(number)s"),
    "refunded": _("Given back, %(number)s"),
    "dispute_lost": _("Taken back by your bank, %(number)s"),
    "dispute_won": _("Returned by your bank, %(number)s"),
}


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One movement: `label` says what it is, `detail` how or why; the amount is what is owed more since."""

    day: date
    label: str
    detail: str
    document: Invoice | Quote
    amount: Money
    balance: Money


def statement_rows(statement: Statement) -> tuple[StatementRow, ...]:
    """Returns each movement of the period, in order."""
    return tuple(
        StatementRow(
            day=one.day,
            label=str(_LABELS[one.kind]) % {"number": one.document.number},
            detail=_detail(one),
            document=one.document,
            amount=one.amount,
            balance=one.balance,
        )
        for one in statement.movements
    )


def _detail(movement: Movement) -> str:
    named = adjustment_label if movement.kind.startswith("settle") else method_label
    parts = (named(movement.detail) if movement.detail else "", movement.reference)
    return " · ".join(part for part in parts if part)


def period_label(since: date, until: date) -> str:
    """Returns “Jan 1, 2026 – Nov 29, 2026”."""
    return f"{format_date(since)} – {format_date(until)}"
