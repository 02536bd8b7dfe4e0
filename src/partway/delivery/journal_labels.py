"""The journal in words: the name of each account, and the description of each entry."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.journal.accounts import Account
from partway.billing.journal.entries import Entry
from partway.gateways.registry import GATEWAYS

from .formats import format_date, format_percent
from .receipt_figures import adjustment_label, method_label

_ACCOUNTS = {
    "mode": _("Received: %(of)s"),
    "bank": _("Bank: payouts"),
    "transit": _("Cash in transit: %(of)s"),
    "receivables": _("Receivables"),
    "deposits": _("Deposits of customers"),
    "credit": _("Credit of customers"),
    "refunds_under_way": _("Refunds under way"),
    "tax": _("Tax %(of)s"),
    "revenue": _("Revenue %(of)s"),
    "discounts": _("Discounts"),
    "adjustment": _("Settled rests: %(of)s"),
    "fees": _("Fees of payment services"),
    "write_offs": _("Write-offs"),
    "losses": _("Losses"),
}
_ENTRIES = {
    "invoice_sent": _("Invoice %(number)s"),
    "invoice_edited": _("Invoice %(number)s was changed"),
    "invoice_voided": _("Invoice %(number)s was voided"),
    "invoice_written_off": _("Invoice %(number)s was written off"),
    "invoice_reopened": _("Invoice %(number)s is due again"),
    "payment": _("Payment of %(number)s"),
    "payment_reversed": _("Payment of %(number)s was reversed"),
    "deposit": _("Deposit of %(number)s"),
    "deposit_applied": _("Deposit applied to %(number)s"),
    "credit_applied": _("Credit applied to %(number)s"),
    "credit_released": _("Payment of %(number)s became credit"),
    "settled": _("Rest of %(number)s settled"),
    "settlement_taken_back": _("Rest of %(number)s due again"),
    "refund_started": _("Refund begun, %(number)s"),
    "refund": _("Refund, %(number)s"),
    "refund_failed": _("Refund failed, %(number)s"),
    "refund_reversed": _("Refund reversed, %(number)s"),
    "dispute_lost": _("Dispute lost, %(number)s"),
    "dispute_won": _("Lost dispute won after all, %(number)s"),
    "payout": _("Payout %(number)s"),
    "payout_failed": _("Payout %(number)s came back"),
    "fee": _("Fee of the payment service, %(number)s"),
}


def account_name(account: Account) -> str:
    """Returns the name that an owner gave the account, else its default."""
    return account.name or default_name(account)


def default_name(account: Account) -> str:
    """Returns the name of an account that no owner changed."""
    of = account.of
    match account.kind:
        case "tax" | "revenue":
            of = format_percent(Decimal(of))
        case "transit":
            of = gettext(GATEWAYS[of].name) if of in GATEWAYS else of
        case "adjustment":
            of = adjustment_label(of)
        case "mode":
            of = method_label(of)
    return str(_ACCOUNTS[account.kind]) % {"of": of}


def description(entry: Entry) -> str:
    """Returns what happened, and where it was booked on a later day, to which day it belongs."""
    text = str(_ENTRIES[entry.kind]) % {"number": entry.document_number or gettext("a draft")}
    if entry.belongs_to is None:
        return text
    return f"{text}. {belongs_to(entry)}"


def belongs_to(entry: Entry) -> str:
    """Returns why an entry is booked on a later day than that on which it happened; empty where it is not."""
    if entry.belongs_to is None:
        return ""
    days = {"day": format_date(entry.belongs_to), "booked": format_date(entry.day)}
    return gettext("Belongs to %(day)s; booked on %(booked)s, because that period was closed.") % days


def detail(entry: Entry) -> str:
    """Returns how or why: the method of a payment, the reason of a rest that was settled."""
    if entry.kind.startswith("settle"):
        return adjustment_label(entry.detail)
    return method_label(entry.detail) if entry.detail else ""
