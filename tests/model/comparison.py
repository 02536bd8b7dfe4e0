"""Compares the model and the database: every stored row, and the facts that follow from the rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from partway.accounts.models import Organization
from partway.billing.documents import deposits
from partway.billing.models import (
    Alert,
    Allocation,
    Callback,
    Customer,
    Dispute,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
    Payout,
    PayoutItem,
    Refund,
)
from partway.billing.models import Quote as QuoteRow
from partway.billing.receivables import credit
from tests.model.organization_model import Invoice as ModelInvoice
from tests.model.organization_model import Payment as ModelPayment
from tests.model.reference_model import ReferenceModel

Row = dict[str, Any]
Facts = dict[str, Any]

# Alerts about durations depend on the clock; these are about money.
MONEY_FLAGS = ("captured_amount_mismatch", "unwanted_payment", "unwanted_debit", "deposit_unallocated")


@dataclass
class Table:
    """All rows of one table, by primary key."""

    columns: list[str]
    rows: dict[str, tuple[Any, ...]]


class TableSnapshot:
    """Every row of billing and of the organizations at one time."""

    def __init__(self) -> None:
        stored = [*apps.get_app_config("billing").get_models(), Organization]
        with connection.cursor() as cursor:
            self.tables = {model: _read(cursor, model) for model in stored}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableSnapshot) and self.tables == other.tables

    __hash__ = None  # type: ignore[assignment]

    def rows(self, model: type[models.Model], **wanted: Any) -> list[Row]:
        """Returns the rows with these values, oldest first, because ids are ordered by time."""
        table = self.tables[model]
        rows = [dict(zip(table.columns, table.rows[pk], strict=True)) for pk in sorted(table.rows)]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def of(self, organization: Organization) -> dict[type[models.Model], list[Row]]:
        """Returns every row of this organization."""
        owned = [model for model, table in self.tables.items() if "organization_id" in table.columns]
        return {model: self.rows(model, organization_id=organization.pk) for model in owned}


def _read(cursor: Any, model: type[models.Model]) -> Table:
    cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608 - the name is Django's own
    columns = [column[0] for column in cursor.description]
    key = columns.index(model._meta.pk.column)
    return Table(columns, {row[key]: tuple(row) for row in cursor.fetchall()})


class Database:
    """The facts that the stored rows of one organization state, in the terms of the model."""

    def __init__(self, stored: TableSnapshot, organization: Organization) -> None:
        self.stored = stored
        self.owned = stored.of(organization)
        self.invoices = [row["id"] for row in self.owned[Invoice]]
        self.requests = [row["id"] for row in self.owned[PaymentRequest]]
        self.payments = [row["id"] for row in self.owned[Payment]]
        self.quotes = [row["id"] for row in self.owned[QuoteRow]]

    def facts(self) -> Facts:
        flags = [row for row in self.owned[Alert] if row["kind"] in MONEY_FLAGS]
        links = [row for row in self.owned[Mail] if row["kind"] == "payment_request"]
        callbacks = [row["status"] for row in self.stored.rows(Callback)]
        return {
            **{f"invoice {n}": self._invoice(row) for n, row in enumerate(self.owned[Invoice], 1)},
            **{f"request {n}": self._request(row) for n, row in enumerate(self.owned[PaymentRequest], 1)},
            **{f"payment {n}": self._payment(row) for n, row in enumerate(self.owned[Payment], 1)},
            **{f"quote {n}": self._quote(row) for n, row in enumerate(self.owned[QuoteRow], 1)},
            **self._credit(),
            "refunds": sorted(self._refund(row) for row in self.owned[Refund] if row["mode"] != "offline"),
            "disputes": sorted(self._dispute(row) for row in self.owned[Dispute]),
            "payouts": sorted(self._payout(row) for row in self.owned[Payout]),
            "flags": sorted((row["kind"], self.payments.index(row["payment_id"])) for row in flags),
            "links mailed": [row["status"] for row in links],
            "callbacks": {
                status: callbacks.count(status) for status in ("pending", "processed", "unmatched")
            },
        }

    def _invoice(self, row: Row) -> tuple[Any, ...]:
        number = int(row["number"].removeprefix("INV-")) if row["number"] else None
        return row["status"], row["total_minor"], self._due(row), number

    def _due(self, row: Row) -> int:
        return int(row["total_minor"] - row["amount_paid_minor"] - row["adjusted_minor"])

    def _request(self, row: Row) -> tuple[Any, ...]:
        return row["status"], row["cancel_reason"], row["amount_requested_minor"]

    def _payment(self, row: Row) -> tuple[Any, ...]:
        on: dict[str, int] = defaultdict(int)
        for part in self.owned[Allocation]:
            if part["payment_id"] == row["id"]:
                on[f"invoice {self.invoices.index(part['invoice_id']) + 1}"] += part["amount_minor"]
        accepted = None if row["accepted"] is None else bool(row["accepted"])
        allocated = {name: amount for name, amount in on.items() if amount}
        money = (
            row["captured_minor"],
            row["refunded_minor"],
            row["fee_minor"],
            row["frozen_minor"],
            row["lost_minor"],
        )
        return row["status"], row["amount_minor"], accepted, *money, allocated

    def _refund(self, row: Row) -> tuple[Any, ...]:
        of = self.payments.index(row["payment_id"])
        return of, row["mode"], row["status"], row["amount_minor"], row["lost_minor"], row["fee_minor"] or 0

    def _dispute(self, row: Row) -> tuple[Any, ...]:
        return (
            self.payments.index(row["payment_id"]),
            row["status"],
            row["amount_minor"],
            row["lost_minor"],
        )

    def _payout(self, row: Row) -> tuple[Any, ...]:
        items = self.stored.rows(PayoutItem, payout_id=row["id"])
        linked = sum(item["payment_id"] in self.payments for item in items)
        return row["currency"], row["amount_minor"], row["status"], len(items), linked

    def _quote(self, row: Row) -> tuple[Any, ...]:
        quote = QuoteRow.objects.prefetch_related("payments").get(pk=row["id"])
        return row["status"], row["total_minor"], row["deposit_minor"], deposits.deposit_status(quote)

    def _credit(self) -> Facts:
        customers = [Customer.objects.get(pk=row["id"]) for row in self.owned[Customer]]
        return {
            f"credit of customer {n}": {
                money.currency: money.amount_minor for money in credit.balances(customer)
            }
            for n, customer in enumerate(customers, 1)
        }


def facts_of_model(books: ReferenceModel, customers: int) -> Facts:
    """Returns the same facts as the model predicts them."""
    return {
        **{invoice.name: _invoice(books, invoice) for invoice in books.invoices},
        **{request.name: (request.state, request.reason, request.amount) for request in books.requests},
        **{payment.name: _payment(payment) for payment in books.payments},
        **{
            quote.name: (quote.state, quote.total, quote.deposit, books.deposit_status(quote))
            for quote in books.quotes
        },
        **{f"credit of customer {n + 1}": _credit(books, n) for n in range(customers)},
        "refunds": sorted(
            # A refund costs nothing there, and the fee of its payment is kept.
            (books.payments.index(one.payment), one.mode, one.state, one.amount, one.lost, 0)
            for one in books.refunds
        ),
        "disputes": sorted(
            (n, one.state, one.amount, one.lost)
            for n, payment in enumerate(books.payments)
            for one in payment.disputes
        ),
        "payouts": sorted(books.payouts.values()),
        "flags": sorted((kind, books.payments.index(payment)) for kind, payment in books.flags),
        "links mailed": [mail.state for mail in books.mails],
        "callbacks": {"pending": len(books.waiting), "processed": len(books.done), "unmatched": 0},
    }


def _invoice(books: ReferenceModel, invoice: ModelInvoice) -> tuple[Any, ...]:
    return invoice.state, invoice.total, books.due(invoice), invoice.number


def _payment(payment: ModelPayment) -> tuple[Any, ...]:
    on = {invoice.name: amount for invoice, amount in payment.allocations.items() if amount}
    money = payment.captured, payment.refunded, payment.fee, payment.frozen, payment.lost
    return payment.state, payment.amount, payment.accepted, *money, on


def _credit(books: ReferenceModel, customer: int) -> dict[str, int]:
    sums = {currency: books.credit(customer, currency) for currency in ("JPY", "KWD", "USD")}
    return {currency: amount for currency, amount in sums.items() if amount}


def differences(expected: Facts, found: Facts) -> list[str]:
    """Returns each fact on which model and database differ."""
    return [
        f"{name}: the model says {expected.get(name)}, the books say {found.get(name)}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]
