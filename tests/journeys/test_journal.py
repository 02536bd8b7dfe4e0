"""An owner closes a month in the journal, and takes it along as a file."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.browser_actions import Member
from tests.support.accessibility import violations

pytestmark = pytest.mark.browser


def test_month_is_closed_and_exported(owner: Member, tmp_path: Path) -> None:
    page = owner.page
    owner.sends_invoice("1,000.00")
    invoice = page.url
    owner.open("journal/")
    page.get_by_role("link", name="Close a period").click()
    closed = date.fromisoformat(page.get_by_label("Close through").input_value())
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()
    expect(page.locator("[data-notices]")).to_contain_text("The journal is closed through")

    # A transfer of the closed month comes to light afterwards.
    page.goto(invoice)
    page.get_by_role("link", name="Record Payment").first.click()
    dialog = page.get_by_role("dialog")
    page.get_by_label("Amount (").fill("400.00")
    page.get_by_label("Paid by").select_option("Bank transfer")
    dialog.locator('[name="paid_on"]').fill(closed.isoformat())
    dialog.get_by_role("button", name="Record $400.00").click()
    dialog.get_by_role("button", name="Record all the same").click()
    expect(page.locator("main")).to_contain_text("$600.00")

    first = closed + timedelta(days=1)
    owner.open(f"journal/?from={first}&until={first}")
    expect(page.locator("main")).to_contain_text("because that period was closed")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "journal.csv")
    with (tmp_path / "journal.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["Date"], row["Belongs to"]) for row in rows} == {(first.isoformat(), closed.isoformat())}
    assert [(row["Debit"], row["Credit"]) for row in rows] == [("400.00", ""), ("", "400.00")]
    owner.open(f"journal/balances/?from={first}")
    expect(page.locator("tfoot")).to_contain_text("$0.00")
    owner.open("journal/")
    page.get_by_role("link", name="Open it again").click()
    expect(page.locator("dialog[open] h1")).to_be_visible()
    assert violations(page, "dialog") == []
