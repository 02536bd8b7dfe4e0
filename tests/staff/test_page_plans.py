"""Every page of one row finds what it shows by indexes: it costs the same however many rows the tables have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from partway.billing import links
from partway.billing.models import Customer
from partway.staff import urls
from tests.staff.test_access import routes
from tests.support import personas
from tests.support.query_plans import Plans

_MODELS = apps.get_app_config("billing").get_models()


@pytest.fixture
def rows(team: personas.Team, dana: Customer) -> dict[str, list[Any]]:
    """Rows by the name that they have in an address."""
    accepted = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(accepted)
    invoice = personas.sent_invoice(dana)
    request = personas.request_payment(invoice, 5_000)
    check = personas.record_check(personas.sent_invoice(dana), 200_000)
    online = personas.captured_payment(personas.sent_invoice(dana), 10_000)
    personas.dispute(online, 1_000, "open")
    personas.settle_rest(personas.sent_invoice(dana))
    return {
        "invoice_id": [invoice, check.invoice, personas.draft_invoice(dana)],
        "quote_id": [accepted, personas.sent_quote(dana)],
        "payment_id": [deposit, check, online],
        "customer_id": [dana],
        "request_id": [request],
        "refund_id": [personas.give_back(check, 1_000)],
    }


def addresses(rows: dict[str, list[Any]]) -> Iterator[str]:
    """Yields the addresses of all pages of one row, of members and of customers."""
    for route in routes(urls._organization):
        for noun in route.pattern.converters.keys() & rows.keys():
            if len(route.pattern.converters) == 1:
                yield from (reverse(f"staff:{route.name}", args=["alder", row.pk]) for row in rows[noun])
    pages = {
        links.request_url: "request_id",
        links.invoice_url: "invoice_id",
        links.quote_url: "quote_id",
        links.receipt_url: "payment_id",
    }
    yield from (link(row) for link, noun in pages.items() for row in rows[noun])


@pytest.mark.left_to(
    "sqlite"
)  # without statistics PostgreSQL takes an invoice for one with thousands of rows
def test_page_of_one_row_reads_no_other_rows(alice: Client, rows: dict[str, list[Any]]) -> None:
    plans = Plans(frozenset(model._meta.db_table for model in _MODELS))
    wrong = {}
    for url in addresses(rows):
        with connection.execute_wrapper(plans):
            assert alice.get(url).status_code != 404, url
        for statement in plans.statements:
            for step in plans.steps(*statement)[0]:
                if step.reads_all:
                    wrong.setdefault(f"{step}: {statement[0]}", url)
        plans.statements.clear()
    assert not wrong, "\n\n".join(f"{url}: {step}" for step, url in wrong.items())
