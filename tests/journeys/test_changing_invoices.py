"""A sent invoice is edited, its link expires, and it is written off, in real browsers."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import BrowserContext, expect

from partway.worker.tour.mailbox import Mailbox
from tests.journeys.browser_actions import Member, pays_at_the_sandbox, presses_pay, sees_receipt

pytestmark = pytest.mark.browser


def saves_price(member: Member, price: str) -> None:
    """Opens the editor from the menu, changes the first line's price, and saves."""
    member.page.get_by_label("More for this invoice").click()
    member.page.get_by_role("link", name="Edit Invoice").click()
    member.page.locator('[name="lines.0.unit_amount"]').fill(price)
    member.page.locator(".form-actions").get_by_role("button", name="Save changes").click()


def test_sent_invoice_is_edited(collector: Member, phone: BrowserContext, postbox: Mailbox) -> None:
    invoice = collector.sends_invoice("1,000.00")
    hosted = invoice.hosted_link(postbox)
    collector.requests("600.00")
    link = invoice.request_link(postbox, "600.00")

    saves_price(collector, "500.00")
    expect(collector.page.locator("[data-notices]")).to_contain_text("$500.00 is due now")
    expect(collector.page.locator("[data-notices]")).to_contain_text("The request for $600.00 was canceled")
    collector.page.get_by_role("link", name="Earlier version").click()
    expect(collector.page.locator("main")).to_contain_text("Total $1,000.00 → $500.00")

    customer = phone.new_page()
    customer.goto(link)
    expect(customer.get_by_role("heading", level=1)).to_contain_text("canceled")
    presses_pay(customer, hosted, "Pay Now · $500.00")
    pays_at_the_sandbox(customer)
    sees_receipt(customer, "$500.00", "$0.00")


def test_concurrent_editors_of_sent_invoice_lose_nothing(collector: Member, desktop: BrowserContext) -> None:
    invoice = collector.sends_invoice("1,000.00")
    second = Member(collector.supervisor, desktop.new_page())
    second.page.goto(f"{invoice.url}edit/")
    saves_price(collector, "900.00")
    expect(collector.page.locator("[data-notices]")).to_contain_text("$900.00 is due now")
    second.page.get_by_label("Notes").fill("Mine")
    second.page.locator(".form-actions").get_by_role("button", name="Save changes").click()
    expect(second.page.get_by_role("alert")).to_contain_text("$900.00")
    expect(second.page.get_by_label("Notes")).to_have_value("Mine")
    second.page.get_by_role("button", name="Replace it with mine").click()
    expect(second.page.locator("[data-notices]")).to_contain_text("$1,000.00 is due now")


def test_request_link_with_last_day_shows_expiry(
    collector: Member, phone: BrowserContext, postbox: Mailbox
) -> None:
    invoice = collector.sends_invoice("1,000.00")
    last_day = date.today() + timedelta(days=9)  # noqa: DTZ011 - nine days are far enough in any zone
    collector.opens_request_dialog()
    collector.page.get_by_label("Amount Requested").fill("300")
    collector.page.get_by_label("Link works until").fill(last_day.isoformat())
    collector.page.get_by_role("dialog").get_by_role("button", name="Send").click()
    last_day_text = f"{last_day:%b} {last_day.day}, {last_day.year}"
    expect(collector.page.locator(".open-request")).to_contain_text(f"Expires {last_day_text}")
    customer = phone.new_page()
    customer.goto(invoice.request_link(postbox, "300.00"))
    expect(customer.locator("main")).to_contain_text(f"This link can be paid until {last_day_text}")


def test_invoice_is_written_off_and_reopened(owner: Member, phone: BrowserContext, postbox: Mailbox) -> None:
    invoice = owner.sends_invoice("1,000.00")
    hosted = invoice.hosted_link(postbox)
    owner.page.get_by_label("More for this invoice").click()
    owner.confirms("Write Off")
    expect(owner.page.locator("main")).to_contain_text("wrote this invoice off")
    customer = phone.new_page()
    customer.goto(hosted)
    expect(customer.get_by_role("heading", level=1)).to_contain_text("cannot be paid here")
    owner.page.get_by_label("More for this invoice").click()
    owner.confirms("Reopen")
    expect(owner.page.locator("[data-notices]")).to_contain_text("$1,000.00 is due")
    customer.goto(hosted)
    expect(customer.get_by_role("button", name=re.compile("Pay Now"))).to_be_visible()
