"""A reader sees every page and no act, on a desktop and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.supervisor import Supervisor
from tests.journeys.browser_actions import Member

pytestmark = pytest.mark.browser

ACTS = ("Request Payment", "Edit", "Send", "Resend Payment Link", "Cancel Payment Request", "Void Invoice")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_reader_sees_invoice_without_actions(
    supervisor: Supervisor, device: str, request: pytest.FixtureRequest
) -> None:
    context: BrowserContext = request.getfixturevalue(device)
    reader = Member.signed_in(supervisor, context.new_page(), "rita@demo.example")
    reader.open("invoices/?q=Dana")
    reader.page.get_by_role("link", name=re.compile("^FR-")).click()
    expect(reader.page.locator("main")).to_contain_text("Requested Amount")
    expect(reader.page.locator("main")).to_contain_text("$7,753.94")
    for act in ACTS:
        expect(reader.page.get_by_role("link", name=act, exact=True)).to_have_count(0)


def test_reader_opening_action_url_sees_required_role(
    supervisor: Supervisor, desktop: BrowserContext
) -> None:
    reader = Member.signed_in(supervisor, desktop.new_page(), "rita@demo.example")
    reader.open("invoices/new/")
    expect(reader.page.locator("body")).to_contain_text("collector")
