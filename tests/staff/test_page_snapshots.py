"""Pages with sums beside rows: both are of one moment, whatever is booked meanwhile.

tests/staff/payments/test_payment_list.py has the lists of payments and payouts.
"""

from __future__ import annotations

import pytest
from django.test import Client

from partway.billing.models import Invoice
from tests.support import personas
from tests.support.concurrency import meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


def test_invoice_totals_are_of_the_rows_that_are_shown(charlie: Client, invoice: Invoice) -> None:
    with meanwhile("billing_invoice", lambda: personas.record_check(invoice, 30_000), after=1):
        shown = charlie.get("/o/alder/invoices/").context
    assert [shown["totals"][0].due] == [row.amount_due for row in shown["page"].entries]


def test_overview_figures_are_of_the_rows_that_are_shown(charlie: Client, invoice: Invoice) -> None:
    with meanwhile("billing_paymentrequest", lambda: personas.request_payment(invoice), after=1):
        shown = charlie.get("/o/alder/").context
    assert (shown["figures"].requested.count, shown["open_requests"]) == (0, [])


def test_credit_is_that_of_the_payments_that_are_shown(charlie: Client, invoice: Invoice) -> None:
    with meanwhile("billing_payment", lambda: personas.record_check(invoice, 130_000), after=1):
        shown = charlie.get(f"/o/alder/customers/{invoice.customer_id}/").context
    assert (shown["credit"], shown["credit_from"]) == ([], [])
