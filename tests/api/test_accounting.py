"""Statements, payouts, the journal, alerts and events by a program: what the pages show, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from partway.accounts.models import Organization
from partway.billing import alerts
from partway.billing.models import Customer, Invoice
from partway.lib.clock import now, today
from tests.api.program import Program, problem
from tests.support import personas


@pytest.fixture
def period(organization: Organization) -> str:
    """The days around today, as parameters."""
    day = today(now(), organization.time_zone)
    return f"from={day - timedelta(days=1)}&to={day + timedelta(days=1)}"


def test_statement_leads_from_the_opening_to_the_closing_balance(
    reader: Program, dana: Customer, invoice: Invoice, period: str
) -> None:
    personas.captured_payment(invoice, 30_000)
    said = reader.get(f"/customers/{dana.pk}/statement?{period}").json()
    assert (said["opening"], said["closing"], said["due"], said["currency"]) == (0, 70_000, 70_000, "USD")
    assert [(row["kind"], row["amount"], row["balance"]) for row in said["movements"]] == [
        ("issued", 100_000, 100_000),
        ("payment", -30_000, 70_000),
    ]
    assert [said["from"], said["to"]] == [part.partition("=")[2] for part in period.split("&")]


@pytest.mark.parametrize(
    ("query", "field"),
    [("from=2026-01-01", "to"), ("from=2026-02-01&to=2026-01-01", "to"), ("until=2026-01-01", "until")],
)
def test_period_that_cannot_be_read_is_refused(reader: Program, query: str, field: str) -> None:
    response = reader.get(f"/journal/balances?{query}")
    assert problem(response) == (422, "invalid")
    assert field in [one["field"] for one in response.json()["fields"]]


def test_journal_is_read_in_pages_and_balances(reader: Program, dana: Customer, period: str) -> None:
    for _ in range(3):
        personas.captured_payment(personas.sent_invoice(dana), 30_000)
    entries: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        said = reader.get(f"/journal?{period}&limit=2&cursor={cursor}").json()
        entries += said["data"]
        cursor = said["next"]
    assert len({entry["number"] for entry in entries}) == len(entries) == 6
    assert all(
        sum(line["debit"] for line in entry["lines"]) == sum(line["credit"] for line in entry["lines"])
        for entry in entries
    )
    balances = reader.get(f"/journal/balances?{period}").json()["data"]
    assert {row["account"]: row["closing"] for row in balances}["receivables"] == 210_000
    assert sum(row["closing"] for row in balances) == 0
    assert problem(reader.get(f"/journal?{period}&cursor=20261330-USD-001")) == (422, "invalid")


def test_payout_is_shown_with_its_entries(
    reader: Program, organization: Organization, invoice: Invoice
) -> None:
    personas.captured_payment(invoice, 30_000)
    payout = personas.pay_out(organization, personas.payout_item())
    assert [row["id"] for row in reader.get("/payouts").json()["data"]] == [payout.pk]
    [item] = reader.get(f"/payouts/{payout.pk}").json()["items"]
    assert (item["kind"], item["amount"], item["fee"], item["net"]) == ("payment", 30_000, 445, 29_555)


def test_alert_is_resolved_as_it_was_read(collector: Program, organization: Organization) -> None:
    def raise_alert(event_type: str) -> None:
        alerts.raise_for_organization(
            "unmatched_callback", organization.pk, subject="cs_1", now=now(), event_type=event_type
        )

    raise_alert("payment.captured")
    [read] = collector.get("/alerts").json()["data"]
    raise_alert("payment.failed")
    path, body = (
        f"/alerts/{read['id']}/resolve",
        {"digest": read["digest"], "resolution": "Recorded by hand."},
    )
    assert problem(collector.post(path, body)) == (409, "stale")
    [read] = collector.get("/alerts").json()["data"]
    collector.post(path, {**body, "digest": read["digest"]})
    assert collector.get("/alerts").json()["data"] == []
    [resolved] = collector.get("/alerts?resolved=true").json()["data"]
    assert resolved["resolution"] == "Recorded by hand."


def test_events_tell_what_happened_and_settings_to_admins_alone(
    reader: Program, admin: Program, invoice: Invoice
) -> None:
    personas.request_payment(invoice)
    events = reader.get(f"/events?invoice={invoice.pk}").json()["data"]
    assert [event["type"] for event in events][:2] == ["payment_request.sent", "invoice.sent"]
    of_keys = "/events?type=key.created"
    assert (reader.get(of_keys).json()["data"], len(admin.get(of_keys).json()["data"])) == ([], 2)
