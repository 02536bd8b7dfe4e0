"""A collector requests a payment on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.supervisor import Supervisor
from tests.journeys.browser_actions import Member

pytestmark = pytest.mark.browser


def test_collector_sends_invoice_and_cancels_request_on_phone(
    supervisor: Supervisor, phone: BrowserContext
) -> None:
    collector = Member.signed_in(supervisor, phone.new_page(), "carl@demo.example")
    collector.sends_invoice("1,000.00")
    collector.requests("300.00", note="For the material.")
    expect(collector.page.locator("main")).to_contain_text("$300.00")
    collector.cancels_the_request()
    expect(collector.page.get_by_role("link", name="Request Payment")).to_be_visible()
