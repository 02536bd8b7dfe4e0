"""Holds a customer's statements against the books, and each day's against that of the day before."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Q

from partway.billing.models import Customer, Invoice, Payment
from partway.billing.receivables import statements
from partway.lib.clock import now, today


def check_statements(customer: Customer, *, days: int, at: datetime | None = None) -> None:
    """Checks the statement of each currency, and those of each of the last `days` days before `at`, or now."""
    at = at or now()
    last = today(at, customer.organization.time_zone)
    for currency in statements.currencies(customer):
        since = last - timedelta(days=days)
        whole = statements.statement(customer, currency=currency, since=since, until=last, now=at)
        assert (whole.closing.amount_minor, whole.overdue.amount_minor) == _balance(customer, currency, last)
        moved = sum(one.amount_minor for one in whole.movements)
        assert whole.opening.amount_minor + moved == whole.closing.amount_minor
        balance = None
        for ago in range(days, -1, -1):
            on = last - timedelta(days=ago)
            day = statements.statement(customer, currency=currency, since=on, until=on, now=at)
            assert balance is None or day.opening == balance, on
            assert day.closing == day.due - day.credit
            assert day.overdue <= day.due
            balance = day.closing


def _balance(customer: Customer, currency: str, on: date) -> tuple[int, int]:
    """Returns what the customer owes, which is what is due without credit and waiting deposits; and what is overdue."""
    invoices = Invoice.objects.filter(customer=customer, currency=currency)
    due = sum(row.amount_due_minor for row in invoices.due())
    # Frozen credit too: a dispute that is open has taken nothing yet.
    received = Payment.objects.succeeded().filter(captured_currency=currency)
    of_customer = received.filter(Q(invoice__customer=customer) | Q(quote__customer=customer))
    unallocated = sum(row.unallocated_minor for row in of_customer)
    return due - unallocated, sum(row.amount_due_minor for row in invoices.overdue(on))
