"""Lists: pages by a cursor, filters, and what cannot be read is refused."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice
from partway.lib.clock import now
from tests.api.program import Program, problem
from tests.support import personas


def ids(program: Program, path: str) -> list[str]:
    """Returns the ids of all rows of a list, read page by page."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        said = program.get(f"{path}&cursor={cursor}").json()
        assert len(said["data"]) <= 2
        found += [row["id"] for row in said["data"]]
        cursor = said["next"]
    return found


def test_pages_show_each_row_once_the_newest_first(reader: Program, organization: Organization) -> None:
    made = [personas.customer(organization, f"Customer {number}") for number in range(5)]
    Customer.objects.filter(pk__in=[row.pk for row in made[:4]]).update(created_at=made[0].created_at)
    newest_first = [made[4].pk, *sorted((row.pk for row in made[:4]), reverse=True)]
    assert ids(reader, "/customers?limit=2") == newest_first


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "%00", "é", "a" * 201, encoded("2026-11-30T00:00:00 inv_0"), encoded("now inv_0")),
        *(encoded("0001-01-01T00:00:00+23:59 inv_0"), encoded("9999-12-31T23:59:59.999999-23:59 inv_0")),
        encoded("2026-11-30T00:00:00+00:00 \0"),
    ],
)
def test_cursor_that_no_list_returned_is_refused(reader: Program, cursor: str) -> None:
    response = reader.get(f"/invoices?cursor={cursor}")
    assert problem(response) == (422, "invalid")
    assert [one["field"] for one in response.json()["fields"]] == ["cursor"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("stat=sent", "stat")),
        *(("status=open", "status"), ("due_from=tomorrow", "due_from"), ("is_overdue=maybe", "is_overdue")),
        ("updated_since=2026-11-30T00:00:00", "updated_since"),
        ("created_from=0001-01-01T00:00:00%2B14:00", "created_from"),
        ("created_until=9999-12-31T23:59:59-14:00", "created_until"),
        (f"search={'x' * 201}", "search"),
    ],
)
def test_filter_that_cannot_be_read_is_refused(reader: Program, query: str, field: str) -> None:
    response = reader.get(f"/invoices?{query}")
    assert problem(response) == (422, "invalid")
    assert [one["field"] for one in response.json()["fields"]] == [field]


@pytest.fixture
def four(organization: Organization, dana: Customer) -> dict[str, Invoice]:
    """An invoice in each of four states, and of two customers."""
    paid = personas.sent_invoice(dana, 5_000)
    personas.record_check(paid, 5_000)
    overdue = personas.sent_invoice(personas.customer(organization, "Ada Stone"), due_in=-3)
    partial = personas.sent_invoice(dana)
    personas.record_check(partial, 10_000)
    return {"draft": personas.draft_invoice(dana), "paid": paid, "overdue": overdue, "partial": partial}


def filters(four: dict[str, Invoice]) -> dict[str, set[str]]:
    far, due = "2000-01-01T00:00:00Z", four["overdue"].due_on.isoformat()
    return {
        "status=draft": {"draft"},
        "status=sent": {"overdue", "partial"},
        "payment_status=unpaid": {"overdue"},
        "payment_status=partially_paid": {"partial"},
        "payment_status=paid": {"paid"},
        "is_overdue=true": {"overdue"},
        "is_overdue=false": {"draft", "paid", "partial"},
        f"customer={four['overdue'].customer_id}": {"overdue"},
        f"due_until={due}": {"overdue"},
        f"due_from={due}&due_until={due}": {"overdue"},
        f"created_until={far}": set(),
        f"created_from={far}&status=paid": {"paid"},
        f"paid_from={far}": {"paid"},
        f"paid_until={far}": set(),
        f"search={four['partial'].number}": {"partial"},
        "search=stone": {"overdue"},
        "search=%00": set(four),
    }


def names(program: Program, query: str, four: dict[str, Invoice]) -> set[str]:
    by_id = {invoice.pk: name for name, invoice in four.items()}
    response = program.get(f"/invoices?{query}")
    assert response.status_code == 200, response.content
    return {by_id[row["id"]] for row in response.json()["data"]}


def test_invoices_are_filtered(reader: Program, four: dict[str, Invoice]) -> None:
    found: dict[str, Any] = {query: names(reader, query, four) for query in filters(four)}
    assert found == filters(four)


def test_invoice_is_updated_by_whatever_happens_to_it(reader: Program, four: dict[str, Invoice]) -> None:
    four["paid"].events.update(created_at=now() - timedelta(days=1))
    since = (now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert names(reader, f"updated_since={since}", four) == {"draft", "overdue", "partial"}
    row = reader.get(f"/invoices/{four['paid'].pk}").json()
    assert row["updated_at"] < since


@pytest.mark.parametrize("change", [{"phone": "555 0142"}, {"metadata": {"stage": "2"}}])
def test_customer_is_updated_by_changes_of_its_own(
    collector: Program, dana: Customer, invoice: Invoice, change: dict[str, Any]
) -> None:
    dana.events.filter(type="customer.created").update(created_at=now() - timedelta(days=1))
    since = (now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert collector.get(f"/customers?updated_since={since}").json()["data"] == []
    assert collector.patch(f"/customers/{dana.pk}", change).status_code == 200
    assert len(collector.get(f"/customers?updated_since={since}&search=dana").json()["data"]) == 1


def test_time_that_was_read_is_the_bound_that_finds_its_row(reader: Program, dana: Customer) -> None:
    dana.events.update(created_at=datetime(2026, 11, 30, 12, 0, 0, 698_857, tzinfo=UTC))
    [read] = reader.get(f"/events?customer={dana.pk}").json()["data"]
    at = read["created_at"]
    assert reader.get(f"/events?created_from={at}&created_until={at}").json()["data"] == [read]


def test_payment_requests_are_filtered(
    reader: Program, collector: Program, dana: Customer, invoice: Invoice
) -> None:
    open_request = personas.request_payment(invoice)
    other = personas.request_payment(personas.sent_invoice(dana))
    collector.post(f"/payment_requests/{other.pk}/cancel")
    wanted = {
        "status=open": [open_request.pk],
        "status=canceled": [other.pk],
        f"invoice={invoice.pk}": [open_request.pk],
        f"customer={dana.pk}": [other.pk, open_request.pk],
        "created_until=2000-01-01T00:00:00Z": [],
        "updated_since=2000-01-01T00:00:00Z&status=open": [open_request.pk],
    }
    found = {
        query: [row["id"] for row in reader.get(f"/payment_requests?{query}").json()["data"]]
        for query in wanted
    }
    assert found == wanted
