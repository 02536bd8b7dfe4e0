"""Every list page asks the database as often for 60 rows as for 3, and says 50 rows in few bytes."""

from __future__ import annotations

import gzip

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partway.billing.models import Customer
from tests.support import personas

_PAGES = (
    "",
    "invoices/",
    "quotes/",
    "customers/",
    "payments/",
    "payouts/",
    "settings/audit/",
    "attention/",
    "inbox/",
)
_MAX_BYTES = 12_000  # of a page of 50 rows, compressed, without its files


def add_rows(like: Customer, count: int) -> None:
    """Adds rows of each list, each of a customer of its own."""
    for number in range(count):
        owes = personas.customer(like.organization, f"Customer {number}", f"c{number}@customer.example")
        invoice = personas.sent_invoice(owes)
        personas.request_payment(invoice, 5_000)
        personas.record_check(invoice, 2_000)
        personas.sent_quote(owes)


def measured(alice: Client) -> tuple[dict[str, int], dict[str, int]]:
    """Returns the statements and the compressed bytes of each list."""
    statements, weights = {}, {}
    for page in _PAGES:
        alice.get(f"/o/alder/{page}")  # what is kept for a while is kept now
        with CaptureQueriesContext(connection) as captured:
            response = alice.get(f"/o/alder/{page}")
        assert response.status_code == 200, page
        statements[page], weights[page] = len(captured), len(gzip.compress(response.content))
    return statements, weights


@pytest.mark.left_to("sqlite")  # the statements are the same
def test_list_of_sixty_rows_asks_as_often_as_one_of_three(alice: Client, dana: Customer) -> None:
    add_rows(dana, 3)
    few, _weights = measured(alice)
    add_rows(dana, 57)
    many, weights = measured(alice)
    assert many == few
    assert max(weights.values()) <= _MAX_BYTES, weights
