"""The list of invoices reads indexes: no order and no filter scans the table, and no order with an index sorts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from partway.billing.models import Customer, Invoice
from partway.staff import keyset_pages
from partway.staff.invoices import index
from tests.support import personas

_SORTS = ("", *(key for key, _label in index.SORT_CHOICES))
_FILTERS = {
    **{f"status={status}": True for status in ("draft", "sent", "paid", "void", "written_off")},
    **dict.fromkeys(("status=overdue", "status=partially_paid", "requested=yes", "customer=dana"), False),
    **dict.fromkeys(("due_from=2026-01-01", "sent_until=2030-01-01", "q=dana", "q=inv-0001"), False),
}


class Plans:
    """Collects the plan of each query that reads invoices, on PostgreSQL that of tables that are worth an index."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT") and 'FROM "billing_invoice"' in sql:
            keyword = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
            with connection.cursor() as cursor:
                cursor.execute(keyword + sql, params)
                self.found.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
        return execute(sql, params, many, context)


def plans(client: Client, query: str) -> list[str]:
    """Returns the plans of a page."""
    collected = Plans()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for method in ("seqscan", "sort", "bitmapscan", "incremental_sort"):
                cursor.execute(f"SET LOCAL enable_{method} = off")
        with connection.execute_wrapper(collected):
            assert client.get(f"/o/alder/invoices/?{query}").status_code == 200
    return collected.found


def scans_table(plan: str) -> bool:
    """Whether a plan reads the invoices from end to end."""
    return "Seq Scan on billing_invoice" in plan or any(
        line.startswith("SCAN billing_invoice") for line in plan.splitlines()
    )


def sorts(plan: str) -> bool:
    """Whether a plan sorts what it has read."""
    return "Sort Key" in plan or "FOR ORDER BY" in plan


@pytest.fixture
def _invoices(dana: Customer) -> None:
    personas.request_payment(personas.sent_invoice(dana))
    personas.draft_invoice(dana)


@pytest.mark.usefixtures("_invoices")
def test_no_order_and_filter_of_invoice_list_scans_the_table(
    charlie: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few rows found and sorted, and with many, of which the order is walked."""
    for limit in (index.MAX_COUNTED, 0):
        monkeypatch.setattr(index, "MAX_COUNTED", limit)
        monkeypatch.setattr(keyset_pages, "MAX_FOUND", limit)
        for sort in ("", "customer", "-amount_due"):
            for query in ("totals=x", *_FILTERS):
                found = plans(charlie, f"{query}&sort={sort}" if sort else query)
                assert not [plan for plan in found if scans_table(plan)], (limit, sort, query)


@pytest.mark.usefixtures("_invoices")
def test_invoice_list_in_each_order_and_status_sorts_nothing(charlie: Client) -> None:
    for sort in _SORTS:
        for query in ("totals=x", *(query for query, has_index in _FILTERS.items() if has_index)):
            found = plans(charlie, f"{query}&sort={sort}" if sort else query)
            pages = [plan for plan in found if "(id=?" not in plan and "Index Cond: ((id)" not in plan]
            assert pages
            assert not [plan for plan in pages if sorts(plan)], (sort, query)


def test_each_index_of_invoice_list_begins_with_the_organization() -> None:
    others = ("invoice_by_customer", "invoice_by_party")
    leading = {each.fields[0] for each in Invoice._meta.indexes if each.name not in others}
    assert leading == {"organization"}
